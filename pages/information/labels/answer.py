"""What is mislabelled? How well scores find labels known to be flipped, the review of suspicious ones, and the study that flips some."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.labels import review as reviews
from ntkcore.analyses.information.labels import views
from ntkcore.analyses.information.views import time_of
from ntkcore.analyses.workspace import workspace
from ntkcore.figures.information import labels as figures
from ntkcore.specs.detection import Suspicion
from ntkcore.specs.information import InformationView
from pages.information.labels.metrics import metrics_table
from pages.information.labels.review import show_review
from pages.information.labels.study import show_study
from pages.shared import choice as links
from pages.shared import frame, words
from pages.shared.charts import chart


def show(result: InfluenceResult, view: InformationView, choice: links.Choice) -> None:
    """The whole answer."""
    if problem := reviews.missing_from(result, view.labels):
        st.warning(words.plain(problem), icon=":material/warning:")
    with st.spinner("How suspicious each label is …", show_time=False):
        scores = views.suspicions(result, view.ridge, time_of(view), workspace())
    if views.flipped(result).any():
        with st.spinner("How well they find the flipped labels …", show_time=False):
            found = views.detections(result, view.ridge, time_of(view), workspace())
        _answer(found)
        _evidence(result, scores, found)
    else:
        _nothing_known(result, view)
    show_review(result)
    show_study(result, view, choice)


def _answer(found: Mapping[Suspicion, views.Detection]) -> None:
    one, best = found["information"], views.best(found)
    hits = round(one.precision.value * one.flipped)
    text = (
        f"<b>{one.flipped:,}</b> of {one.n:,} labels are flipped. Among the {one.flipped:,} images with the most unique information, "
        f"<b>{hits:,}</b> are flipped; by chance it would be {one.flipped * one.flipped / one.n:.0f}. A flipped image carries more than "
        f"another one with a chance of <b>{100 * one.auc.value:.1f} %</b> (ROC-AUC {one.auc.value:.3f}, "
        f"95 % interval {one.auc.low:.3f} to {one.auc.high:.3f})."
    )
    if best != "information":
        text += f" Here {figures.SHORT[best]} ranks better: {found[best].auc.value:.3f}."
    st.html(f'<p class="atlas-fact">{text}</p>')


def _nothing_known(result: InfluenceResult, view: InformationView) -> None:
    found = reviews.review(result, view, workspace())
    other = int((found.unseen != result.labels).sum())
    st.html(
        f'<p class="atlas-fact">The labels are taken as they are: which of them are wrong is not known. <b>{other:,}</b> of '
        f"{len(result.labels):,} images are taken for another class by the network that has not seen them. Go through the most suspicious "
        "below.</p>"
        '<p class="atlas-quiet">To see how well the scores find wrong labels, flip some on purpose: set “Label noise” under the data set '
        "above, or let the study at the end of this page do it.</p>"
    )


def _evidence(result: InfluenceResult, scores: Mapping[Suspicion, np.ndarray], found: Mapping[Suspicion, views.Detection]) -> None:
    mode = frame.mode()
    left, right = st.columns([3, 2], gap="large")
    with left:
        histogram = views.histogram(scores["information"], views.flipped(result))
        none = f" {histogram.none:,} images carry none and are not drawn." if histogram.none else ""
        chart(
            "Unique information of flipped and other images",
            figures.detection_histogram(histogram, mode),
            key="labels_histogram",
            table=lambda: views.histogram_table(histogram),
            note=f"Each kind adds up to 100 %. The network must learn a wrong label from its image alone (paper: Figs. 2b, 8).{none}",
        )
    with right:
        st.subheader("How well each score finds them", anchor=False)
        some = found["information"]
        metrics_table(
            {name: {metric: getattr(one, metric) for metric in views.METRICS} for name, one in found.items()},
            f"1 is perfect; chance is 0.5, {some.flipped / some.n:.2g} and {some.flipped / some.n:.2g}. Below each: its 95 % interval by "
            f"{views.RESAMPLES:,} bootstrap samples of these images. Of the margin, small is suspicious.",
        )
    left, right = st.columns(2, gap="large")
    with left:
        chart(
            "Found, against false alarms",
            figures.roc_figure(found, mode),
            key="labels_roc",
            table=lambda: views.curve_table(found, "roc"),
            note="ROC: images looked at from the most suspicious on. The diagonal is chance.",
        )
    with right:
        chart(
            "How many of those looked at are flipped",
            figures.recall_figure(found, mode),
            key="labels_recall",
            table=lambda: views.curve_table(found, "curve"),
            note="Precision and recall. The level line is chance: the share of all labels that is flipped.",
        )
