"""What can I drop? What dropping images costs on test images, and the list to keep (Unique-info §6 Fig. 2c, A.4 Fig. 7b)."""

import html

import numpy as np
import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information import views
from ntkcore.analyses.information.drop import keep as summary_list
from ntkcore.analyses.information.drop import study as summary_study
from ntkcore.analyses.information.drop import views as summary_views
from ntkcore.analyses.study import Parts
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.figures.information.drop import summary_figure
from ntkcore.specs import TITLES
from ntkcore.specs.information import InformationView
from ntkcore.specs.summary import LARGEST_DROP, SummaryStudySpec
from pages.information.choice import LINK, inspect_opened, marked
from pages.information.drop import settings as information_drop_settings
from pages.information.inspector import inspect_image
from pages.shared import choice as links
from pages.shared import frame, media, words
from pages.shared.charts import chart
from pages.shared.gallery import Card, gallery
from pages.shared.standing import Offer, made, standing
from pages.shared.waiting import waiting

_VIEW = information_drop_settings.VIEW
_PAGE = 2000  # cards sent at once
_TALL = 8  # classes above which their table scrolls
_GALLERY = "information_drop_gallery"


def show(result: InfluenceResult, view: InformationView, choice: links.Choice) -> None:
    """The whole answer."""
    view = information_drop_settings.read(result, view, choice)
    answer = st.container(key="drop_answer")
    st.slider(
        "Training images dropped, the least informative first (%)",
        0,
        LARGEST_DROP,
        **_VIEW.value("share"),
        help="Marks the curves and decides the list to keep.",
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        parts = _study(result, view)
    with answer:
        _answer(result, view, parts)
    with right:
        if parts is not None and view.drop.share:
            _contrasts(view, parts, _judge(view, parts))
        found = _list(result, view)
    _gallery(result, view, found, choice)
    inspect_image(result, view, *_known(result, view))


def _known(result: InfluenceResult, view: InformationView) -> tuple[np.ndarray, views.Judged]:
    ws, at = workspace(), (view.ridge, views.time_of(view))
    return views.scores(result, *at, ws), views.judged(result, *at, ws)


def _study(result: InfluenceResult, view: InformationView) -> Parts[SummaryStudySpec] | None:
    """The study's chart, its job, or what it would take."""
    information_drop_settings.show(result, view)
    try:
        spec = summary_study.asked(result.spec, view)
        network = "" if spec.model is None else f" and a network trained anew ({TITLES[spec.model.architecture]})"
        said = (
            f"Accuracy on {spec.test:,} other images after dropping up to {spec.points[-1]} % in four orders, "
            f"in {spec.seeds} draw{'s' if spec.seeds > 1 else ''}, of kernel regression{network}"
        )
        parts = standing(
            summary_study.SUMMARY,
            spec,
            offer=Offer(button="Measure what it costs", said=said, primary=True),
        )
    except AtlasError as error:
        frame.show_error(error)
        return None
    if parts is not None:
        _chart(result, view, parts)
    return parts


def _judge(view: InformationView, parts: Parts[SummaryStudySpec]) -> str:
    return view.drop.judge if parts.spec.model is not None else "kernel"


def _chart(result: InfluenceResult, view: InformationView, parts: Parts[SummaryStudySpec]) -> None:
    judge = _judge(view, parts)
    curves = summary_views.curves(parts, judge)
    lost = summary_views.emptied(parts)
    notes = [
        f"{parts.spec.test:,} test images that no score has seen; bars: 95 % interval of the mean over {parts.spec.seeds} draws."
        if parts.spec.seeds > 1
        else f"{parts.spec.test:,} test images that no score has seen. One draw, so no interval: choose more draws.",
        *(
            f"Dropping “{html.escape(summary_views.STRATEGIES[way])}” leaves some class without any image from {percent} % on: "
            "its curve stops there."
            for way, percent in lost.items()
        ),
    ]
    if result.spec.training is not None and judge == "kernel":
        notes.append("This kernel was taken after training on all images, those dropped included: a network trained anew says more.")
    chart(
        "Test accuracy over the share dropped",
        summary_figure(curves, [summary_views.placed(parts, curve) for curve in curves], view.drop.share, frame.mode()),
        key="drop_curves",
        table=lambda: summary_views.draws_table(parts, judge),
        note=" ".join(notes),
        controls=(lambda: _judges(parts)) if parts.spec.model is not None else None,
    )
    made(parts.created, parts.device, parts.seconds)


def _judges(parts: Parts[SummaryStudySpec]) -> None:
    assert parts.spec.model is not None
    names = {"kernel": "Kernel regression", "network": f"{TITLES[parts.spec.model.architecture]}, trained anew"}
    st.segmented_control(
        "Trained on what is kept",
        list(names),
        format_func=names.__getitem__,
        required=True,
        **_VIEW.default("judge"),
        label_visibility="collapsed",
    )


def _contrasts(view: InformationView, parts: Parts[SummaryStudySpec], judge: str) -> None:
    said = summary_views.answer(parts, judge, view.drop.share)
    if said is None:
        return
    rows = "".join(
        f"<tr><th>{html.escape(one.against)}</th><td style='white-space: nowrap'>{_points(one.difference)}</td></tr>"
        for one in summary_views.contrasts(parts, judge)
        if one.percent == said.percent
    )
    head = f"<tr><th style='text-align: left'>With {said.percent} % gone, ahead of</th><th>points of accuracy</th></tr>"
    seeds = parts.spec.seeds
    pairs = f"Percentage points; in brackets the 95 % interval of the mean of {seeds} paired differences." if seeds > 1 else "One draw."
    st.html(f'<table class="atlas-facts atlas-columns">{head}{rows}</table><p class="atlas-quiet">{pairs}</p>')


def _points(difference: summary_views.Estimate) -> str:
    """A difference of accuracies in percentage points, with its interval where there is one."""
    mean, low, high = (words.signed(100 * value) for value in (difference.value, difference.low, difference.high))
    if np.isnan(difference.value):
        return "–"
    return mean if np.isnan(difference.low) else f"{mean} ({low} to {high})"


def _answer(result: InfluenceResult, view: InformationView, parts: Parts[SummaryStudySpec] | None) -> None:
    n, percent = len(result.labels), view.drop.share
    if parts is None or percent == 0:
        kept = n - min(round(percent / 100 * n), n - 1)
        st.html(
            f'<p class="atlas-fact">The list keeps <b>{kept:,} of {n:,}</b> images: what is least informative goes first, '
            f"scored anew after every {words.number(view.drop.step)} %.</p>"
        )
        return
    judge = _judge(view, parts)
    said = summary_views.answer(parts, judge, percent)
    if said is None:
        text = "Dropping so many of the least informative leaves a class without any image: drop fewer."
    else:
        most = f"Up to {said.most} % can go" if said.most else f"Not even {said.first} % can go"
        verdict = (
            f"{said.percent} % of the images can go" if said.most >= said.percent else f"Dropping {said.percent} % of the images costs"
        )
        whose = "" if judge == "kernel" else " of the network trained anew"
        text = (
            f"<b>{verdict}</b>: test accuracy{whose} {_share(said.own)} instead of {_share(said.whole)}, against {_share(said.random)} "
            f"when as many are dropped at random and {_share(said.top)} when the most informative go. {most} for at most "
            f"{words.number(100 * summary_views.TOLERATED)} percentage points."
        )
    st.html(f'<p class="atlas-fact">{text}</p>')


def _share(mean: summary_views.Estimate) -> str:
    return "–" if np.isnan(mean.value) else f"{100 * mean.value:.1f} %"


def _list(result: InfluenceResult, view: InformationView) -> summary_list.Keep:
    """The list to keep: how many of each class, and its exports."""
    st.subheader("The list to keep", anchor=False)
    with waiting("The order in which images go") as tell:
        order = summary_list.whole_order(result, view.ridge, views.time_of(view), view.drop.step, workspace(), tell)
    found = summary_list.keep_list(result, order, view.drop.share)
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{stays:,}</td><td>{goes:,}</td></tr>"
        for name, (stays, goes) in zip(result.class_names, found.counts, strict=True)
    )
    head = "<tr><th style='text-align: left'>Class</th><th>Stays</th><th>Goes</th></tr>"
    with st.container(height=300 if len(result.class_names) > _TALL else "content", border=False):
        st.html(f'<table class="atlas-facts atlas-columns">{head}{rows}</table>')
    if not found.counts[found.counts.sum(1) > 0, 0].all():
        st.warning("A class keeps no image at all: drop fewer.", icon=":material/warning:")
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Keep-list (CSV)",
            lambda: summary_list.keep_table(result, found, view.drop.step).to_csv(index=False),
            "keep.csv",
            "text/csv",
            icon=":material/download:",
            key="drop_csv",
            on_click="ignore",
            help="All images: image, id, label, keep (1 or 0), and the step at which it goes; empty where it stays to the last.",
        )
        st.button(
            f"Put the {len(found.gone):,} that go in the basket",
            icon=":material/shopping_basket:",
            key="drop_basket",
            disabled=not len(found.gone),
            on_click=lambda: LINK.look(basket=tuple(sorted(int(i) for i in found.gone)), elsewhere=True),
        )
    return found


