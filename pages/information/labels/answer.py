"""What is mislabelled? How well scores find labels known to be flipped, the review of suspicious ones, and the study that flips some."""

import streamlit as st

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information.labels import answer as said
from ntkcore.analyses.information.labels import review as reviews
from ntkcore.analyses.information.labels import views
from ntkcore.figures.information import labels as figures
from ntkcore.specs.information import InformationView
from pages.information.choice import Chosen
from pages.information.labels.review import show_review
from pages.information.labels.study import metrics_table, show_study
from pages.shared import frame, tables, words
from pages.shared.charts import chart
from pages.shared.person import person


def show(look: Look, choice: Chosen) -> None:
    """The whole answer."""
    view = choice.view
    person()
    frame.show_absent(reviews.missing_from(look.result, view.labels))
    with st.spinner("How suspicious each label is …", show_time=False):
        views.suspicions(look)
    if views.flipped(look.result).any():
        with st.spinner("How well they find the flipped labels …", show_time=False):
            views.detections(look)
        _answer(look)
        _evidence(look)
    else:
        _nothing_known(look, view)
    show_review(look.result)
    show_study(look.result, choice)


def _answer(look: Look) -> None:
    found = views.detections(look)
    one = found["information"]
    many, hits, chance = f"{one.flipped:,}", f"{said.hits(one)} are flipped", words.share(one.auc.value)
    tables.fact(words.as_html(" ".join(said.known(found)), many, hits, chance))


def _nothing_known(look: Look, view: InformationView) -> None:
    found, labels = reviews.review(look, view.labels.by, view.labels.first), look.result.labels
    text = words.as_html(" ".join(said.unknown(found, labels)), said.doubted(found.unseen, labels))
    tables.fact(
        f"{text} Go through the most suspicious below.",
        "To see how well the scores find wrong labels, flip some on purpose: set “Label noise” under the data set above, or let the study "
        "at the end of this page do it.",
    )


def _evidence(look: Look) -> None:
    mode, found = frame.mode(), views.detections(look)
    left, right = st.columns([3, 2], gap="large")
    with left:
        histogram = views.histogram(views.suspicions(look)["information"], views.flipped(look.result))
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
