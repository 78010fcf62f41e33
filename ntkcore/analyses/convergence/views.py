"""What a convergence page shows of a result: curves over width and epochs, spectra, timings, tables; all from memory, at once."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.convergence.answer import Verdict, answer, brief, epoch_of, verdict
from ntkcore.analyses.convergence.comparison import BY_FORM, Comparison
from ntkcore.analyses.convergence.curves import Curves, Series, curves, there
from ntkcore.analyses.convergence.quantities import LABELS, QUANTITIES, Quantity
from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.specs.convergence import ConvergenceView

__all__ = [
    "LABELS",
    "QUANTITIES",
    "Curves",
    "Quantity",
    "Series",
    "Spectra",
    "TimingCurve",
    "Verdict",
    "answer",
    "brief",
    "curves",
    "epoch_of",
    "examined",
    "gap",
    "index_of",
    "missing_from",
    "silence",
    "spectra",
    "table",
    "timing_curves",
    "verdict",
    "width_of",
]


@dataclass(frozen=True, slots=True)
class Spectra:
    """The spectra of one width at one epoch, in descending order, on one scale.

    Attributes:
        width, epoch: which.
        rank: form to (N,) places 1 … n k of the eigenvalues among those of an (n k) × (n k) kernel: eigenvalue j of a cheap kernel
            stands for the k places from (j - 1) k + 1 on, and is drawn at their middle.
        values: form to (S, N) eigenvalues, a row a seed; NaN where the eigenvalue is not positive, which a logarithmic axis
            cannot show.
        point_id: (S,) index in ``result.points`` of every seed's comparison.
    """

    width: int
    epoch: int
    rank: dict[str, np.ndarray]
    values: dict[str, np.ndarray]
    point_id: np.ndarray


@dataclass(frozen=True, slots=True)
class TimingCurve:
    """Seconds per pair over one quantity (Fig. 3.1).

    Attributes:
        over: "outputs" or "depth".
        label: of the horizontal axis.
        title: what is held fixed.
        x: (X,).
        seconds: "pseudo" and "full" to (X,); NaN where it would have taken too long.
    """

    over: str
    label: str
    title: str
    x: np.ndarray
    seconds: dict[str, np.ndarray]


def width_of(result: ConvergenceResult, view: ConvergenceView) -> int:
    """The width shown: the view's, if there is one, else the widest."""
    return view.width if view.width is not None and view.width in result.spec.widths else result.spec.widths[-1]


def index_of(result: ConvergenceResult, point: tuple[int, int, int] | None) -> int | None:
    """Index in ``result.points`` of a computed comparison by width, seed and epoch; None when there is none."""
    return next((i for i, p in enumerate(result.points) if p is not None and (p.width, p.seed, p.epoch) == point), None)


def missing_from(result: ConvergenceResult, view: ConvergenceView) -> str:
    """What a view names that the result does not have, in a sentence; "" when nothing."""
    said = []
    if view.epoch is not None and view.epoch not in result.spec.looks:
        said.append(f"epoch {view.epoch:,} is not one of those looked at")
    if view.width is not None and view.width not in result.spec.widths:
        said.append(f"there is no network of width {view.width:,}")
    if view.point is not None and (
        view.point[0] not in result.spec.widths or view.point[1] >= result.spec.seeds or view.point[2] not in result.spec.looks
    ):
        said.append("there is no network of width {}, seed {} looked at in epoch {}".format(*view.point))
    return f"Part of this address was left out: {' and '.join(said)}." if said else ""


def silence(result: ConvergenceResult, view: ConvergenceView) -> str:
    """Why there is no answer for the view's epoch, in a sentence."""
    epoch = epoch_of(result, view)
    failed = [p for _, p in there(result) if p.epoch == epoch and p.diverged]
    if not failed:
        return f"No comparison after epoch {epoch} is there yet."
    return f"Every training up to epoch {epoch} failed so far; width {failed[0].width:,}: {failed[0].diverged}"


def gap(result: ConvergenceResult, width: int | None, epoch: int | None) -> str:
    """Why nothing can be drawn of the networks of a width at an epoch (None: of any), in a few words."""
    points = [p for _, p in there(result) if width in (None, p.width) and epoch in (None, p.epoch)]
    if not points:
        return "Not computed yet."
    return "Training failed here, as said above." if all(p.diverged for p in points) else "Not defined here."


def examined(result: ConvergenceResult, view: ConvergenceView) -> Comparison | None:
    """The comparison whose doctors stand for the view: the first seed of its width at its epoch; None until one is there."""
    width, epoch = width_of(result, view), epoch_of(result, view)
    return next((p for _, p in there(result) if (p.width, p.epoch) == (width, epoch) and p.doctor), None)


def spectra(result: ConvergenceResult, view: ConvergenceView) -> Spectra | None:
    """The spectra of the view's width at its epoch; None until a seed of it is there that has a positive eigenvalue."""
    width, epoch = width_of(result, view), epoch_of(result, view)
    seeds = [
        (i, p)
        for i, p in there(result)
        if (p.width, p.epoch) == (width, epoch) and any((values > 0).any() for values in p.spectra.values())
    ]
    if not seeds:
        return None
    k = seeds[0][1].k
    rank, values = {}, {}
    for form in seeds[0][1].spectra:
        found = np.stack([p.spectra[form][::-1] for _, p in seeds])
        times = 1 if form == "full" else k
        rank[form] = np.arange(found.shape[1]) * times + (times + 1) / 2
        values[form] = np.where(found > 0, found, np.nan)
    return Spectra(width, epoch, rank, values, np.array([i for i, _ in seeds]))


def timing_curves(result: ConvergenceResult) -> tuple[TimingCurve, ...]:
    """Seconds per pair over outputs, and over depth where the architecture has one; () until they are measured."""
    timing = result.timing
    if timing is None:
        return ()
    deep = f", {timing.depth} hidden layers" if timing.depth else ""
    made = [TimingCurve("outputs", "outputs k", f"Width {timing.width}{deep}", timing.over_outputs, timing.outputs_seconds)]
    if len(timing.over_depth):
        fixed = f"Width {timing.width}, {timing.outputs} outputs"
        made.append(TimingCurve("depth", "hidden layers", fixed, timing.over_depth, timing.depth_seconds))
    return tuple(made)


def table(result: ConvergenceResult) -> pd.DataFrame:
    """One row per comparison that is there, in the order of the points, with every number, and whose regressions rest on a jitter."""
    rows = []
    for _, point in there(result):
        row: dict[str, object] = {"width": point.width, "seed": point.seed, "epoch": point.epoch, "parameters": point.parameters}
        row |= {"train": point.n, "held_out": point.m, "outputs": point.k, "on_diagonal": point.on, "off_diagonal": point.off}
        row |= {"rests_on_jitter": " ".join(form for form, size in point.jitter.items() if size > 0)}
        for name in (*BY_FORM, "seconds"):
            row |= {f"{name}_{form}": value for form, value in getattr(point, name).items()}
        rows.append(row | {"diverged": point.diverged, "device": point.device, "created": point.created})
    return pd.DataFrame(rows)
