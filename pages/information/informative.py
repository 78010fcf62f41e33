"""What is informative? The images that tell the network most and least, what they have in common, and how that changes in training."""

import html

import numpy as np
import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information import views
from ntkcore.analyses.information.answer import answer, doubted, leading, loss_answer, residual_answer
from ntkcore.analyses.numbers.filters import orders
from ntkcore.analyses.numbers.known import Known
from ntkcore.figures.information import informative as figures
from ntkcore.specs.information import MEASURES, SAME, SCORES, InformationView, Score
from pages.information.choice import CHARTS, LINK, Chosen, brushed, clear_selection, inspect, inspect_clicked, marked, pick
from pages.information.inspector import inspect_image
from pages.information.ranked import ranked, show_filters
from pages.shared import basket as baskets
from pages.shared import frame, media, tables, words
from pages.shared.alike import like_line, likes
from pages.shared.brushes import filter_switch
from pages.shared.charts import chart, forget_selection, selected
from pages.shared.controls import Controls
from pages.shared.downloads import csv_download
from pages.shared.gallery import Card, Opens, Ticked, gallery
from pages.shared.seek import seeker
from pages.shared.tagging import tagging
from pages.shared.ticks import Ticks
from pages.shared.waiting import waiting

_VIEW, _ORDER = Controls("information.view", LINK), Controls("information.order", LINK)
_PAGE = 2000  # cards sent at once
_LINES = 6  # images followed through training
_RANKED: dict[Score, str] = {
    "held-out": "unique information F-SI",
    "residual": "leave-one-out residual",
    "training": "training information",
    "loss": "training loss’s change",
}
_ENDS = {"most": "Most informative", "least": "Least informative"}
_ORDERS = ("most informative first", "least informative first")
_OFF = {"most": "Furthest off their label, unseen", "least": "Nearest to it"}  # ends of the ranking by the residual
TICKS = Ticks("information_gallery")


def show(look: views.InformationLook, choice: Chosen) -> None:
    """The whole answer."""
    result, view = look.result, choice.view
    with st.spinner(words.spoken("Unique information of every image …"), show_time=False):
        values, found = views.scores(look), views.judged(look)
    _VIEW.seed(
        result.key,
        "show",
        "every",
        "score",
        "averaged",
        "descent",
        only=[name for name in view.only if name in result.class_names],
        against=views.held_against(look, view.against),
    )
    if look.score == "loss":
        tables.fact(words.as_html(" ".join(loss_answer(values))))
    elif look.score == "residual":
        taken = views.taken_unseen(look)
        tables.fact(
            words.as_html(
                " ".join(residual_answer(values, taken, result.labels)), f"{doubted(taken, result.labels)} of {len(taken):,} images"
            )
        )
    else:
        share = leading(views.summary(values, found, result.labels).leading)
        tables.fact(words.as_html(" ".join(answer(values, found, result.labels)), share))
    inspect_image(look, view)  # before what is below the fold: a link's inspector does not wait for it
    _controls(look, view)
    _galleries(look, choice)
    _charts(look, view)
    _training(look, view)


