"""A comparison: its answer, A against B, the images that moved most, curves over each other, and the fields that differ."""

import html

import streamlit as st

from ntkcore.analyses.compare import answer, curves
from ntkcore.analyses.compare import look as looks
from ntkcore.analyses.compare.analysis import COMPARE
from ntkcore.analyses.compare.differences import differences
from ntkcore.analyses.compare.explain import explainer
from ntkcore.analyses.compare.look import Look
from ntkcore.analyses.compare.result import CompareResult
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError, CorruptArtifact
from ntkcore.figures import compare as figures
from ntkcore.specs.compare import CompareView
from pages.compare.choice import CHART, LINK, brushed
from pages.compare.galleries import TICKS, show_galleries
from pages.compare.inspector import inspect_image
from pages.shared import frame, media, words
from pages.shared.charts import chart
from pages.shared.controls import Controls
from pages.shared.explain import explain
from pages.shared.tables import columns_table
from pages.shared.ticks import Ticks

_VIEW = Controls("compare.view", LINK)
_SELECTED = Ticks("compare_selected")  # what was selected when the choice last came from elsewhere: a lasso must not draw it anew


def show_result(result: CompareResult) -> None:
    """The whole comparison."""
    _SELECTED.forget()
    for ticks in TICKS.values():
        ticks.forget()
    view = LINK.current().view
    if not differences(result.spec, view):
        st.info("A and B are the same choice: change something in B, or take one of the things that A is often compared with.")
    _about(Look(result, view, workspace()))
    _explore(result)
    explain(explainer(result))


def _about(look: Look) -> None:
    one, result = look.one, look.result
    facts = [
        f"{len(one.labels):,} training and {len(one.test_labels):,} held-out {media.what(one.pack)}",
        f"compared {words.when(result.created)} on {html.escape(words.place(result.device))} in {words.duration(result.seconds)}",
    ]
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.html(f'<p class="atlas-quiet">{" · ".join(facts)}&ensp;</p>', width="content")
        of_sides = [f"{name}: {text}" for name, side in zip("AB", look.sides, strict=True) for text in side.result.warnings]
        frame.remarks([*result.warnings, *of_sides])


@st.fragment(key="compare")
@frame.telling
def _explore(result: CompareResult) -> None:
    choice = LINK.current()
    look = _possible(Look(result, choice.view, workspace()))
    frame.show_absent(looks.missing_from(look))
    _answer(look)
    _controls(look)
    inspect_image(look)  # before what is below the fold: a link's inspector does not wait for it
    left, right = st.columns([5, 6], gap="large")
    with left:
        _scatter(look, _SELECTED.began((result.key, choice.revision, _drawing(look.view)), look.view.picked))
    with right:
        show_galleries(look, choice.revision)
    _curves(look)
    _fields(look)


def _possible(look: Look) -> Look:
    """The look, or one at a number that both have, which is said."""
    try:
        _ = look.agreement
    except CorruptArtifact:
        raise
    except AtlasError as error:
        frame.show_notice(error)
        return Look(look.result, look.view.model_copy(update={"score": "k-xx"}), look.ws)
    return look


def _drawing(view: CompareView) -> CompareView:
    """What of a view draws the scatter anew."""
    return view.model_copy(update={"picked": (), "basket": (), "image": None, "like": None})


def _answer(look: Look) -> None:
    order, leading, predictions = COMPARE.answer(look.result, look.view, look.ws)
    bold = answer.correlation_words(look.agreement)
    st.html(
        f'<p class="atlas-fact">{words.as_html(order, bold)}</p>'
        f'<p class="atlas-quiet">{words.as_html(leading)} {words.as_html(predictions)}</p>'
    )


def _controls(look: Look) -> None:
    names = look.titles
    only = [name for name in look.view.only if name in look.one.class_names]
    _VIEW.seed(look.result.key, "ranks", score=look.view.score, only=only)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare_controls"):
        _VIEW.control(
            "score",
            st.selectbox,
            "Compared by",
            options=list(names),
            format_func=names.__getitem__,
            label_visibility="collapsed",
            width=310,
        )
        with st.popover(_classes(only), icon=":material/filter_alt:", key="compare_classes"):
            _VIEW.control("only", st.multiselect, "Classes shown", options=look.one.class_names, placeholder="all")
        _VIEW.control("ranks", st.toggle, "Ranks", help="Draws ranks, 1 the largest number, instead of values.")


def _classes(only: list[str]) -> str:
    return ", ".join(only) if 0 < len(only) <= 3 else f"{len(only)} classes" if only else "All classes"


def _scatter(look: Look, selected: tuple[int, ...]) -> None:
    one, view, title = look.one, look.view, look.titles[look.view.score]
    drawn, what = (look.ranks, f"rank by {title.partition(', ')[0]}") if view.ranks else (look.values, title)
    chart(
        "A against B",
        figures.scatter_figure(
            drawn,
            what,
            one.labels,
            one.class_names,
            [image for image in selected if image < len(one.labels)],
            frame.mode(),
            ranks=view.ranks,
            noun=media.noun(one.pack),
        ),
        key=CHART,
        table=lambda: looks.table(look),
        note="Dotted: the same in both. Lasso, box or click: those images alone are in the galleries; a double click takes it back.",
        on_select=brushed,
        selection_mode=("points", "lasso", "box"),
    )


def _curves(look: Look) -> None:
    st.header("Over each other", anchor=False)
    left, right = st.columns(2, gap="large")
    with left, st.spinner("Both through training …", show_time=False):
        over = curves.through_time(look)
        chart(
            "Held-out images through training",
            figures.curves_figure(over, "training time τ of the kernel regression", frame.mode(), log=True),
            key="compare_time",
            table=lambda: curves.curve_table(over),
            note="Solid: right, in percent. Dotted: mean loss. Each has its own scale of τ: a kernel twice as large is twice as fast.",
        )
    with right:
        own = curves.through_epochs(look)
        if not own:
            st.subheader("The networks’ own training", anchor=False)
            st.caption(
                words.spoken(
                    "Known where the Learnability of the same images is computed for A’s and for B’s network: "
                    "then their accuracy is here, epoch by epoch, and images can be compared by the epoch in which they are learned."
                )
            )
            return
        chart(
            "The networks’ own training",
            figures.curves_figure(own, "epoch", frame.mode(), log=False),
            key="compare_epochs",
            table=lambda: curves.curve_table(own),
            note=("" if len(own) > 1 else "A and B are of one training. ")
            + "Of the training images, as stored by Learnability. Solid: right, in percent. Dotted: mean loss.",
        )


def _fields(look: Look) -> None:
    st.header("Where A and B differ", anchor=False)
    found = differences(look.result.spec, look.view)
    if not found:
        st.caption("In nothing.")
        return
    with st.columns(2)[0]:
        columns_table(("", "A", "B"), [(item.title, item.one, item.two) for item in found], "All else is the same.")
