"""The IHVP method on a real network: conjugate gradients and LiSSA beside retraining, and what stochastic estimation adds."""

import html

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import INFLUENTIAL
from ntkcore.analyses.reliability import stochastic as views
from ntkcore.analyses.reliability.network import NETWORK_IHVP
from ntkcore.analyses.reliability.result import NetworkIhvp
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import SpecError
from ntkcore.figures.reliability import network as figures
from ntkcore.specs.network_ihvp import NetworkIhvpSpec
from ntkcore.specs.reliability import ReliabilityView
from pages.reliability.choice import LINK
from pages.shared import frame, words
from pages.shared.charts import chart
from pages.shared.controls import Controls
from pages.shared.standing import Offer, standing
from pages.shared.tables import columns_table

_VIEW = Controls("reliability.network", LINK)
_WIDTHS = (256, 512, 1024, 2048, 4096, 8192, 10_000)
_TIMES = (0.01, 0.05, 0.2, 1.0, 5.0, 20.0, 100.0)
_DEPTHS = (0, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_BATCHES = (8, 16, 32, 64, 128, 256)
_RUNS = (2, 4, 8, 16, 32)


def show_network(result: InfluenceResult, view: ReliabilityView, target: int) -> None:
    """What was found, its progress, what it would take, or why it cannot be.

    Args:
        target: the held-out image whose influences are estimated.
    """
    ws = workspace()
    st.header("On a real network: what does stochastic estimation add?", anchor=False)
    try:
        spec = views.to_compare(result, view, target, ws)
    except SpecError as error:
        st.caption(words.plain(f"{error.message} {error.remedy}"))
        return
    _controls(result, view)
    try:
        found = standing(NETWORK_IHVP, spec, name="network_panel", offer=_offer(spec, view))
    except SpecError as error:  # what is below does not depend on it
        st.caption(words.plain(f"{error.message} {error.remedy} A larger λ lets training end sooner."))
        return
    if found is not None:
        _show(result, view, found)


def _controls(result: InfluenceResult, view: ReliabilityView) -> None:
    _VIEW.seed(result.key, "verify", "time", "minibatch", "runs", steps=view.steps or 0)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if result.spec.kernel == "two-layer":
            _select("Network’s width", "verify", _WIDTHS, "{:,} units", "The kernel is that of infinite width.", 150)
        _select("Trained to τ", "time", _TIMES, "{:g}", "Time of gradient flow. The formula assumes the end of training.", 110)
        _select("LiSSA’s depth", "steps", _DEPTHS, "{:,} steps", "By itself: as many as leave a hundredth of the slowest part.", 150)
        _select("Images in a batch", "minibatch", _BATCHES, "{:,}", "Drawn anew in each step.", 140)
        _select("Runs", "runs", _RUNS, "{}", "Independent runs, by which the scatter is judged.", 90)


def _select(label: str, name: str, options: tuple, said: str, why: str, width: int) -> None:
    _VIEW.control(
        name,
        st.selectbox,
        label,
        options=sorted({*options, _VIEW[name]}),
        format_func=lambda option: said.format(option) if option else "by itself",
        read=lambda option: option or None,
        width=width,
        help=why,
    )


def _offer(spec: NetworkIhvpSpec, view: ReliabilityView) -> Offer:
    """What comparing would do; the forecast is of what is left to do."""
    ws, count = workspace(), len(spec.verification.removed)
    fewer = words.fewer(count, min(INFLUENTIAL, spec.verification.influence.dataset.n - 1) if view.leading is None else None)
    if VERIFICATION.ready(spec.verification, ws):
        said = f"Retraining without each of the {count} most influential images is stored; the estimates take"
    else:
        said = f"A network is trained once on all images and once without each of the {count} most influential{fewer}, then LiSSA runs"
    return Offer("Compare with LiSSA", said, key="compare_network", less=VERIFICATION.state(spec.verification, ws) == "partial")


def _show(result: InfluenceResult, view: ReliabilityView, found: NetworkIhvp) -> None:
    verdict, *more = NETWORK_IHVP.answer(found, view, workspace())
    st.html(f'<p class="atlas-fact">{html.escape(verdict)}</p><p class="atlas-quiet">{html.escape(" ".join(more))}</p>')
    spec = found.spec.verification
    left, right = st.columns([3, 2], gap="large")
    with left:
        width = "" if spec.width is None else f"{spec.width:,} units, "
        chart(
            "Estimates against retraining",
            figures.estimates_figure(found, [f"image {i}, {result.class_names[result.labels[i]]}" for i in found.images], frame.mode()),
            key="network_ihvp",
            table=lambda: views.network_table(found),
            note=f"The {len(found.images)} training images that influence held-out image {found.spec.target} most; bars: one standard "
            f"deviation of a run. λ = {words.number(spec.ridge)}, τ = {words.number(spec.time)}, {width}"
            f"in {words.duration(found.seconds)}.",
        )
    with right:
        chart(
            "From retraining to one run of LiSSA",
            figures.gaps_figure(views.gaps(found), frame.mode()),
            key="network_gaps",
            table=lambda: views.gap_table(found),
            note="By how much each step moves an influence, as a share of the true one, on average: images whose influence is almost "
            "0 weigh on it. Steps may go opposite ways.",
        )
        _agreement(found)
    _remarks(found)


def _agreement(found: NetworkIhvp) -> None:
    st.subheader("Agreement with retraining", anchor=False)
    rows = [
        (row.title, words.fixed(row.pearson, 3), words.fixed(row.spearman, 3), words.percent(row.rate)) for row in views.agreements(found)
    ]
    columns_table(("", "Pearson", "Spearman", "Mean error"), rows)


def _remarks(found: NetworkIhvp) -> None:
    said = list(found.failures.values())
    if found.spec.verification.width is not None:
        said.append("The two-layer network is piecewise linear in its weights, so its Hessian and its Gauss-Newton matrix are the same.")
    elif found.curvature == "gauss-newton":
        said.append("LiSSA and the steps take the Gauss-Newton matrix, since the Hessian plus λ is not positive definite.")
    if found.residual is not None and found.residual > found.spec.tolerance:
        said.append(f"Conjugate gradients stopped after {found.iterations:,} products at a residual of {words.number(found.residual)}.")
    if found.stationarity is not None:
        said.append(
            f"The network’s gradient and the pull of λ cancel but for {words.percent(found.stationarity)} of their size; at the minimum "
            "that the formula assumes nothing is left. The kernel’s Î (13) is that of the end of training."
        )
    st.html("".join(f'<p class="atlas-quiet">{html.escape(text)}</p>' for text in said))