def _controls(look: views.InformationLook, view: InformationView) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="information_controls"):
        _VIEW.control(
            "every",
            st.segmented_control,
            "Images",
            options=[False, True],
            format_func={False: f"{views.SHOWN} at each end", True: "All, ranked"}.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
        _VIEW.control(
            "score",
            st.selectbox,
            "Ranked by",
            options=list(_RANKED),
            format_func=lambda score: f"by {_RANKED[score]}",
            label_visibility="collapsed",
            width=235,
            help="What leaving the image out changes: the held-out outputs (F-SI), the training outputs or the training loss. Or how far "
            "off its label the network is that has not seen it, which found most wrong labels among photographs.",
        )
        if (view.every or view.picked) and view.like is None:
            _order(look, view)
        only = _VIEW["only"]
        summary = ", ".join(only) if 0 < len(only) <= 3 else f"{len(only)} classes" if only else "All classes"
        with st.popover(summary, key="information_classes"):
            _VIEW.control("only", st.multiselect, "Classes shown", options=look.result.class_names, placeholder="all")
        if view.picked:
            st.button(f"{len(view.picked):,} selected: show all again", icon=":material/close:", type="tertiary", on_click=clear_selection)
        _how(look, view)
        _export(look, view)
        filtering = filter_switch(LINK)
    show_filters(look, filtering)


def _order(look: views.InformationLook, view: InformationView) -> None:
    ends = ("largest residual first", "smallest residual first") if look.score == "residual" else _ORDERS
    names = dict(zip(("most", "least"), ends, strict=True)) | orders(Known.of(look).titles)
    chosen = view.by if view.by in names else view.show
    _ORDER.seed((look.result.key, tuple(names.items())), order=chosen)  # made anew where its words change: a browser tells these
    st.selectbox(
        "Order",
        list(names),
        format_func=names.__getitem__,
        label_visibility="collapsed",
        width=220,
        **_ORDER.fields.index("order", list(names)),
        on_change=_ordered,
    )


def _ordered() -> None:
    chosen = _ORDER["order"]
    LINK.look(**({"show": chosen, "by": ""} if chosen in ("most", "least") else {"by": chosen}))


def _how(look: views.InformationLook, view: InformationView) -> None:
    """How training goes, and what a removal keeps."""
    said = [*(["in steps"] if view.descent else []), *(["averaged loss"] if view.averaged else [])]
    with st.popover(f"Training: {', '.join(said)}" if said else "Training", icon=":material/tune:", key="information_how"):
        st.toggle(
            "Train in discrete steps",
            value=view.descent is not None,
            key=f"information_steps_{view.descent is not None}",
            on_change=_turn,
            args=(None if view.descent is not None else views.stable_rate(look.result, view.ridge),),
            help="Gradient descent of a rate on the summed loss, instead of gradient flow; the slider then counts steps.",
        )
        if view.descent is not None:
            _VIEW.control("descent", st.number_input, "Rate η", 1e-12, 1e6, format="%g")
        _VIEW.control(
            "averaged",
            st.toggle,
            "A removal keeps the averaged loss’s rate",
            help="As in the authors’ code: without an image the others weigh n/(n − 1) times as much, τ n/(n − 1) and λ (n − 1)/n here. "
            "The paper’s loss is a sum.",
        )


def _turn(rate: float | None) -> None:
    """Begin or end training in steps; the moment is that of the other axis."""
    LINK.look(descent=rate, time=None, elsewhere=True)


def _export(look: views.InformationLook, view: InformationView) -> None:
    basket = [image for image in view.basket if image < len(look.result.labels)]
    with st.popover(f"Basket: {len(basket):,}", icon=":material/shopping_basket:", key="information_basket"):
        if basket:
            csv_download(
                "CSV",
                lambda: (found := views.table(look))[found["image"].isin(basket)],
                file="basket",
                key="information_basket_csv",
                quiet=False,
            )
            st.button("Empty the basket", key="information_empty", on_click=lambda: LINK.look(basket=(), elsewhere=True))
            baskets.carrying(LINK)
        else:
            st.caption(words.spoken(baskets.EMPTY))
    csv_download("All scores (CSV)", lambda: views.table(look), file="information", key="information_csv")


def _galleries(look: views.InformationLook, choice: Chosen) -> None:
    result, view, values = look.result, choice.view, views.scores(look)
    flipped = " · ⚑ label flipped" if (result.labels != result.true_labels).any() else ""
    st.html(
        f'<p class="atlas-quiet">below each: its {html.escape(SCORES[look.score])}, and its percentile P · <b>→</b> the class the network '
        f"takes it for, where that is not its label{flipped}</p>"
    )
    percentile, found = views.percentiles(values), views.judged(look)

    def cards(images: np.ndarray) -> list[Card]:
        return [_card(result, int(image), values, percentile, found) for image in images]

    if like_line(LINK, result.pack) or view.every or view.picked:
        shown = ranked(look, view, values)
        _gallery(result, cards(shown[:_PAGE]), "information_gallery", choice, height=430)
        if len(shown) > _PAGE:
            st.caption(f"The first {_PAGE:,} of {len(shown):,}; all are in the CSV.")
        return
    left, right = st.columns(2, gap="large")
    for column, (end, title) in zip((left, right), (_OFF if look.score == "residual" else _ENDS).items(), strict=True):
        with column:
            st.subheader(title, anchor=False)
            shown = ranked(look, view, values, end=end)
            _gallery(result, cards(shown[: views.SHOWN]), f"information_{end}", choice, ticks=False)


def _gallery(result: InfluenceResult, cards: list[Card], key: str, choice: Chosen, *, height: int = 0, ticks: bool = True) -> None:
    gallery(
        cards,
        base=media.thumbnail_base(result.pack),
        key=key,
        ticked=Ticked(TICKS.began((result.key, choice.revision), choice.view.basket), _ticked) if ticks else None,
        revision=choice.revision,
        current=marked(),
        opens=Opens(inspect, "look closely"),
        likes=likes(LINK),
        tags=tagging(result.spec.dataset, result.pack, choice.view.picked),
        undo=_undo,
        seek=seeker(result.ids, inspect) if key != "information_least" else None,
        empty="No image is so here. Choose other classes, or show all.",
        height=height,
        cell=86,
    )


def _undo() -> None:
    forget_selection(*CHARTS)
    LINK.undo()


def _ticked() -> None:
    ticked = TICKS.told(LINK.current().revision)
    if ticked is not None:
        LINK.look(basket=ticked)


def _card(result: InfluenceResult, image: int, values: np.ndarray, percentile: np.ndarray, found: views.Judged) -> Card:
    """A training image in a gallery of this page."""
    name, true, predicted = (result.class_names[of[image]] for of in (result.labels, result.true_labels, found.predicted))
    title = (
        f"Training {media.noun(result.pack)} {image}, {result.ids[image]}: label {words.labelled(name, true)}, taken for {predicted}. "
        f"Value {words.number(float(values[image]), 6)}, percentile {percentile[image]:.1f}."
    )
    corner, value = "" if predicted == name else f"→ {predicted}", words.number(float(values[image]))
    return Card(image, name + ("" if name == true else " ⚑"), corner, value, f"P {percentile[image]:.0f}", predicted != name, title)


def _charts(look: views.InformationLook, view: InformationView) -> None:
    mode, result, values = frame.mode(), look.result, views.scores(look)
    left, right = st.columns(2, gap="large")
    none = int((values <= 0).sum())
    with left:
        chart(
            "How it is distributed",
            figures.information_histogram(values, result.labels, result.class_names, marked(), mode, what=SCORES[look.score]),
            key="information_histogram",
            table=lambda: views.table(look),
            note="Drag across bars to see just those images above." + (f" {none:,} images of 0 or less are not drawn." if none else ""),
            on_select=lambda: _bars(values),
            selection_mode="box",
        )
    with right:
        with st.spinner("The other measure …", show_time=False):
            against = views.held_against(look, view.against)
            other = views.measured(look, against)
        rho = views.spearman(values, other)
        agreed = f" Spearman’s ρ = <b>{words.signed(rho)}</b>." if np.isfinite(rho) else ""
        chart(
            "Against what else is known",
            figures.against_figure(
                values,
                other,
                MEASURES[against],
                result.labels,
                result.class_names,
                view.picked,
                mode,
                log=against in figures.LOGARITHMIC,
                score=SCORES[look.score],
            ),
            key="information_against",
            table=lambda: views.table(look),
            note=f"Lasso some images to see them above.{agreed}",
            controls=lambda: _against(look.score),
            on_select=lambda: brushed("information_against"),
            selection_mode=("lasso", "box", "points"),
        )


def _against(score: Score) -> None:
    _VIEW.control(
        "against",
        st.selectbox,
        "Held against",
        options=[measure for measure in MEASURES if measure != SAME.get(score)],
        format_func=MEASURES.__getitem__,
        label_visibility="collapsed",
        width=260,
    )


def _bars(values: np.ndarray) -> None:
    ranges = [box["x"] for box in selected("information_histogram").get("box") or []]
    inside = np.zeros(len(values), dtype=bool)
    for low, high in ranges:
        inside |= (values >= min(low, high)) & (values <= max(low, high))
    pick(tuple(np.flatnonzero(inside).tolist()), "information_histogram")


def _training(look: views.InformationLook, view: InformationView) -> None:
    st.header("Through training", anchor=False)
    mode = frame.mode()
    with waiting("Every image at twelve training times") as tell:
        over = views.through_training(look, progress=tell)
    result, steps = look.result, look.descent is not None
    images = [int(i) for i in np.argsort(-views.scores(look), kind="stable")[:_LINES]]
    names = [f"{image}: {result.class_names[result.labels[image]]}" for image in images]
    left, right = st.columns(2, gap="large")
    with left:
        chart(
            "Those of the largest residual" if look.score == "residual" else "The most informative images",
            figures.course_figure(over, images, names, view.time, mode, score=SCORES[look.score], steps=steps),
            key="information_course",
            table=lambda: views.course_table(result, over),
            note="Those of the moment shown. Click a line to look at its image closely.",
            on_select=lambda: inspect_clicked("information_course"),
            selection_mode="points",
        )
    with right:
        moment = f"{view.time:,.0f} steps" if steps and view.time else f"τ = {words.number(view.time)}"
        when = "the end of training" if view.time is None else html.escape(moment)
        chart(
            "Does the ranking stay?",
            figures.agreement_figure(over, view.time, mode, steps=steps),
            key="information_agreement",
            table=lambda: views.agreement_table(over),
            note=f"1: images rank there as they do at {when}. What is informative early need not be so late.",
        )
