"""The charts of the active learning page: accuracy over labels, the lead over random, what a choice costs, labels that are needed."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from ntkcore.analyses.active import views
from ntkcore.analyses.active.answer import named
from ntkcore.analyses.active.views import Study
from ntkcore.figures import active as figures
from ntkcore.specs.active import STRATEGIES, ActiveView
from pages.active.choice import LINK
from pages.shared import frame
from pages.shared.charts import chart, clicked


def show_curves(result: Study, view: ActiveView) -> None:
    """Accuracy beside the difference from what all are compared with."""
    spec, base = result.spec, named(views.reference(result.spec))
    at, level = spec.protocol.labels[views.cycle_of(result, view)], views.level_of(result, view)
    names = views.shown(result, view)
    curves, ahead = ([one for one in found if one.name in names] for found in (views.curves(result), views.differences(result)))
    if len(curves) > figures.BANDS:
        _key([curve.name for curve in curves])
    columns = st.columns(2, gap="large")
    with columns[0]:
        chart(
            "Accuracy over labels",
            figures.curves_figure(curves, frame.mode(), what="held-out images right", at=at, level=level),
            key="active_accuracy",
            table=partial(views.curve_table, curves, "accuracy"),
            note=f"{figures.means(spec.seeds, len(curves))}. Upright: the cycle looked at; click a point for another. Thesis, Fig. A.4.",
            on_select=partial(_look_at, "active_accuracy"),
            selection_mode="points",
        )
    if ahead:
        with columns[1]:
            chart(
                f"Ahead of {base}",
                figures.curves_figure(ahead, frame.mode(), what=f"accuracy less that of {base}", at=at),
                key="active_difference",
                table=partial(views.curve_table, ahead, "difference"),
                note="Repeat by repeat, on the same start and the same draws. Thesis, Fig. 2.2.",
                on_select=partial(_look_at, "active_difference"),
                selection_mode="points",
            )


def show_more(result: Study, view: ActiveView) -> None:
    """Labels needed, mean accuracies on the way, and seconds of a choice."""
    level = views.level_of(result, view)
    names = views.shown(result, view)
    rows = [row for row in views.rows(result, level) if row.name in names]
    seconds = [curve for curve in views.query_seconds(result) if curve.name in names]
    columns = st.columns(3, gap="large")
    with columns[0]:
        chart(
            f"Labels for {100 * level:g} %",
            figures.dots_figure(rows, frame.mode(), of="needed"),
            key="active_needed",
            table=partial(views.table, result, level),
            note="Dots: repeats that reach it. Bar: of the mean accuracy.",
        )
    with columns[1]:
        chart(
            "Mean accuracy on the way",
            figures.dots_figure(rows, frame.mode(), of="area"),
            key="active_area",
            table=partial(views.table, result, level),
            note="The area under accuracy over labels. Dots: repeats.",
        )
    with columns[2]:
        chart(
            "Seconds of a choice",
            figures.seconds_figure(seconds, frame.mode()),
            key="active_seconds",
            table=partial(views.curve_table, seconds, "seconds"),
            note="On this machine, kernels and outputs of the candidates included. Thesis, Fig. 2.1a.",
        )


def _key(names: Sequence[str]) -> None:
    """Which line is whose, for both charts; too much for their legends."""
    mode, styles = frame.mode(), {"solid": "solid", "dot": "dotted"}
    parts = []
    for name in names:
        border = f"3px {styles.get(figures.style_of(name)[0], 'dashed')} {figures.colour_of(name, mode)}"
        line = f'<span style="display: inline-block; width: 1.6rem; vertical-align: middle; border-top: {border}"></span>'
        parts.append(f'<span style="white-space: nowrap; margin-right: 1.1rem">{line} {STRATEGIES[name]}</span>')
    st.html(f'<div style="line-height: 1.7">{" ".join(parts)}</div>')


def _look_at(key: str) -> None:
    """A cycle was clicked; the start has no choice before it, so it shows the first."""
    if (cycle := clicked(key)) is not None:
        LINK.look(cycle=max(1, cycle), elsewhere=True)
