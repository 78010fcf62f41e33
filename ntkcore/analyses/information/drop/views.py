"""What the study of summarisation measured, as the page and the command line say it (Unique-info §6 Fig. 2c)."""

from typing import NamedTuple, get_args

import numpy as np
import pandas as pd

from ntkcore.analyses.study import Pieces
from ntkcore.information.detection import Estimate, mean_interval
from ntkcore.information.summary import Strategy
from ntkcore.specs.summary import SummaryStudySpec

STRATEGIES: dict[Strategy, str] = {
    "iterative": "least informative, scored anew",
    "once": "least informative, scored once",
    "random": "at random",
    "top": "most informative",
}
"""What goes first, in the order of the charts."""
JUDGES = ("kernel", "network")
TOLERATED = 0.005
"""Accuracy lost on average up to which images are said to be dispensable."""


class Curve(NamedTuple):
    """Test accuracy after dropping in one order, 0 percent first.

    Attributes:
        strategy: the order.
        percents: (p,) dropped.
        draws: (seeds, p) accuracy in each draw; NaN where a class has no image left.
        means: (p,) with their intervals; NaN where some draw has none.
    """

    strategy: Strategy
    percents: tuple[int, ...]
    draws: np.ndarray
    means: tuple[Estimate, ...]


def curves(pieces: Pieces[SummaryStudySpec], judge: str) -> tuple[Curve, ...]:
    """The four curves; with a network, at the percents at which it was trained."""
    spec = pieces.spec
    found, ways = pieces[judge].reshape(spec.seeds, -1), get_args(Strategy)
    later = found[:, 1:].reshape(spec.seeds, len(ways), -1)
    chosen = (0, *(spec.retrained if judge == "network" else spec.points[1:]))
    columns = [spec.points.index(percent) - 1 for percent in chosen[1:]]
    made = {}
    for place, way in enumerate(ways):
        draws = np.concatenate([found[:, :1], later[:, place, columns]], 1)
        made[way] = Curve(way, chosen, draws, tuple(map(mean_interval, draws.T)))
    return tuple(made[way] for way in STRATEGIES)


class Placed(NamedTuple):
    """A curve on the chart's scale, the logarithm of the error, on which differences near all right are seen.

    Attributes:
        error, low, high: (p,) mean test error with its interval, no less than half an image of all that were judged.
    """

    error: np.ndarray
    low: np.ndarray
    high: np.ndarray


def placed(pieces: Pieces[SummaryStudySpec], curve: Curve) -> Placed:
    """Where the curve is drawn."""
    least = 0.5 / (pieces.spec.test * pieces.spec.seeds)
    ends = np.array([(mean.value, mean.high, mean.low) for mean in curve.means]).T
    return Placed(*np.maximum(1 - ends, least))


def emptied(pieces: Pieces[SummaryStudySpec]) -> dict[Strategy, int]:
    """The percent from which on some draw has a class without any image left, of the orders of which there is one."""
    spec, found = pieces.spec, {}
    for curve in curves(pieces, "kernel"):
        lost = np.isnan(curve.draws).any(0)
        if lost.any():
            found[curve.strategy] = spec.points[int(lost.argmax())]
    return found


class Contrast(NamedTuple):
    """Accuracy of dropping the least informative, scored anew, less another's, in pairs of the same draw; ``percent`` dropped."""

    percent: int
    against: str
    difference: Estimate


def contrasts(pieces: Pieces[SummaryStudySpec], judge: str) -> tuple[Contrast, ...]:
    """Against all images, and against each other order, at every percent; positive: dropping the least informative does better."""
    found = {curve.strategy: curve for curve in curves(pieces, judge)}
    own = found["iterative"]
    return tuple(
        Contrast(percent, name, mean_interval(own.draws[:, place] - other))
        for place, percent in enumerate(own.percents)
        if percent
        for name, other in (
            ("all images", own.draws[:, 0]),
            *((STRATEGIES[way], curve.draws[:, place]) for way, curve in found.items() if way != "iterative"),
        )
    )


class Cost(NamedTuple):
    """What dropping so many percent costs.

    Attributes:
        percent, first: the nearest that was studied, and the smallest.
        whole, own, random, top: mean accuracy with all images, and by three orders.
        most: the largest percent up to which the least informative cost no more than TOLERATED on average; 0: none.
    """

    percent: int
    first: int
    whole: Estimate
    own: Estimate
    random: Estimate
    top: Estimate
    most: int


def cost(pieces: Pieces[SummaryStudySpec], judge: str, percent: int) -> Cost | None:
    """At the studied percent nearest to the one asked for; None where the least informative leave a class empty there."""
    found = {curve.strategy: curve for curve in curves(pieces, judge)}
    own = found["iterative"]
    place = min(range(1, len(own.percents)), key=lambda p: abs(own.percents[p] - percent))
    if np.isnan(own.means[place].value):
        return None
    dearer = [p for p in range(1, len(own.percents)) if not own.means[p].value >= own.means[0].value - TOLERATED]
    most = own.percents[(dearer[0] if dearer else len(own.percents)) - 1]
    random, top = (found[way].means[place] for way in ("random", "top"))
    return Cost(own.percents[place], own.percents[1], own.means[0], own.means[place], random, top, most)


def table(pieces: Pieces[SummaryStudySpec]) -> pd.DataFrame:
    """A row for each order and percent: mean accuracy over the draws with its 95 % interval, and how far the least informative, scored
    anew, are ahead of it (positive: dropping those costs less); the same of a network, where one was trained.

    ``smallest_class``: images left of the class that has fewest, in the draw where that is worst.
    """
    spec = pieces.spec
    left = pieces["counts"].reshape(spec.seeds, -1, pieces["counts"].shape[-1]).min((0, 2))  # of each order and percent
    rows: dict[tuple[str, int], dict[str, object]] = {}
    for judge in JUDGES[: 1 if spec.model is None else 2]:
        found = curves(pieces, judge)
        own = next(curve for curve in found if curve.strategy == "iterative")
        for curve in found:
            for place, percent in enumerate(curve.percents):
                at = (
                    1 + get_args(Strategy).index(curve.strategy) * (len(spec.points) - 1) + spec.points.index(percent) - 1 if percent else 0
                )
                words = STRATEGIES[curve.strategy] if percent else "nothing"
                row = rows.setdefault((words, percent), {"dropped": words, "percent": percent, "smallest_class": int(left[at])})
                mean, ahead = curve.means[place], mean_interval(own.draws[:, place] - curve.draws[:, place])
                row |= {judge: mean.value, f"{judge}_low": mean.low, f"{judge}_high": mean.high}
                row |= {f"{judge}_ahead": ahead.value, f"{judge}_ahead_low": ahead.low, f"{judge}_ahead_high": ahead.high}
    order = ["nothing", *STRATEGIES.values()]
    return pd.DataFrame([rows[key] for key in sorted(rows, key=lambda key: (order.index(key[0]), key[1]))])


def draws_table(pieces: Pieces[SummaryStudySpec], judge: str) -> pd.DataFrame:
    """A row for each order, percent and draw: the accuracy that the chart shows the mean of."""
    first = pieces.spec.influence.dataset.seed
    return pd.DataFrame(
        [
            {"dropped": STRATEGIES[curve.strategy], "percent": percent, "seed": first + draw, "accuracy": curve.draws[draw, place]}
            for curve in curves(pieces, judge)
            for place, percent in enumerate(curve.percents)
            for draw in range(pieces.spec.seeds)
        ]
    )
