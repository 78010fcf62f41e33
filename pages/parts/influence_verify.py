"""Verify: real leave-one-out retraining of the most influential images, beside the prediction."""

import html

import pandas as pd
import streamlit as st

from ntkcore.analyses import influence_views as views
from ntkcore.analyses import requests
from ntkcore.analyses.influence import InfluenceResult
from ntkcore.analyses.verification import PAPER, Verification, forecast_verification, is_verified, open_verification, verification_key
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import SpecError
from ntkcore.figures.influence import verification_figure
from ntkcore.specs import InfluenceView, VerificationSpec
from pages.parts import frame, job_panel, links
from pages.parts.charts import chart
from pages.parts.fields import Fields

_VERIFY = Fields("influence.verify")
_WIDTHS = (256, 512, 1024, 2048, 4096, 8192, 10_000)


def show_verification(result: InfluenceResult, view: InfluenceView, target: int) -> None:
    """What retraining said, its progress, or what it would take."""
    ws = workspace()
    st.header("Is it true?", anchor=False)
    try:
        moment = view.model_copy(update={"time": view.time or views.PAPER_TIME})
        spec = views.to_verify(result, view, views.influence(result, moment, target, ws))
    except SpecError as error:
        st.caption(frame.plain(f"{error.message} {error.remedy}"))
        return
    if spec.width is not None:
        _width(result, view)
    job = ws.jobs.state(verification_key(spec, ws))
    if job is not None and job.active:
        job_panel.job_panel(job.id)
    elif is_verified(spec, ws):
        _show(result, open_verification(spec, ws), target)
    else:
        if job is not None:
            job_panel.ended(job)
        _offer(spec)


def _width(result: InfluenceResult, view: InfluenceView) -> None:
    choice = links.influence.current()
    widths = sorted({*_WIDTHS, view.verify})
    _VERIFY.seed((result.key, choice.revision), {"width": view.verify})
    st.selectbox(
        "Width of the network that is retrained",
        widths,
        format_func=lambda width: f"{width:,} units",
        **_VERIFY.index("width", widths),
        on_change=lambda: links.influence.look(verify=_VERIFY["width"]),
        width=260,
        help="The prediction is that of infinite width. The paper’s networks have 10,000 to 80,000 units.",
    )


def _offer(spec: VerificationSpec) -> None:
    ws = workspace()
    with st.spinner("Measuring this machine for the forecast …", show_time=False):
        forecast = forecast_verification(spec, ws)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if st.button(f"Retrain without each of {len(spec.removed)} images", key="verify", disabled=bool(forecast.refusal)):
            requests.request_verification(spec, ws)
            st.rerun()
        st.markdown(
            f"The {len(spec.removed)} most influential images of this held-out one, each left out once, to τ = {frame.number(spec.time)}: "
            f"about **{frame.duration(forecast.seconds)}** on this machine.",
            width="stretch",
        )
    if forecast.refusal:
        st.error(forecast.refusal, icon=":material/warning:")


def _show(result: InfluenceResult, found: Verification, target: int) -> None:
    pearson, spearman = found.correlations(target)
    spec = found.spec
    gap = abs(found.outputs[target] - found.expected[target]).max()
    if pearson != pearson:
        said = "The influences do not vary, so there is nothing to correlate."
    else:
        said = (
            f"Retraining without each of {len(spec.removed)} images agrees with the prediction: Pearson <b>{frame.signed(pearson)}</b>, "
            f"Spearman <b>{frame.signed(spearman)}</b>; its own prediction is {frame.number(gap, 2)} from the kernel’s."
        )
    st.html(f'<p class="atlas-fact">{said}</p>')
    names = [f"image {i}, {result.class_names[result.labels[i]]}" for i in spec.removed]
    left, right = st.columns([3, 2], gap="large")
    with left:
        chart(
            "Predicted and real influence",
            verification_figure(found.predicted[:, target], found.actual[:, target], names, frame.mode()),
            key="verification",
            table=lambda: pd.DataFrame(
                {"image": spec.removed, "predicted": found.predicted[:, target], "retrained": found.actual[:, target]}
            ),
            note=f"λ = {frame.number(spec.ridge)}, τ = {frame.number(spec.time)}: {found.steps:,} steps of {frame.number(found.rate)}, "
            f"in {frame.duration(found.seconds)}.",
        )
    with right:
        st.subheader("Beside the paper", anchor=False)
        rows = [(f"{width:,}", *figures) for width, figures in sorted(PAPER.items())]
        if spec.width is not None:
            rows.insert(0, (f"{spec.width:,} (here, {len(result.labels):,} images)", pearson, spearman))
        cells = "".join(f"<tr><th>{width}</th><td>{r:.4f}</td><td>{rho:.4f}</td></tr>" for width, r, rho in rows)
        st.html(
            '<table class="atlas-facts atlas-columns"><tr><th>Width</th><th>Pearson</th><th>Spearman</th></tr>'
            f"{cells}</table>"
            f'<p class="atlas-quiet">{html.escape("Table 1: MNIST 7 against 9, 5000 training images, 40 most influential.")}</p>'
        )
