"""A learnability result: the gallery first, then the evidence, then the explanation."""

import html

import numpy as np
import streamlit as st

from ntkcore.analyses.learnability import views
from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.analyses.workspace import workspace
from ntkcore.specs.learnability import LearnabilityView
from pages.learnability.choice import LINK
from pages.learnability.evidence import clear_selection, evidence
from pages.learnability.explain import explain_learnability
from pages.learnability.inspector import inspect
from pages.shared import choice as links
from pages.shared import frame, media, words
from pages.shared.charts import forget_selection
from pages.shared.doctor import show_doctor
from pages.shared.fields import Fields
from pages.shared.gallery import Card, gallery
from pages.shared.ticks import Ticks

_VIEW = Fields("learnability.view")
_MARKED = "learnability.marked"
_TICKS = Ticks("gallery")
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
_PAGE = 5000  # cards sent at once


def show_result(result: LearnabilityResult) -> None:
    """The whole result."""
    _TICKS.forget()
    _headline(result)
    _explore(result)
    explain_learnability(result)


def _headline(result: LearnabilityResult) -> None:
    st.html(f'<p class="atlas-fact">{_answer(result)}</p>')
    never = int(np.isinf(result.learned).sum())
    start = int((result.learned == 0).sum())
    device = "the CPU" if result.device == "cpu" else result.device
    facts = (
        f"{result.parameters:,} parameters",
        f"{start:,} images right from before training on",
        f"{never:,} not learned by epoch {len(result.outputs) - 1}",
        f"computed {words.when(result.created)} on {html.escape(device)} in {words.duration(result.seconds)}",
        *media.remark(result.pack),
    )
    st.html(f'<p class="atlas-quiet">{" · ".join(facts)}</p>')
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        show_doctor(result.doctor, key="kernel", without=_UNEXAMINED)
        frame.remarks(result.warnings)


def _answer(result: LearnabilityResult) -> str:
    rho = result.correlation
    epoch = result.spec.kernel_epoch
    if len(result.outputs) == 1:
        return "The network was not trained, so there is no order of learning to compare with: choose some epochs under Training."
    if not rho.defined:
        return f"Whether k(x,x) predicted the order of learning cannot be said here: {html.escape(rho.reason)}"
    figures_ = (
        f"Spearman ρ = <b>{words.signed(rho.rho)}</b>, {100 * rho.level:.0f} % interval {words.signed(rho.low)} to {words.signed(rho.high)}"
    )
    if epoch:
        before = int((result.learned <= epoch).sum())
        figures_ += f" (in hindsight for the {before:,} images already learned when the kernel was taken, after epoch {epoch})"
    if rho.low <= 0 <= rho.high:
        return f"On these {rho.n:,} images k(x,x) did <b>not clearly</b> predict the order of learning: {figures_}, which includes 0."
    if rho.rho < 0:
        return f"On these {rho.n:,} images a larger k(x,x) went with being learned <b>earlier</b>, as the theory says: {figures_}."
    return (
        f"On these {rho.n:,} images a larger k(x,x) went with being learned <b>later</b>, the opposite of what the theory says: {figures_}."
    )


@st.fragment(key="explore")
@frame.telling
def _explore(result: LearnabilityResult) -> None:
    facts = views.judged(result)
    if problem := views.missing_from(result, LINK.current().view):
        st.warning(words.plain(problem), icon=":material/warning:")
    _seed(result)
    _controls(result, facts)
    view = LINK.current().view
    shown = views.ranking(result, facts, view)
    _gallery(result, facts, shown)
    evidence(result, facts, view)
    if view.image is not None and view.image < len(result.score):
        inspect(result, facts, shown)


def _seed(result: LearnabilityResult) -> None:
    choice = LINK.current()
    view = choice.view
    values = {
        "gallery": view.gallery,
        "order": view.order,
        "only": [name for name in view.only if name in result.class_names],
        "judged": view.judged,
        "range": (view.low, view.high),
        "hard": view.hard,
        "easy": view.easy,
    }
    _VIEW.seed((result.key, choice.revision), values)


