"""Each chart of a comparison with its title and its note, as the page and a report show it."""

from dataclasses import dataclass

import plotly.graph_objects as go

from ntkcore.analyses.convergence import views
from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.figures.convergence import curves as figures
from ntkcore.figures.theme import raised
from ntkcore.specs.convergence import ConvergenceView

SECTIONS = (
    ("Are the kernels alike?", ("magnitudes", "frobenius", "pair_error", "alignment")),
    ("Are their eigenvalues alike?", ("largest", "smallest", "condition", "rank", "spectra")),
    ("Do they predict the same?", ("prediction", "agreement", "accuracy", "gain")),
    ("What do they cost?", ("time", "outputs", "depth")),
)
"""The charts in the order of the question; those that are no quantity are the spectra and the two of timing."""
_SEVERAL = {"magnitudes", "rank", "accuracy", "gain", "alignment", "time"}  # several lines for one network: over epochs, of one width alone


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with its title and its note (HTML)."""

    title: str
    figure: go.Figure
    note: str


def shown(result: ConvergenceResult, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a section's charts that this result has."""
    return tuple(name for name in names if name != "depth" or result.spec.depth is not None)


def quantity(result: ConvergenceResult, view: ConvergenceView, asked: views.Quantity, mode: str) -> tuple[Drawing, views.Curves]:
    """A quantity over width or epochs, and its curves."""
    curves = views.curves(result, view, asked)
    every = views.curves(result, view.model_copy(update={"over": "epoch"}), asked)
    only = views.width_of(result, view) if asked.name in _SEVERAL and view.over == "epoch" else None
    epoch = views.epoch_of(result, view)
    empty = views.gap(result, only, epoch if view.over == "width" else None)
    figure = figures.curves_figure(curves, result.spec.widths, _names(result), mode, span=every, only=only, epoch=epoch, empty=empty)
    where = f"width {only:,}" if only is not None else "every width" if view.over == "epoch" else _when(epoch)
    return Drawing(asked.title, figure, _note(where, asked.note + _left_out(curves, view), asked.figure)), curves


def spectra(result: ConvergenceResult, view: ConvergenceView, mode: str) -> tuple[Drawing, views.Spectra | None]:
    """Whole spectra of one width and epoch, and their eigenvalues."""
    found = views.spectra(result, view)
    epoch, width = views.epoch_of(result, view), views.width_of(result, view)
    first = None if found is None else result.points[int(found.point_id[0])]
    floor = first.doctor["full"].floor if first is not None and "full" in first.doctor else float("nan")
    figure = figures.spectra_figure(found, ("full", view.kernel), _names(result), floor, mode, empty=views.gap(result, width, epoch))
    said = "A line a seed; every eigenvalue of the cheap kernel takes k places, as in Θ̂ ⊗ I: lines that lie on each other are alike."
    return Drawing("Whole spectra", figure, _note(f"width {width:,}, {_when(epoch)}", said, "")), found


def timing(result: ConvergenceResult, over: str, mode: str) -> tuple[Drawing, views.TimingCurve | None]:
    """Seconds a pair over the number of ``"outputs"`` or the ``"depth"``, and the curve."""
    curve = next((c for c in views.timing_curves(result) if c.over == over), None)
    title = "Time against the number of outputs" if over == "outputs" else "Time against depth"
    block = f" of a block of {result.timing.block} × {result.timing.block} random inputs" if result.timing else ""
    note = _note(curve.title if curve else "", f"Measured on this machine, seconds a pair{block}.", "Fig. 3.1")
    return Drawing(title, figures.timing_figure(curve, mode), note), curve


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
