"""What is informative? The images that tell the network most and least, what they have in common, and how that changes in training."""

import html

import numpy as np
import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information import views
from ntkcore.analyses.workspace import workspace
from ntkcore.figures.information import informative as figures
from ntkcore.specs.information import MEASURES, InformationView
from pages.information.choice import LINK, brushed, clear_selection, inspect_clicked, inspect_opened, marked, pick
from pages.information.inspector import inspect_image
from pages.shared import choice as links
from pages.shared import frame, media, words
from pages.shared.charts import chart, selected
from pages.shared.fields import Fields
from pages.shared.gallery import Card, gallery
from pages.shared.ticks import Ticks
from pages.shared.waiting import waiting

_VIEW = Fields("information.view")
_PAGE = 2000  # cards sent at once
_LINES = 6  # images followed through training
_LOG = ("loss", "k_xx", "weights")  # measures that are positive: drawn on a logarithmic axis
TICKS = Ticks("information_gallery")


def show(result: InfluenceResult, view: InformationView, choice: links.Choice) -> None:
    """The whole answer."""
    ws = workspace()
    with st.spinner("Unique information of every image …", show_time=False):
        values = views.scores(result, view.ridge, views.time_of(view), ws)
        found = views.judged(result, view.ridge, views.time_of(view), ws)
    _VIEW.seed(
        (result.key, choice.revision),
        {"show": view.show, "every": view.every, "only": [n for n in view.only if n in result.class_names], "against": view.against},
    )
    _answer(values, found, result)
    _controls(result, view)
    _galleries(result, view, values, found, choice)
    _charts(result, view, values)
    _training(result, view, values)
    inspect_image(result, view, values, found)


def _answer(values: np.ndarray, found: views.Judged, result: InfluenceResult) -> None:
    said = views.summary(values, found, result.labels)
    if said.total == 0:
        text = "At this time no image tells the network anything of its own: nothing has been learned yet."
    else:
        many = (
            f"The most informative tenth of the images carries <b>{100 * said.leading:.0f} %</b> of all unique information. "
            f"The largest is {words.number(said.largest)} nats, the median {words.number(said.median)}."
        )
        network = (
            f" Of that tenth the network misclassifies {100 * said.wrong:.0f} %, of all {100 * said.wrong_all:.0f} %."
            if said.wrong_all > 0
            else " The network classifies all training images as they are labelled."
        )
        text = many + network
    st.html(f'<p class="atlas-fact">{text}</p>')


def _controls(result: InfluenceResult, view: InformationView) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="information_controls"):
        st.segmented_control(
            "Images",
            [False, True],
            format_func={False: f"{views.SHOWN} at each end", True: "All, ranked"}.__getitem__,
            required=True,
            **_VIEW.default("every"),
            label_visibility="collapsed",
            on_change=_changed,
            args=("every",),
        )
        if view.every or view.picked:
            orders = {"most": "most informative first", "least": "least informative first"}
            st.selectbox(
                "Order",
                list(orders),
                format_func=orders.__getitem__,
                **_VIEW.index("show", list(orders)),
                label_visibility="collapsed",
                on_change=_changed,
                args=("show",),
                width=220,
            )
        only = _VIEW["only"]
        summary = ", ".join(only) if 0 < len(only) <= 3 else f"{len(only)} classes" if only else "All classes"
        with st.popover(summary, key="information_classes"):
            st.multiselect(
                "Classes shown", result.class_names, **_VIEW.default("only"), placeholder="all", on_change=_changed, args=("only",)
            )
        if view.picked:
            st.button(f"{len(view.picked):,} selected: show all again", icon=":material/close:", type="tertiary", on_click=clear_selection)
        _export(result, view)


def _export(result: InfluenceResult, view: InformationView) -> None:
    ws = workspace()
    basket = [image for image in view.basket if image < len(result.labels)]
    with st.popover(f"Basket: {len(basket):,}", icon=":material/shopping_basket:", key="information_basket"):
        if basket:
            st.download_button(
                "CSV",
                lambda: (found := views.table(result, view, ws))[found["image"].isin(basket)].to_csv(index=False),
                "basket.csv",
                "text/csv",
                key="information_basket_csv",
                on_click="ignore",
            )
            st.button("Empty the basket", key="information_empty", on_click=lambda: LINK.look(basket=(), elsewhere=True))
        else:
            st.caption("Empty. Tick images in the gallery (or press space on one); the basket is part of the address.")
    st.download_button(
        "All scores (CSV)",
        lambda: views.table(result, view, ws).to_csv(index=False),
        "information.csv",
        "text/csv",
        icon=":material/download:",
        type="tertiary",
        key="information_csv",
        on_click="ignore",
    )


def _changed(name: str) -> None:
    value = _VIEW[name]
    LINK.look(**{name: tuple(value) if name == "only" else value})


