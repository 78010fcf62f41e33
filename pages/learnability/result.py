"""A learnability result: the gallery first, then the evidence, then the explanation."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from ntkcore.analyses.confusion import Confusion
from ntkcore.analyses.csv_text import csv_of
from ntkcore.analyses.learnability import alike, views
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.learnability.answer import STRONG
from ntkcore.analyses.learnability.explain import explainer
from ntkcore.analyses.learnability.look import Look
from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.analyses.materials.thumbnails import thumbnails, with_texts
from ntkcore.analyses.numbers import filters
from ntkcore.analyses.numbers.columns import columns_of
from ntkcore.analyses.numbers.known import Known
from ntkcore.analyses.numbers.stored import stored_beside
from ntkcore.analyses.numbers.tagged import Tagged
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.specs.filters import chosen_words
from ntkcore.specs.learnability import LearnabilityView
from pages.learnability.choice import LINK
from pages.learnability.evidence import clear_selection, evidence
from pages.learnability.inspector import inspect
from pages.shared import basket as baskets
from pages.shared import choice as links
from pages.shared import frame, media, words
from pages.shared.alike import like_line, likes
from pages.shared.brushes import filter_rows, filter_switch
from pages.shared.charts import forget_selection
from pages.shared.confusion import cell_line, show_confusion
from pages.shared.controls import Controls
from pages.shared.doctor import show_doctor
from pages.shared.downloads import download
from pages.shared.explain import explain
from pages.shared.gallery import Card, Opens, Ticked, gallery
from pages.shared.seek import seeker
from pages.shared.tagging import tagging
from pages.shared.ticks import Ticks

_VIEW = Controls("learnability.view", LINK)
_MARKED = "learnability.marked"
_TICKS = Ticks("gallery")
_GALLERIES = {"hard": "Hardest", "easy": "Easiest", "all": "All, ranked"}
_ORDERS = {
    "score": "ranked by k(x,x)",
    "score-down": "ranked, reversed",
    "learned": "learned first",
    "learned-down": "learned last",
    "error": "smallest final error first",
    "error-down": "largest final error first",
}
_JUDGED = {"any": "all", "correct": "classified correctly", "wrong": "misclassified", "flipped": "label flipped"}
_UNEXAMINED = "The whole kernel was not computed, so it was not examined: the coupled dynamics, under “Kernel” above, need it."
_RIDGE = 1e-2  # λ of the numbers that have one, which this page has not
_ALL: dict[str, Any] = {"only": (), "judged": "any", "low": 0.0, "high": 100.0, "picked": (), "page": 1}
"""Of a view: nothing is left out."""
_PAGE = 5000  # cards sent at once


def show_result(result: LearnabilityResult) -> None:
    """The whole result."""
    _TICKS.forget()
    _explore(result)
    explain(explainer(result))


def _headline(look: Look) -> None:
    """The answer, what it rests on, and what opens: the kernel's doctor, the remarks."""
    result = look.result
    order, reached = LEARNABILITY.answer(result, look.view, workspace())
    strong = words.as_html(order, words.signed(result.correlation.rho), *STRONG)
    facts = (
        html.escape(words.spoken(reached.removesuffix("."))),
        f"{result.parameters:,} parameters",
        f"computed {words.when(result.created)} on {html.escape(words.place(result.device))} in {words.duration(result.seconds)}",
    )
    st.html(f'<p class="atlas-fact">{strong}</p><p class="atlas-quiet">{" · ".join(facts)}</p>')
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        show_doctor(result.doctor, key="kernel", without=_UNEXAMINED, pack=result.pack)
        frame.remarks(result.warnings)


@st.fragment(key="explore")
@frame.telling
def _explore(result: LearnabilityResult) -> None:
    look = _look(result)
    _headline(look)
    frame.show_absent(views.missing_from(result, look.view))
    only = [name for name in look.view.only if name in result.class_names]
    order = look.view.by if look.view.by in _orders(_known(result)) else look.view.order
    _VIEW.seed(result.key, "gallery", "judged", "hard", "easy", order=order, only=only, range=(look.view.low, look.view.high))
    if look.view.image is not None and look.view.image < len(result.score):
        inspect(look)  # before what is below the fold: a link's inspector does not wait for it
    _controls(look)
    _gallery(look)
    evidence(look)


def _known(result: LearnabilityResult) -> Known:
    ws = workspace()
    columns, tags = columns_of(result.spec.dataset, result.ids, ws), Tagged(result.pack, result.spec.dataset, ws)
    return Known(stored_beside(result.spec, ws), _RIDGE, ws, columns, tags)