def _gallery(result: InfluenceResult, view: InformationView, found: summary_list.Keep, choice: links.Choice) -> None:
    names = {"goes": f"{len(found.gone):,} that go, the first to go first", "stays": f"{len(found.kept):,} that stay, the next to go first"}
    st.segmented_control(
        "Images shown",
        list(names),
        format_func=names.__getitem__,
        required=True,
        **_VIEW.default("show"),
        label_visibility="collapsed",
    )
    values, _ = _known(result, view)
    images = found.gone if view.drop.show == "goes" else found.kept
    gallery(
        [_card(result, int(image), found, values) for image in images[:_PAGE]],
        base=media.thumbnail_base(result.pack),
        key=_GALLERY,
        revision=choice.revision,
        current=marked(),
        on_open=lambda: inspect_opened(_GALLERY),
        opens="look closely",
        empty="No image goes: drop more.",
        height=430,
        cell=96,
    )
    if len(images) > _PAGE:
        st.caption(f"The first {_PAGE:,} of {len(images):,}; all are in the CSV.")
    else:
        st.caption("Below each image: its turn to go, and its unique information among all images, in nats.")


def _card(result: InfluenceResult, image: int, found: summary_list.Keep, values: np.ndarray) -> Card:
    name, turn = result.class_names[result.labels[image]], int(found.turn[image])
    flipped = result.labels[image] != result.true_labels[image]
    when = f"{turn:,}." if turn else "last"
    title = (
        f"Training image {image}, {result.ids[image]}: label {name}"
        + (f" (flipped; truly {result.class_names[result.true_labels[image]]})" if flipped else "")
        + (f". Number {turn:,} to go." if turn else ". It stays to the last.")
        + f" Unique information among all images {values[image]:.6g} nats."
    )
    return Card(image, name + (" ⚑" if flipped else ""), "", when, words.number(float(values[image])), False, title)