def _changed(name: str) -> None:
    value = _VIEW[name]
    if name == "range":
        LINK.look(low=value[0], high=value[1])
    elif name == "only":
        LINK.look(only=tuple(value))
    elif name == "gallery":
        view = LINK.current().view
        filtered = bool(view.picked) or (view.low, view.high) != (0.0, 100.0)
        if filtered:
            forget_selection("histogram", "learned")
        LINK.look(gallery=value, low=0.0, high=100.0, picked=(), page=1, elsewhere=filtered)
    else:
        LINK.look(**{name: value})


def _controls(result: LearnabilityResult, facts: views.Judged) -> None:
    view = LINK.current().view
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="view_controls"):
        st.segmented_control(
            "Gallery",
            ["hard", "easy", "all"],
            format_func={"hard": "Hardest", "easy": "Easiest", "all": "All, ranked"}.__getitem__,
            required=True,
            **_VIEW.default("gallery"),
            label_visibility="collapsed",
            on_change=_changed,
            args=("gallery",),
        )
        st.selectbox(
            "Order",
            list(_ORDERS),
            format_func=_ORDERS.__getitem__,
            **_VIEW.index("order", list(_ORDERS)),
            label_visibility="collapsed",
            on_change=_changed,
            args=("order",),
            width=205,
        )
        with st.popover(_filter_summary(view), icon=":material/filter_alt:", key="filters"):
            st.multiselect(
                "Classes", result.class_names, **_VIEW.default("only"), placeholder="all classes", on_change=_changed, args=("only",)
            )
            judged = list(_JUDGED) if (result.labels != result.true_labels).any() else ["any", "correct", "wrong"]
            if _VIEW["judged"] not in judged:
                judged.append(_VIEW["judged"])
            st.selectbox(
                "After training",
                judged,
                format_func=_JUDGED.__getitem__,
                **_VIEW.index("judged", judged),
                on_change=_changed,
                args=("judged",),
            )
            st.slider(
                "Percentile of k(x,x)", 0.0, 100.0, step=0.1, format="%.1f", **_VIEW.value("range"), on_change=_changed, args=("range",)
            )
            if view.picked:
                st.button(f"Clear the selection of {len(view.picked)} images", on_click=clear_selection)
            st.button("Show all", on_click=_clear_filters)
        with st.popover("Groups", icon=":material/tune:", key="groups"):
            st.slider("Hard: lowest k(x,x)", 0.0, 50.0, step=1.0, format="%g %%", **_VIEW.value("hard"), on_change=_changed, args=("hard",))
            st.slider(
                "Easy: highest k(x,x)", 0.0, 50.0, step=1.0, format="%g %%", **_VIEW.value("easy"), on_change=_changed, args=("easy",)
            )
            st.caption("The paper takes 10 % and 10 %; the rest is the medium group.")
        _basket(result, facts)
        with st.popover("Export", icon=":material/download:", key="export"):
            everything = np.lexsort((np.arange(len(result.score)), result.score))
            st.download_button(
                f"Whole ranking, {len(everything):,} images (CSV)",
                lambda: views.table(result, facts, everything).to_csv(index=False),
                "ranking.csv",
                "text/csv",
                key="export_ranking",
                on_click="ignore",
            )
            shown = views.ranking(result, facts, view)
            st.download_button(
                f"Images shown, {len(shown):,} (zip)",
                lambda: views.images_zip(result, facts, shown, workspace()),
                "shown.zip",
                "application/zip",
                key="export_zip",
                on_click="ignore",
            )
            st.download_button(
                f"Images shown, {len(shown):,} (CSV)",
                lambda: views.table(result, facts, shown).to_csv(index=False),
                "shown.csv",
                "text/csv",
                key="export_shown",
                on_click="ignore",
            )


