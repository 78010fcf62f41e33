"""The study of detection on the page: flip a share of the labels in several draws, and see how well each score finds them."""

import html
from urllib.parse import urlencode

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.labels import study
from ntkcore.analyses.study import Parts
from ntkcore.errors import SpecError
from ntkcore.figures.information import labels as figures
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.detection import DetectionStudySpec
from ntkcore.specs.information import InformationView
from pages.information.choice import LINK
from pages.information.labels.metrics import metrics_table
from pages.shared import choice as links
from pages.shared import frame, words
from pages.shared.charts import chart
from pages.shared.fields import Fields
from pages.shared.standing import Offer, made, standing

_STUDY = Fields("information.labels.study")
_SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
_SEEDS = (2, 3, 5, 10, 20)


def show_study(result: InfluenceResult, view: InformationView, choice: links.Choice) -> None:
    """Its settings, and its result, progress or forecast."""
    st.header("Would it find flipped labels?", anchor=False)
    _controls(result, view, choice)
    try:
        spec = study.asked(result.spec, view)
    except SpecError as error:
        st.caption(words.plain(f"{error.message} {error.remedy}"))
        return
    share = f"{100 * view.labels.share:g} %"
    found = standing(
        study.DETECTION,
        spec,
        offer=Offer(
            button="Flip and find",
            said=f"{share} of the labels are flipped in {view.labels.seeds} draws of {result.spec.dataset.n:,} images, and every score is "
            "judged at the λ and τ above",
            primary=True,
        ),
    )
    if found is not None:
        _show(found)


def _controls(result: InfluenceResult, view: InformationView, choice: links.Choice) -> None:
    shares, seeds = sorted({*_SHARES, view.labels.share}), sorted({*_SEEDS, view.labels.seeds})
    _STUDY.seed((result.key, choice.revision), {"share": view.labels.share, "seeds": view.labels.seeds})
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.selectbox(
            "Labels flipped",
            shares,
            format_func=lambda share: f"{100 * share:g} %",
            **_STUDY.index("share", shares),
            on_change=_changed,
            args=("share",),
            width=130,
            help="Share of the labels that is moved to another class at random.",
        )
        st.selectbox(
            "Draws",
            seeds,
            **_STUDY.index("seeds", seeds),
            on_change=_changed,
            args=("seeds",),
            width=110,
            help="Each has other images of the same set, other held-out images and other flips: the next seeds of the data set.",
        )


def _changed(name: str) -> None:
    labels = LINK.current().view.labels
    LINK.look(labels=labels.model_copy(update={name: _STUDY[name]}))


def _show(parts: Parts[DetectionStudySpec]) -> None:
    found, spec = list(study.measured(parts)), parts.spec
    one = next(item for item in found if item.score == "information" and item.metric == "auc")
    interval = f", 95 % interval {one.mean.low:.3f} to {one.mean.high:.3f}" if spec.seeds > 1 else ""
    many = f"Over {spec.seeds} draws" if spec.seeds > 1 else "In one draw"
    st.html(
        f'<p class="atlas-fact">{many}, a flipped image carries more unique information than another one with a chance of '
        f"<b>{100 * one.mean.value:.1f} %</b> (ROC-AUC {one.mean.value:.3f}{interval}).</p>"
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        chart(
            "Finding flipped labels, over the draws",
            figures.study_figure(found, frame.mode()),
            key="labels_study",
            table=lambda: study.table(parts),
            note="Bars: Student’s 95 % interval of the mean; faint: each draw. Chance is 0.5 for the ROC-AUC and "
            f"{spec.influence.dataset.label_noise:g} for the other two.",
        )
    with right:
        rows = {score: {item.metric: item.mean for item in found if item.score == score} for score in figures.SHORT}
        metrics_table(rows, "Mean over the draws, and its 95 % interval." if spec.seeds > 1 else "One draw: no interval.")
        made(parts.created, parts.device, parts.seconds)
        _draws(parts)


def _draws(parts: Parts[DetectionStudySpec]) -> None:
    """Links to each draw, whose analysis is stored."""
    view = LINK.current().view.model_copy(update={"labels": LINK.current().view.labels.undecided()})
    view = view.model_copy(update={"only": (), "picked": (), "basket": (), "image": None})
    with st.popover("Open a draw", icon=":material/open_in_new:", type="tertiary", key="labels_draws"):
        for draw, accuracy in zip(parts.spec.draws, parts["accuracy"], strict=True):
            address = html.escape(
                urlencode(ADDRESSES["information"].write(draw, view), doseq=True)
            )  # a link of Streamlit's to its own page does nothing
            said = f"Seed {draw.dataset.seed}: {100 * accuracy:.1f} % of the held-out images right"
            st.html(f'<a href="?{address}">{said}</a>')