def _galleries(result: InfluenceResult, view: InformationView, values: np.ndarray, found: views.Judged, choice: links.Choice) -> None:
    flipped = " · ⚑ label flipped" if (result.labels != result.true_labels).any() else ""
    st.html(
        '<p class="atlas-quiet">below each: its unique information in nats, and its percentile P · <b>→</b> the class the network takes '
        f"it for, where that is not its label{flipped}</p>"
    )
    percentile = views.percentiles(values)

    def cards(images: np.ndarray) -> list[Card]:
        return [card(result, int(image), values, percentile, found) for image in images]

    if view.every or view.picked:
        shown = views.ranking(result, view, values)
        _gallery(result, cards(shown[:_PAGE]), "information_gallery", choice, height=430)
        if len(shown) > _PAGE:
            st.caption(f"The first {_PAGE:,} of {len(shown):,}; all are in the CSV.")
        return
    left, right = st.columns(2, gap="large")
    for column, end, title in ((left, "most", "Most informative"), (right, "least", "Least informative")):
        with column:
            st.subheader(title, anchor=False)
            ranked = views.ranking(result, view.model_copy(update={"show": end}), values)
            _gallery(result, cards(ranked[: views.SHOWN]), f"information_{end}", choice, ticks=False)


def _gallery(result: InfluenceResult, cards: list[Card], key: str, choice: links.Choice, *, height: int = 0, ticks: bool = True) -> None:
    gallery(
        cards,
        base=media.thumbnail_base(result.pack),
        key=key,
        ticked=TICKS.began((result.key, choice.revision), choice.view.basket) if ticks else (),
        revision=choice.revision,
        current=marked(),
        on_tick=_ticked if ticks else None,
        on_open=lambda: inspect_opened(key),
        opens="look closely",
        empty="No image is so here. Choose other classes, or show all.",
        height=height,
        cell=86,
    )


def _ticked() -> None:
    ticked = TICKS.told(LINK.current().revision)
    if ticked is not None:
        LINK.look(basket=ticked)


def card(result: InfluenceResult, image: int, values: np.ndarray, percentile: np.ndarray, found: views.Judged) -> Card:
    """A training image in a gallery of this page."""
    name, predicted = result.class_names[result.labels[image]], result.class_names[found.predicted[image]]
    flipped, wrong = result.labels[image] != result.true_labels[image], found.predicted[image] != result.labels[image]
    title = (
        f"Training image {image}, {result.ids[image]}: label {name}"
        + (f" (flipped; truly {result.class_names[result.true_labels[image]]})" if flipped else "")
        + f", taken for {predicted}. Unique information {values[image]:.6g} nats, percentile {percentile[image]:.1f}."
    )
    corner = f"→ {predicted}" if wrong else ""
    value = words.number(float(values[image]))
    return Card(image, name + (" ⚑" if flipped else ""), corner, value, f"P {percentile[image]:.0f}", bool(wrong), title)


def _charts(result: InfluenceResult, view: InformationView, values: np.ndarray) -> None:
    mode, ws = frame.mode(), workspace()
    left, right = st.columns(2, gap="large")
    none = int((values <= 0).sum())
    with left:
        chart(
            "How it is distributed",
            figures.information_histogram(values, result.labels, result.class_names, marked(), mode),
            key="information_histogram",
            table=lambda: views.table(result, view, ws),
            note="Drag across bars to see just those images above." + (f" {none:,} images carry none and are not drawn." if none else ""),
            on_select=lambda: _bars(values),
            selection_mode="box",
            controls=None,
        )
    with right:
        with st.spinner("The other measure …", show_time=False):
            other = views.measured(result, view, view.against, ws)
        rho = views.spearman(values, other)
        agreed = f" Spearman’s ρ = <b>{words.signed(rho)}</b>." if np.isfinite(rho) else ""
        chart(
            "Against what else is known",
            figures.against_figure(
                values, other, MEASURES[view.against], result.labels, result.class_names, view.picked, mode, log=view.against in _LOG
            ),
            key="information_against",
            table=lambda: views.table(result, view, ws),
            note=f"Lasso some images to see them above.{agreed}",
            controls=_against,
            on_select=lambda: brushed("information_against"),
            selection_mode=("lasso", "box", "points"),
        )


def _against() -> None:
    st.selectbox(
        "Held against",
        list(MEASURES),
        format_func=MEASURES.__getitem__,
        **_VIEW.index("against", list(MEASURES)),
        label_visibility="collapsed",
        on_change=_changed,
        args=("against",),
        width=260,
    )


def _bars(values: np.ndarray) -> None:
    ranges = [box["x"] for box in selected("information_histogram").get("box") or []]
    inside = np.zeros(len(values), dtype=bool)
    for low, high in ranges:
        inside |= (values >= min(low, high)) & (values <= max(low, high))
    pick(tuple(np.flatnonzero(inside).tolist()), "information_histogram")


def _training(result: InfluenceResult, view: InformationView, values: np.ndarray) -> None:
    st.header("Through training", anchor=False)
    mode = frame.mode()
    with waiting("Every image at twelve training times") as tell:
        over = views.through_training(result, view, workspace(), tell)
    images = [int(i) for i in np.argsort(-values, kind="stable")[:_LINES]]
    names = [f"{image}: {result.class_names[result.labels[image]]}" for image in images]
    left, right = st.columns(2, gap="large")
    with left:
        chart(
            "The most informative images",
            figures.course_figure(over, images, names, view.time, mode),
            key="information_course",
            table=lambda: views.course_table(result, over),
            note="Those of the moment shown. Click a line to look at its image closely.",
            on_select=lambda: inspect_clicked("information_course"),
            selection_mode="points",
        )
    with right:
        when = "the end of training" if view.time is None else html.escape(f"τ = {words.number(view.time)}")
        chart(
            "Does the ranking stay?",
            figures.agreement_figure(over, view.time, mode),
            key="information_agreement",
            table=lambda: views.agreement_table(over),
            note=f"1: images rank there as they do at {when}. What is informative early need not be so late.",
        )