def _basket(result: LearnabilityResult, facts: views.Judged) -> None:
    ticked = [image for image in LINK.current().view.basket if image < len(result.score)]
    with st.popover(f"Basket: {len(ticked)}", icon=":material/shopping_basket:", key="basket"):
        if not ticked:
            st.caption("Empty. Tick images in the gallery (or press space on one); the basket is part of the address.")
            return
        ws = workspace()
        st.download_button(
            "CSV",
            lambda: views.table(result, facts, ticked).to_csv(index=False),
            "basket.csv",
            "text/csv",
            key="basket_csv",
            on_click="ignore",
        )
        st.download_button(
            "Images (zip)",
            lambda: views.images_zip(result, facts, ticked, ws),
            "basket.zip",
            "application/zip",
            key="basket_zip",
            on_click="ignore",
        )
        st.button("Empty the basket", on_click=lambda: LINK.look(basket=(), elsewhere=True), key="basket_empty")


def _filter_summary(view: LearnabilityView) -> str:
    active = sum([bool(view.only), view.judged != "any", (view.low, view.high) != (0.0, 100.0), bool(view.picked)])
    return f"Filters: {active}" if active else "Filters"


def _clear_filters() -> None:
    clear_selection()
    LINK.look(only=(), judged="any", page=1, elsewhere=True)


def _gallery(result: LearnabilityResult, facts: views.Judged, shown: np.ndarray) -> None:
    choice = LINK.current()
    pages = max(-(-len(shown) // _PAGE), 1)
    page = min(choice.view.page, pages)
    st.html(
        f'<p class="atlas-quiet"><b>{len(shown):,}</b> of {len(result.score):,} images · below each: k(x,x), and its percentile '
        "P (0 = hardest) · <b>→</b> predicted class, where wrong"
        + (" · ⚑ label flipped" if (result.labels != result.true_labels).any() else "")
        + "</p>"
    )
    if pages > 1:
        st.session_state["gallery_page"] = page
        st.pagination(pages, key="gallery_page", on_change=lambda: LINK.look(page=st.session_state["gallery_page"]))
    decimals = views.score_decimals(result)
    cards = [_card(result, facts, int(i), decimals) for i in shown[(page - 1) * _PAGE : page * _PAGE]]
    views.thumbnails(result, workspace())  # encoded again here if the stored ones are gone
    gallery(
        cards,
        base=media.thumbnail_base(result.pack),
        key="gallery",
        ticked=_TICKS.began((result.key, choice.revision), choice.view.basket),
        revision=choice.revision,
        current=_current(choice),
        on_tick=_ticked,
        on_open=_opened,
        empty="No image passes these filters. Widen them, or choose “Show all” in Filters.",
        height=430,
    )


def _current(choice: links.Choice) -> int | None:
    """The image marked in the gallery; follows the inspector only once that is closed, so that browsing there resends nothing."""
    if choice.view.image is None:
        st.session_state[_MARKED] = choice.view.marked
    return st.session_state.get(_MARKED)


def _card(result: LearnabilityResult, facts: views.Judged, image: int, decimals: int) -> Card:
    name = result.class_names[result.labels[image]]
    learned = result.learned[image]
    wrong = not facts.correct[image]
    predicted = result.class_names[facts.predicted[image]]
    flipped = result.labels[image] != result.true_labels[image]
    title = (
        f"Image {image}, {result.ids[image]}: label {name}"
        + (f" (flipped; truly {result.class_names[result.true_labels[image]]})" if flipped else "")
        + f", predicted {predicted}. k(x,x) = {result.score[image]:.6g}, percentile {facts.percentile[image]:.1f}; "
        + ("not learned." if np.isinf(learned) else f"learned at epoch {learned:.0f}.")
    )
    return Card(
        id=image,
        name=name + (" ⚑" if flipped else ""),
        corner=f"→ {predicted}" if wrong else "",
        left=f"{result.score[image]:.{decimals}f}",
        right=f"P {facts.percentile[image]:.1f}",
        wrong=wrong,
        title=title,
    )


def _ticked() -> None:
    ticked = _TICKS.told(LINK.current().revision)
    if ticked is not None:
        LINK.look(basket=ticked)


def _opened() -> None:
    said = st.session_state["gallery"].get("opened")
    if said:
        LINK.look(image=said["id"], marked=said["id"])
