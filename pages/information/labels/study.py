"""The study of detection on the page: flip a share of the labels in several draws, and see how well each score finds them."""

import html
from collections.abc import Mapping
from math import isnan
from urllib.parse import urlencode

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.labels import study, views
from ntkcore.analyses.information.labels.views import METRICS, SHORT, Estimate
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import SpecError
from ntkcore.figures.information import labels as figures
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.detection import DetectionStudySpec, Suspicion
from pages.information.choice import LINK, Chosen
from pages.shared import frame, tables, words
from pages.shared.charts import chart
from pages.shared.controls import Controls
from pages.shared.standing import Offer, made, standing

_STUDY = Controls("information.labels.study", LINK, within="labels")
_SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
_SEEDS = (2, 3, 5, 10, 20)


def show_study(result: InfluenceResult, choice: Chosen) -> None:
    """Its settings, and its result, progress or forecast."""
    st.header("Would it find flipped labels?", anchor=False)
    view = choice.view
    try:
        spec = study.DETECTION.asked(result.spec, view, workspace())
    except SpecError as error:
        _controls(result, view.labels.seeds or study.DRAWS[0])
        st.caption(words.plain(f"{error.message} {error.remedy}"))
        return
    _controls(result, spec.seeds)
    share = f"{100 * view.labels.share:g} %"
    fewer = words.fewer(spec.seeds, study.DRAWS[0] if view.labels.seeds is None else None)
    found = standing(
        study.DETECTION,
        spec,
        offer=Offer(
            button="Flip and find",
            said=f"{share} of the labels are flipped in {spec.seeds} draws{fewer} of {result.spec.dataset.n:,} images, and every score is "
            "judged at the λ and τ above",
            primary=True,
        ),
    )
    if found is not None:
        _show(found)


def _controls(result: InfluenceResult, seeds: int) -> None:
    labels = _STUDY.view
    _STUDY.seed((result.key, seeds if labels.seeds is None else None), "share", seeds=seeds)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        _STUDY.control(
            "share",
            st.selectbox,
            "Labels flipped",
            options=sorted({*_SHARES, labels.share}),
            format_func=lambda share: f"{100 * share:g} %",
            width=130,
            help="Share of the labels that is moved to another class at random.",
        )
        _STUDY.control(
            "seeds",
            st.selectbox,
            "Draws",
            options=sorted({*_SEEDS, seeds}),
            width=110,
            help="Each has other images of the same set, other held-out images and other flips: the next seeds of the data set.",
        )


def _show(pieces: Pieces[DetectionStudySpec]) -> None:
    found, spec = list(views.measured(pieces)), pieces.spec
    one = next(item for item in found if item.score == "information" and item.metric == "auc")
    said = study.DETECTION.answer(pieces, LINK.current().view, workspace())
    tables.fact(words.as_html(" ".join(said), words.share(one.mean.value)))
    left, right = st.columns([3, 2], gap="large")
    with left:
        chart(
            "Finding flipped labels, over the draws",
            figures.study_figure(found, frame.mode()),
            key="labels_study",
            table=lambda: views.study_table(pieces),
            note="Bars: Student’s 95 % interval of the mean; faint: each draw. Chance is 0.5 for the ROC-AUC and "
            f"{spec.influence.dataset.label_noise:g} for the other two.",
        )
    with right:
        scores = dict.fromkeys(item.score for item in found)
        rows = {score: {item.metric: item.mean for item in found if item.score == score} for score in scores}
        metrics_table(rows, "Mean over the draws, and its 95 % interval." if spec.seeds > 1 else "One draw: no interval.")
        made(pieces.created, pieces.device, pieces.seconds)
        _draws(pieces)


def _draws(pieces: Pieces[DetectionStudySpec]) -> None:
    """Links to each draw, whose analysis is stored."""
    view = LINK.current().view.model_copy(update={"labels": LINK.current().view.labels.undecided()})
    view = view.model_copy(update={"only": (), "picked": (), "basket": (), "image": None})
    with st.popover("Open a draw", icon=":material/open_in_new:", type="tertiary", key="labels_draws"):
        for draw, accuracy in zip(pieces.spec.draws, pieces["accuracy"], strict=True):
            address = html.escape(
                urlencode(ADDRESSES["information"].write(draw, view), doseq=True)
            )  # a link of Streamlit's to its own page does nothing
            said = f"Seed {draw.dataset.seed}: {100 * accuracy:.1f} % of the held-out images right"
            st.html(f'<a href="?{address}">{said}</a>')


def metrics_table(rows: Mapping[Suspicion, Mapping[str, Estimate]], note: str) -> None:
    """A table of detectors: every score with its three metrics and their intervals.

    Args:
        rows: score to metric to its estimate; an interval that is NaN is left out.
        note: what the intervals are of, below it.
    """

    def cell(one: Estimate) -> str:
        return f"{one.value:.3f}" + ("" if isnan(one.low) else f"\n{one.low:.3f}–{one.high:.3f}")

    head = ("", *(f"{title[0].upper()}{title[1:]}" for title in METRICS.values()))
    tables.columns_table(head, [(SHORT[score], *(cell(metrics[name]) for name in METRICS)) for score, metrics in rows.items()], note)
