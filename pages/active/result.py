"""An active learning study: the answer, the curves, the table, then what every strategy picked."""

import html

import streamlit as st

from ntkcore.analyses.active import views
from ntkcore.analyses.active.analysis import ACTIVE
from ntkcore.analyses.active.answer import named, probability
from ntkcore.analyses.active.explain import explainer
from ntkcore.analyses.active.views import Study
from ntkcore.analyses.workspace import workspace
from ntkcore.specs.active import STRATEGIES, ActiveView
from pages.active.charts import show_curves, show_more
from pages.active.choice import LINK
from pages.active.inspector import inspect
from pages.active.picked import show_picked
from pages.active.starts import show_starts
from pages.shared import frame, tables, words
from pages.shared.controls import Controls
from pages.shared.downloads import csv_download
from pages.shared.explain import explain
from pages.shared.fade import fading
from pages.shared.standing import made

_VIEW = Controls("active.view", LINK)


def show_result(result: Study) -> None:
    """The whole study."""
    fading()
    _explore(result)
    explain(explainer(result))


@st.fragment(key="active")
@frame.telling
def _explore(result: Study) -> None:
    view = LINK.current().view
    if problem := views.missing_from(result, view):
        frame.show_absent(problem)
        view = view.model_copy(update={"cycle": None, "repeat": 0, "only": (), "image": None})
    if view.image is not None:
        inspect(result, view)
    first, *others = ACTIVE.answer(result, view, workspace())
    tables.fact(html.escape(first), *map(html.escape, others))
    _controls(result, view)
    show_curves(result, view)
    _table(result, view)
    show_more(result, view)
    show_picked(result, view)
    show_starts(result, view)
    made(result.created, result.device, result.seconds)


def _controls(result: Study, view: ActiveView) -> None:
    """For which accuracy labels are counted, which cycle is looked at, whose choices."""
    spec = result.spec
    level, cycle = views.level_of(result, view), views.cycle_of(result, view)
    only = [name for name in spec.strategies if name in view.only]
    _VIEW.seed((result.key, level if view.level is None else None), level=100 * level, cycle=cycle, repeat=view.repeat, only=only)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="stay_controls"):
        _VIEW.control(
            "level",
            st.number_input,
            "Accuracy, %",
            0.0,
            100.0,
            step=0.5,
            format="%g",
            width=135,
            help="For which labels are counted. At first: what random reaches at the end.",
        )
        if spec.protocol.cycles > 1:
            _VIEW.control(
                "cycle",
                st.slider,
                "Cycle",
                1,
                spec.protocol.cycles,
                width=230,
                help="Whose choices are shown, and after which strategies are compared.",
            )
        if spec.seeds > 1:
            _VIEW.control("repeat", st.selectbox, "Repeat", options=list(range(spec.seeds)), width=90, help="Whose choices are shown.")
        if len(spec.strategies) > 2:
            _VIEW.control(
                "only",
                st.multiselect,
                "Shown",
                options=list(spec.strategies),
                format_func=STRATEGIES.__getitem__,
                placeholder="all strategies",
                width=230,
                help="In charts and galleries; the table has all.",
            )
        told = "Accuracy and seconds of every strategy, repeat and cycle"
        csv_download("CSV", lambda: views.seed_table(result), file="active", key="active_csv", told=told)


def _table(result: Study, view: ActiveView) -> None:
    """Every strategy in numbers, Friedman's test above."""
    level, base = views.level_of(result, view), views.reference(result.spec)
    test = views.overall(result)
    if test is not None:
        said = f"Friedman’s test of the areas, {result.spec.seeds} repeats: χ² = {words.number(test.statistic)}, {probability(test.p)}."
        st.html(f'<p class="atlas-quiet">{said}</p>')
    head = (
        "Strategy",
        f"Labels for {100 * level:g} %",
        "Mean accuracy on the way",
        "Accuracy at the end",
        "Seconds of a choice",
        "Share of a cycle’s time",
        f"p against {named(base)}",
    )
    rows = [
        (
            STRATEGIES[row.name],
            words.number(round(row.needed)) if row.needed == row.needed else "not reached",
            words.share(row.area),
            words.share(row.final),
            words.number(row.seconds, 2),
            words.percent(row.seconds / (row.seconds + row.training)),
            words.number(row.p, 2) + (f"\nalone {words.number(row.alone, 2)}" if row.alone == row.alone and row.alone != row.p else ""),
        )
        for row in views.rows(result, level)
    ]
    note = "Labels: of the mean over repeats. p: paired t-test of the mean accuracies on the way, with Holm’s correction, alone: without."
    tables.columns_table(head, rows, note)
