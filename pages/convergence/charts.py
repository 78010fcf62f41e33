"""The charts of the convergence page in the order of the question: the kernels, their eigenvalues, their predictions, their cost."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from ntkcore.analyses.convergence import views
from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.figures.convergence import charts as figures
from ntkcore.specs.convergence import ConvergenceView
from pages.convergence.choice import LINK
from pages.shared import frame
from pages.shared.charts import chart, forget_selection, selected

_WIDE = {"spectra"}  # over the whole width of the page


def show_charts(result: ConvergenceResult, view: ConvergenceView) -> None:
    """All charts, two beside each other."""
    for title, names in figures.SECTIONS:
        st.header(title, anchor=False)
        shown = [name for name in figures.shown(result, names) if name not in _WIDE]
        for first in range(0, len(shown), 2):
            for column, name in zip(st.columns(2, gap="large"), shown[first : first + 2], strict=False):
                with column:
                    _show(result, view, name)
        for name in _WIDE.intersection(names):
            _show(result, view, name)


def _show(result: ConvergenceResult, view: ConvergenceView, name: str) -> None:
    mode = frame.mode()
    if name in views.QUANTITIES:
        drawn, curves = figures.quantity(result, view, views.QUANTITIES[name], mode)
        _clickable(drawn, name, table=partial(_points, result, curves))
    elif name == "spectra":
        drawn, found = figures.spectra(result, view, mode)
        _clickable(drawn, name, table=partial(_eigenvalues, result, found))
    else:
        drawn, curve = figures.timing(result, name, mode)
        chart(drawn.title, drawn.figure, key=f"timing_{name}", table=partial(_seconds, curve), note=drawn.note)


def _clickable(drawn: figures.Drawing, key: str, table: Callable[[], pd.DataFrame]) -> None:
    """A chart whose dots open their comparison."""
    opened = partial(_opened, key)
    chart(drawn.title, drawn.figure, key=key, table=table, note=drawn.note, on_select=opened, selection_mode="points")


def _opened(name: str) -> None:
    """A dot was clicked: open its comparison."""
    said = selected(name).get("points") or []
    if not said or said[0].get("customdata") is None:
        return
    forget_selection(name)  # so that the same dot can be clicked again
    point = LINK.current().spec.points()[int(said[0]["customdata"])]
    LINK.look(point=(point.model.width, point.model.seed, point.epoch))


def _points(result: ConvergenceResult, curves: views.Curves) -> pd.DataFrame:
    """The dots of a chart as a table."""
    points = result.spec.points()

    def row(line: views.Series, index: int, value: float, jittered: bool) -> tuple[str, int, int, int, float, bool]:
        return line.label, points[index].model.width, points[index].model.seed, points[index].epoch, value, jittered

    rows = [row(line, *dot) for line in curves.series for dot in zip(line.point_id, line.point_y, line.jittered, strict=True)]
    return pd.DataFrame(rows, columns=["kernel", "width", "seed", "epoch", curves.quantity.name, "rests_on_jitter"])


def _eigenvalues(result: ConvergenceResult, found: views.Spectra | None) -> pd.DataFrame:
    if found is None:
        return pd.DataFrame()
    points = result.spec.points()
    rows = [
        pd.DataFrame({"kernel": views.LABELS[form], "seed": points[index].model.seed, "place": found.rank[form], "eigenvalue": values})
        for form, seeds in found.values.items()
        for index, values in zip(found.point_id, seeds, strict=True)
    ]
    return pd.concat(rows, ignore_index=True).assign(width=found.width, epoch=found.epoch)


def _seconds(curve: views.TimingCurve | None) -> pd.DataFrame:
    return pd.DataFrame() if curve is None else pd.DataFrame({curve.over: curve.x, **{f"seconds_{f}": s for f, s in curve.seconds.items()}})