def _look(result: LearnabilityResult) -> Look:
    """The look of the view: its order and filters by any number that is known, those most like an image first where that is asked for."""
    view, known, n = LINK.current().view, _known(result), len(result.score)
    try:
        passing = filters.within(view, known, n)
        if view.like is None or view.like >= n:
            return Look(result, view, filters.order_by(view.by, known.titles, known.number), passing)
        if alike.known(result, workspace()):
            return Look(result, view, alike.alike_first(result, view.like, workspace()), passing)
    except AtlasError as error:
        frame.show_notice(error)
        return Look(result, view)
    st.caption(words.spoken("Only k(x,x) of these images is stored, so which are alike is not known. Compute the full kernel."))
    return Look(result, view.model_copy(update={"like": None}), None, passing)


def _other_gallery() -> None:
    """Another gallery begins without what a brush or a lasso left out."""
    view = LINK.current().view
    filtered = bool(view.picked) or (view.low, view.high) != (0.0, 100.0)
    if filtered:
        forget_selection("histogram", "learned")
    LINK.look(gallery=_VIEW["gallery"], low=0.0, high=100.0, picked=(), page=1, elsewhere=filtered)


def _ranged() -> None:
    low, high = _VIEW["range"]
    LINK.look(low=low, high=high)


def _orders(known: Known) -> dict[str, str]:
    """What the gallery can be sorted by: besides the page's own orders, any other number that is known of the images."""
    others = {name: title for name, title in known.titles.items() if name not in ("k-xx", "learned")}
    return _ORDERS | filters.orders(others)


def _ordered() -> None:
    chosen = _VIEW["order"]
    LINK.look(**({"order": chosen, "by": ""} if chosen in _ORDERS else {"by": chosen}))


def _controls(look: Look) -> None:
    known = _known(look.result)
    orders = _orders(known)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="view_controls"):
        _VIEW.control(
            "gallery",
            st.segmented_control,
            "Gallery",
            options=list(_GALLERIES),
            format_func=_GALLERIES.__getitem__,
            required=True,
            label_visibility="collapsed",
            **_VIEW.fields.then("gallery", _other_gallery),
        )
        _VIEW.control(
            "order",
            st.selectbox,
            "Order",
            options=list(orders),
            format_func=orders.__getitem__,
            label_visibility="collapsed",
            width=205,
            on_change=_ordered,
            args=(),
        )
        with st.popover(_filter_summary(look.view), icon=":material/filter_alt:", key="filters"):
            _filters(look)
            filtering = filter_switch(LINK, "Histograms of all numbers")
        with st.popover("Groups", icon=":material/tune:", key="groups"):
            for name, label in (("hard", "Hard: lowest k(x,x)"), ("easy", "Easy: highest k(x,x)")):
                _VIEW.control(name, st.slider, label, 0.0, 50.0, step=1.0, format="%g %%")
            st.caption("The paper takes 10 % and 10 %; the rest is the medium group.")
        _basket(look)
        with st.popover("Export", icon=":material/download:", key="export"):
            whole = words.spoken(f"Whole ranking, {len(look.hardest_first):,} images (CSV)")
            _download(whole, "ranking.csv", "export_ranking", lambda: _csv(look, look.hardest_first))
            shown = words.spoken(f"Images shown, {len(look.shown):,}")
            _download(f"{shown} (zip)", "shown.zip", "export_zip", lambda: views.images_zip(look, look.shown, workspace()))
            _download(f"{shown} (CSV)", "shown.csv", "export_shown", lambda: _csv(look, look.shown))
    filter_rows(LINK, filtering, known, lambda: forget_selection("histogram", "learned"))


def _filters(look: Look) -> None:
    result = look.result
    _VIEW.control("only", st.multiselect, "Classes", options=result.class_names, placeholder="all classes")
    judged = list(_JUDGED) if (result.labels != result.true_labels).any() else ["any", "correct", "wrong"]
    if _VIEW["judged"] not in judged:
        judged.append(_VIEW["judged"])
    _VIEW.control("judged", st.selectbox, "After training", options=judged, format_func=_JUDGED.__getitem__)
    _VIEW.control("range", st.slider, "Percentile of k(x,x)", 0.0, 100.0, step=0.1, format="%.1f", on_change=_ranged, args=())
    if look.view.picked:
        st.button(words.spoken(f"Clear the selection of {len(look.view.picked)} images"), on_click=clear_selection)
    st.button("Show all", on_click=_clear_filters)


def _download(label: str, file: str, key: str, made: Callable[[], str | bytes]) -> None:
    """A button for a file that is made when it is pressed."""
    kind = "application/zip" if file.endswith(".zip") else "text/csv"
    download(label, made, file, kind, key=key)


def _csv(look: Look, images: Sequence[int] | np.ndarray) -> str:
    return csv_of(with_texts(views.table(look, images), look.result.pack, workspace()))


