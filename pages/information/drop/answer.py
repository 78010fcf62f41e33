"""What can I drop? What dropping images costs on test images, and the list to keep (Unique-info §6 Fig. 2c, A.4 Fig. 7b)."""

import html

import numpy as np
import streamlit as st

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information import views as information
from ntkcore.analyses.information.drop import answer as said
from ntkcore.analyses.information.drop import keep, views
from ntkcore.analyses.information.drop.study import DRAWS, SUMMARY
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.figures.information.drop import summary_figure
from ntkcore.specs import title_of
from ntkcore.specs.information import InformationView
from ntkcore.specs.summary import LARGEST_DROP, SummaryStudySpec
from pages.information.choice import LINK, Chosen, inspect, marked
from pages.information.drop import settings
from pages.information.inspector import inspect_image
from pages.shared import frame, media, tables, words
from pages.shared.charts import chart
from pages.shared.downloads import csv_download
from pages.shared.gallery import Card, Opens, gallery
from pages.shared.standing import Offer, made, standing
from pages.shared.tagging import tagging
from pages.shared.waiting import waiting

_VIEW = settings.VIEW
_PAGE = 2000  # cards sent at once
_TALL = 8  # classes above which their table scrolls
_GALLERY = "information_drop_gallery"


def show(look: Look, choice: Chosen) -> None:
    """The whole answer."""
    result, view = look.result, settings.read(look.result, choice)
    answer = st.container(key="drop_answer")
    st.slider(
        words.spoken("Training images dropped, the least informative first (%)"),
        0,
        LARGEST_DROP,
        **_VIEW.value("share"),
        help="Marks the curves and decides the list to keep.",
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        pieces = _study(result, view)
    with answer:
        _answer(result, view, pieces)
    inspect_image(look, view)
    with right:
        if pieces is not None and view.drop.share:
            _contrasts(view, pieces)
        found = _list(look, view)
    _gallery(look, view, found, choice)


def _study(result: InfluenceResult, view: InformationView) -> Pieces[SummaryStudySpec] | None:
    """The study's chart, its job, or what it would take."""
    settings.show(view)
    try:
        spec = SUMMARY.asked(result.spec, view, workspace())
        network = "" if spec.model is None else f" and a network trained anew ({title_of(spec.model.architecture)})"
        fewer = words.fewer(spec.seeds, DRAWS[0] if view.drop.seeds is None else None)
        said = (
            f"Accuracy on {spec.test:,} other images after dropping up to {spec.points[-1]} % in four orders, "
            f"in {spec.seeds} draw{'s' if spec.seeds > 1 else ''}{fewer}, of kernel regression{network}"
        )
        pieces = standing(
            SUMMARY,
            spec,
            offer=Offer(button="Measure what it costs", said=said, primary=True),
        )
    except AtlasError as error:
        (frame.show_error if settings.chosen(view) else frame.show_notice)(error)
        return None
    if pieces is not None:
        _chart(result, view, pieces)
    return pieces


def _chart(result: InfluenceResult, view: InformationView, pieces: Pieces[SummaryStudySpec]) -> None:
    judge = said.judge_of(pieces, view.drop)
    curves = views.curves(pieces, judge)
    lost = views.emptied(pieces)
    notes = [
        f"{pieces.spec.test:,} test images that no score has seen; bars: 95 % interval of the mean over {pieces.spec.seeds} draws."
        if pieces.spec.seeds > 1
        else f"{pieces.spec.test:,} test images that no score has seen. One draw, so no interval: choose more draws.",
        *(
            f"Dropping “{html.escape(views.STRATEGIES[way])}” leaves some class without any image from {percent} % on: "
            "its curve stops there."
            for way, percent in lost.items()
        ),
    ]
    if result.spec.training is not None and judge == "kernel":
        notes.append("This kernel was taken after training on all images, those dropped included: a network trained anew says more.")
    chart(
        "Test accuracy over the share dropped",
        summary_figure(curves, [views.placed(pieces, curve) for curve in curves], view.drop.share, frame.mode()),
        key="drop_curves",
        table=lambda: views.draws_table(pieces, judge),
        note=" ".join(notes),
        controls=(lambda: _judges(pieces)) if pieces.spec.model is not None else None,
    )
    made(pieces.created, pieces.device, pieces.seconds)


def _judges(pieces: Pieces[SummaryStudySpec]) -> None:
    assert pieces.spec.model is not None
    names = {"kernel": "Kernel regression", "network": f"{title_of(pieces.spec.model.architecture)}, trained anew"}
    st.segmented_control(
        "Trained on what is kept",
        list(names),
        format_func=names.__getitem__,
        required=True,
        **_VIEW.default("judge"),
        label_visibility="collapsed",
    )


def _contrasts(view: InformationView, pieces: Pieces[SummaryStudySpec]) -> None:
    judge = said.judge_of(pieces, view.drop)
    cost = views.cost(pieces, judge, view.drop.share)
    if cost is None:
        return
    seeds = pieces.spec.seeds
    tables.columns_table(
        (f"With {cost.percent} % gone, ahead of", "points of accuracy"),
        [(one.against, _points(one.difference)) for one in views.contrasts(pieces, judge) if one.percent == cost.percent],
        f"Percentage points; in brackets the 95 % interval of the mean of {seeds} paired differences." if seeds > 1 else "One draw.",
    )


def _points(difference: views.Estimate) -> str:
    """A difference of accuracies in percentage points, with its interval where there is one."""
    mean, low, high = (words.signed(100 * value) for value in (difference.value, difference.low, difference.high))
    if np.isnan(difference.value):
        return "–"
    return mean if np.isnan(difference.low) else f"{mean} ({low} to {high})"


def _answer(result: InfluenceResult, view: InformationView, pieces: Pieces[SummaryStudySpec] | None) -> None:
    drop, n = view.drop, len(result.labels)
    if pieces is None:
        text, strong = said.to_keep(n, drop), said.kept(n, drop)
    else:
        cost = views.cost(pieces, said.judge_of(pieces, drop), drop.share) if drop.share else None
        text, strong = " ".join(said.answer(pieces, drop)), said.kept(n, drop) if cost is None else said.verdict(cost)
    tables.fact(words.as_html(text, strong))


def _list(look: Look, view: InformationView) -> keep.Keep:
    """The list to keep: how many of each class, and its exports."""
    result = look.result
    st.subheader("The list to keep", anchor=False)
    with waiting("The order in which images go") as tell:
        order = keep.whole_order(look, view.drop.step, progress=tell)
    found = keep.keep_list(result, order, view.drop.share)
    rows = [(name, f"{stays:,}", f"{goes:,}") for name, (stays, goes) in zip(result.class_names, found.counts, strict=True)]
    with st.container(height=300 if len(result.class_names) > _TALL else "content", border=False):
        tables.columns_table(("Class", "Stays", "Goes"), rows)
    if not found.counts[found.counts.sum(1) > 0, 0].all():
        st.warning(words.spoken("A class keeps no image at all: drop fewer."), icon=":material/warning:")
    with st.container(horizontal=True, gap="small"):
        csv_download(
            "Keep-list (CSV)",
            lambda: with_texts(keep.keep_table(result, found, view.drop.step), result.pack, workspace()),
            file="keep",
            key="drop_csv",
            told="All images: image, id, label, keep (1 or 0), and the step at which it goes; empty where it stays to the last.",
            quiet=False,
        )
        st.button(
            f"Put the {len(found.gone):,} that go in the basket",
            icon=":material/shopping_basket:",
            key="drop_basket",
            disabled=not len(found.gone),
            on_click=lambda: LINK.look(basket=tuple(sorted(int(i) for i in found.gone)), elsewhere=True),
        )
    return found


def _gallery(look: Look, view: InformationView, found: keep.Keep, choice: Chosen) -> None:
    result, values = look.result, information.scores(look)
    names = {"goes": f"{len(found.gone):,} that go, the first to go first", "stays": f"{len(found.kept):,} that stay, the next to go first"}
    st.segmented_control(
        words.spoken("Images shown"),
        list(names),
        format_func=names.__getitem__,
        required=True,
        **_VIEW.default("show"),
        label_visibility="collapsed",
    )
    images = found.gone if view.drop.show == "goes" else found.kept
    gallery(
        [_card(result, int(image), found, values) for image in images[:_PAGE]],
        base=media.thumbnail_base(result.pack),
        key=_GALLERY,
        revision=choice.revision,
        current=marked(),
        opens=Opens(inspect, "look closely"),
        tags=tagging(result.spec.dataset, result.pack),
        empty="No image goes: drop more.",
        height=430,
        cell=96,
    )
    if len(images) > _PAGE:
        st.caption(f"The first {_PAGE:,} of {len(images):,}; all are in the CSV.")
    else:
        st.caption(words.spoken("Below each image: its turn to go, and its unique information among all images, in nats."))


def _card(result: InfluenceResult, image: int, found: keep.Keep, values: np.ndarray) -> Card:
    name, true = (result.class_names[of[image]] for of in (result.labels, result.true_labels))
    turn = int(found.turn[image])
    when = f"{turn:,}." if turn else "last"
    title = (
        f"Training {media.noun(result.pack)} {image}, {result.ids[image]}: label {words.labelled(name, true)}. "
        f"{f'Number {turn:,} to go' if turn else 'It stays to the last'}. Unique information among all images {values[image]:.6g} nats."
    )
    return Card(image, name + ("" if name == true else " ⚑"), "", when, words.number(float(values[image])), False, title)
