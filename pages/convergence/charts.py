"""The charts of the convergence page in the order of the question: the kernels, their eigenvalues, their predictions, their cost."""

from functools import partial

import pandas as pd
import streamlit as st

from ntkcore.analyses.convergence import views
from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.figures.convergence import curves as figures
from ntkcore.figures.theme import raised
from ntkcore.specs.convergence import ConvergenceView
from pages.convergence.choice import LINK
from pages.shared import frame
from pages.shared.charts import chart, forget_selection, selected

_SECTIONS = (
    ("Are the kernels alike?", ("magnitudes", "frobenius", "pair_error", "alignment")),
    ("Are their eigenvalues alike?", ("largest", "smallest", "condition", "rank", "spectra")),
    ("Do they predict the same?", ("prediction", "agreement", "accuracy", "gain")),
    ("What do they cost?", ("time", "outputs", "depth")),
)
_WIDE = {"spectra"}  # over the whole width of the page
_SEVERAL = {"magnitudes", "rank", "accuracy", "gain", "alignment", "time"}  # several lines for one network: over epochs, of one width alone


def show_charts(result: ConvergenceResult, view: ConvergenceView) -> None:
    """All charts, two beside each other."""
    for title, names in _SECTIONS:
        st.header(title, anchor=False)
        shown = [name for name in names if name not in _WIDE and (name != "depth" or result.spec.depth is not None)]
        for first in range(0, len(shown), 2):
            for column, name in zip(st.columns(2, gap="large"), shown[first : first + 2], strict=False):
                with column:
                    _show(result, view, name)
        for name in _WIDE.intersection(names):
            _show(result, view, name)


def _show(result: ConvergenceResult, view: ConvergenceView, name: str) -> None:
    if name in views.QUANTITIES:
        _quantity(result, view, views.QUANTITIES[name])
    elif name == "spectra":
        _spectra(result, view)
    else:
        _timing(result, name)


def _quantity(result: ConvergenceResult, view: ConvergenceView, quantity: views.Quantity) -> None:
    curves = views.curves(result, view, quantity)
    every = views.curves(result, view.model_copy(update={"over": "epoch"}), quantity)
    only = views.width_of(result, view) if quantity.name in _SEVERAL and view.over == "epoch" else None
    epoch = views.epoch_of(result, view)
    empty = views.gap(result, only, epoch if view.over == "width" else None)
    figure = figures.curves_figure(
        curves, result.spec.widths, _names(result), frame.mode(), span=every, only=only, epoch=epoch, empty=empty
    )
    where = f"width {only:,}" if only is not None else "every width" if view.over == "epoch" else _when(epoch)
    chart(
        quantity.title,
        figure,
        key=quantity.name,
        table=partial(_points, result, curves),
        note=_note(where, quantity.note + _left_out(curves, view), quantity.figure),
        on_select=partial(_opened, quantity.name),
        selection_mode="points",
    )


def _spectra(result: ConvergenceResult, view: ConvergenceView) -> None:
    found = views.spectra(result, view)
    epoch, width = views.epoch_of(result, view), views.width_of(result, view)
    first = None if found is None else result.points[int(found.point_id[0])]
    floor = first.doctor["full"].floor if first is not None and "full" in first.doctor else float("nan")
    chart(
        "Whole spectra",
        figures.spectra_figure(found, ("full", view.kernel), _names(result), floor, frame.mode(), empty=views.gap(result, width, epoch)),
        key="spectra",
        table=partial(_eigenvalues, result, found),
        note=_note(
            f"width {width:,}, {_when(epoch)}",
            "A line a seed; every eigenvalue of the cheap kernel takes k places, as in Θ̂ ⊗ I: lines that lie on each other are alike.",
            "",
        ),
        on_select=partial(_opened, "spectra"),
        selection_mode="points",
    )


def _timing(result: ConvergenceResult, name: str) -> None:
    curve = next((c for c in views.timing_curves(result) if c.over == name), None)
    title = "Time against the number of outputs" if name == "outputs" else "Time against depth"
    block = f" of a block of {result.timing.block} × {result.timing.block} random inputs" if result.timing else ""
    chart(
        title,
        figures.timing_figure(curve, frame.mode()),
        key=f"timing_{name}",
        table=partial(_seconds, curve),
        note=_note(curve.title if curve else "", f"Measured on this machine, seconds a pair{block}.", "Fig. 3.1"),
    )


def _note(where: str, said: str, figure: str) -> str:
    """What is shown, how to read it, and which figure of the thesis it is."""
    return (f"<b>{where[0].upper()}{where[1:]}.</b> " if where else "") + raised(said) + (f" Thesis, {figure}." if figure else "")


def _left_out(curves: views.Curves, view: ConvergenceView) -> str:
    count = sum(int(line.jittered.sum()) for line in curves.series)
    if not count:
        return ""
    return f" Open: {count:,} that rest on a jitter{'' if view.jittered else ', not counted in the lines'}."


def _when(epoch: int) -> str:
    return f"after epoch {epoch}" if epoch else "at initialisation"


def _names(result: ConvergenceResult) -> list[str]:
    """Every comparison in words, in the result's order."""
    return [f"width {point.model.width:,}, seed {point.model.seed}, {_when(point.epoch)}" for point in result.spec.points()]


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