def _basket(look: Look) -> None:
    ticked = [image for image in look.view.basket if image < len(look.result.score)]
    with st.popover(f"Basket: {len(ticked)}", icon=":material/shopping_basket:", key="basket"):
        if not ticked:
            st.caption(words.spoken(baskets.EMPTY))
            return
        ws = workspace()
        _download("CSV", "basket.csv", "basket_csv", lambda: _csv(look, ticked))
        _download("Images (zip)", "basket.zip", "basket_zip", lambda: views.images_zip(look, ticked, ws))
        st.button("Empty the basket", on_click=lambda: LINK.look(basket=(), elsewhere=True), key="basket_empty")
        baskets.carrying(LINK)


def _filter_summary(view: LearnabilityView) -> str:
    active = (
        len(view.filters)
        + len(chosen_words(view.among))
        + sum([bool(view.only), view.judged != "any", (view.low, view.high) != (0.0, 100.0), bool(view.picked)])
    )
    return f"Filters: {active}" if active else "Filters"


def _clear_filters() -> None:
    clear_selection()
    LINK.look(only=(), judged="any", filters=(), among=(), cell=None, page=1, elsewhere=True)


def _gallery(look: Look) -> None:
    choice, result, shown = LINK.current(), look.result, look.shown
    like_line(LINK, result.pack)
    cell_line(LINK, result.class_names)
    pages = max(-(-len(shown) // _PAGE), 1)
    page = min(choice.view.page, pages)
    st.html(
        words.spoken(f'<p class="atlas-quiet"><b>{len(shown):,}</b> of {len(result.score):,} images · ')
        + "below each: k(x,x), and its percentile P (0 = hardest) · <b>→</b> predicted class, where wrong"
        + (" · ⚑ label flipped" if (result.labels != result.true_labels).any() else "")
        + "</p>"
    )
    if pages > 1:
        st.session_state["gallery_page"] = page
        st.pagination(pages, key="gallery_page", on_change=lambda: LINK.look(page=st.session_state["gallery_page"]))
    decimals = views.score_decimals(result)
    cards = [_card(look, int(i), decimals) for i in shown[(page - 1) * _PAGE : page * _PAGE]]
    thumbnails(result.pack, result.spec.dataset, workspace())  # encoded again here if the stored ones are gone
    gallery(
        cards,
        base=media.thumbnail_base(result.pack),
        key="gallery",
        ticked=Ticked(_TICKS.began((result.key, choice.revision), choice.view.basket), _ticked),
        revision=choice.revision,
        current=_current(choice),
        opens=Opens(_open),
        seek=seeker(result.ids, _open),
        tags=tagging(result.spec.dataset, result.pack, look.view.picked),
        likes=likes(LINK) if alike.known(result, workspace()) else None,
        undo=_undo,
        empty="No image passes these filters. Widen them, or choose “Show all” in Filters.",
        height=430,
    )
    show_confusion(
        LINK,
        lambda: Confusion.of(result.labels, look.outcome.predicted, result.class_names, look.view.cell),
        title="What the trained network takes images for",
        noun=media.noun(result.pack),
        **_ALL,
    )


def _open(image: int) -> None:
    LINK.look(image=image, marked=image)


def _undo() -> None:
    forget_selection("histogram", "learned")
    LINK.undo()


def _current(choice: links.Choice) -> int | None:
    """The image marked in the gallery; follows the inspector only once that is closed, so that browsing there resends nothing."""
    if choice.view.image is None:
        st.session_state[_MARKED] = choice.view.marked
    return st.session_state.get(_MARKED)


def _card(look: Look, image: int, decimals: int) -> Card:
    result, outcome = look.result, look.outcome
    names, label, truly = result.class_names, result.labels[image], result.true_labels[image]
    learned, predicted = result.learned[image], names[outcome.predicted[image]]
    wrong = not outcome.correct[image]
    title = (
        f"{media.noun(result.pack).capitalize()} {image}, {result.ids[image]}: label {words.labelled(names[label], names[truly])}, "
        f"predicted {predicted}. "
        f"k(x,x) = {result.score[image]:.6g}, percentile {outcome.percentile[image]:.1f}; "
        + ("not learned." if np.isinf(learned) else f"learned at epoch {learned:.0f}.")
    )
    return Card(
        id=image,
        name=names[label] + (" ⚑" if label != truly else ""),
        corner=f"→ {predicted}" if wrong else "",
        left=f"{result.score[image]:.{decimals}f}",
        right=f"P {outcome.percentile[image]:.1f}",
        wrong=wrong,
        title=title,
    )


def _ticked() -> None:
    ticked = _TICKS.told(LINK.current().revision)
    if ticked is not None:
        LINK.look(basket=ticked)
