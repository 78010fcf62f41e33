"""The lines of the convergence page's charts: means over seeds with their bars, every network, the fitted law and the theory's guide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ntkcore.analyses.convergence.answer import epoch_of
from ntkcore.analyses.convergence.comparison import Comparison
from ntkcore.analyses.convergence.quantities import LABELS, Quantity
from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.convergence import PowerLaw, guide, power_law
from ntkcore.specs.convergence import ConvergenceView


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: means over seeds, and the networks they are means of.

    Attributes:
        name: "full", "pseudo", "first", "network", "on", "off", "now" or "end".
        label: for people.
        width: the networks' width in a chart over epochs; None over width.
        x: (X,) widths or epochs, ascending.
        mean: (X,) mean over seeds of what counts; NaN where nothing does.
        low, high: (X,) mean ∓ one standard error of it; NaN for fewer than two seeds. On a logarithmic axis a bar that would
            reach zero ends at the smallest value.
        point_x, point_y: (P,) every network.
        point_id: (P,) its index in ``result.points``.
        jittered: (P,) whether it rests on a jitter; such a one counts in means and fits only where the view asks for it.
    """

    name: str
    label: str
    width: int | None
    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    point_x: np.ndarray
    point_y: np.ndarray
    point_id: np.ndarray
    jittered: np.ndarray


@dataclass(frozen=True, slots=True)
class Curves:
    """One chart.

    Attributes:
        quantity: what it shows.
        over: "width" (at one epoch) or "epoch" (one line for every width and form).
        series: its lines.
        law: the power law through the networks over width; None where none is fitted.
        law_x, law_y: its line; empty where there is none.
        guide_x, guide_y: the w^(-1/2) line through the middle of the networks; empty where it does not belong.
    """

    quantity: Quantity
    over: str
    series: tuple[Series, ...]
    law: PowerLaw | None
    law_x: np.ndarray
    law_y: np.ndarray
    guide_x: np.ndarray
    guide_y: np.ndarray


def curves(result: ConvergenceResult, view: ConvergenceView, quantity: Quantity) -> Curves:
    """The lines of one chart, over width at the view's epoch or over epochs for every width."""
    nothing = np.zeros(0)
    if view.over == "epoch":
        lines = []
        for width in result.spec.widths:
            lines += _lines(quantity, view, [(i, p) for i, p in there(result) if p.width == width], width, _last(result))
        return Curves(quantity, "epoch", tuple(lines), None, nothing, nothing, nothing, nothing)
    epoch = epoch_of(result, view)
    series = _lines(quantity, view, [(i, p) for i, p in there(result) if p.epoch == epoch], None, _last(result))
    law, law_y, guide_y, x = None, nothing, nothing, nothing
    if series and quantity.slope:
        last = series[-1]
        counted = ~last.jittered | view.jittered
        x, y = last.point_x[counted], last.point_y[counted]
        law = power_law(x, y)
        law_y = np.exp(law.intercept) * last.x**law.slope if law.defined else nothing
        guide_y = guide(x, y) if quantity.guide and law.defined else nothing
    at = series[-1].x if len(law_y) else nothing
    ends = np.unique(x, return_index=True) if len(guide_y) else (nothing, nothing.astype(int))
    return Curves(quantity, "width", tuple(series), law, at, law_y, ends[0], guide_y[ends[1]])


def there(result: ConvergenceResult) -> list[tuple[int, Comparison]]:
    """The comparisons that are there, with their indices."""
    return [(i, point) for i, point in enumerate(result.points) if point is not None]


def _last(result: ConvergenceResult) -> dict[tuple[int, int], Comparison]:
    """Width and seed of a network to its comparison at the last epoch, where looks differ and it is there."""
    looks = result.spec.looks
    return {(p.width, p.seed): p for _, p in there(result) if p.epoch == looks[-1] and len(looks) > 1}


def _lines(
    quantity: Quantity,
    view: ConvergenceView,
    points: Sequence[tuple[int, Comparison]],
    width: int | None,
    last: Mapping[tuple[int, int], Comparison],
) -> list[Series]:
    """A quantity's lines through these networks: over epochs those of one width, over width those of one epoch."""
    cheap = view.kernel
    found: dict[str, list[tuple[float, float, int, bool]]] = {}
    for index, point in points:
        if point.diverged:
            continue
        measured = dict(quantity.values(point, cheap))
        if quantity.at_end is not None and (end := last.get((point.width, point.seed))) is not None:
            measured |= quantity.at_end(point, end, cheap)
        for name, value in measured.items():
            if np.isfinite(value) and (value > 0 or not quantity.log):
                found.setdefault(name, []).append(
                    (point.epoch if width is not None else point.width, value, index, quantity.jittered(point, cheap, name))
                )
    lines = []
    for name, values in found.items():
        at, y, ids, jittered = (np.array(column) for column in zip(*values, strict=True))
        x, counted = np.unique(at), ~jittered | view.jittered
        groups = [y[(at == place) & counted] for place in x]
        mean = np.array([group.mean() if len(group) else np.nan for group in groups])
        error = np.array([group.std(ddof=1) / np.sqrt(len(group)) if len(group) > 1 else np.nan for group in groups])
        low = mean - error
        if quantity.log:
            low = np.where(low <= 0, [group.min(initial=np.inf) for group in groups], low)
        lines.append(Series(name, LABELS[name], width, x, mean, low, mean + error, at, y, ids, jittered))
    return lines
