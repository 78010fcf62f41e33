"""What a comparison of strategies says: means, areas, labels needed, and whether they differ (Thesis §2.4, Table 2.1).

Rows are seeds, on which all strategies had the same start and draws, so that the tests are paired.
"""

from dataclasses import dataclass
from math import nan

import numpy as np
import scipy.stats
from numpy.typing import ArrayLike, NDArray

from ntkcore.information.detection import mean_interval

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Means:
    """Means over seeds (c,) and Student's 95 % interval of each; NaN ends where there is one seed."""

    value: Float
    low: Float
    high: Float


@dataclass(frozen=True, slots=True)
class Friedman:
    """Friedman's test of equal strategies.

    Attributes:
        statistic: χ², corrected for ties; 0 where all strategies tie on every seed.
        p: by the χ² distribution of strategies - 1 degrees of freedom, an approximation that is rough for few seeds.
        ranks: (strategies,) mean ranks, the largest value has the largest.
    """

    statistic: float
    p: float
    ranks: Float


@dataclass(frozen=True, slots=True)
class PairedTests:
    """Paired t-tests of each strategy with each other (s, s): row less column.

    Attributes:
        difference: means over seeds.
        t: statistics; 0 where they are the same on every seed, infinite where they differ by the same on every one.
        p: two-sided, each by itself; 1 on the diagonal.
        corrected: p with Holm's correction over all pairs.
    """

    difference: Float
    t: Float
    p: Float
    corrected: Float


def means(values: ArrayLike) -> Means:
    """Means over the seeds of ``values`` (seeds, c), column by column."""
    found = [mean_interval(column) for column in _matrix(values, 1, 1).T]
    return Means(*(np.array([getattr(one, name) for one in found]) for name in ("value", "low", "high")))


def area(labels: ArrayLike, accuracy: ArrayLike) -> Float:
    """Area under accuracy over labels by trapezoids, divided by the labels' range (...,): the mean accuracy on the way.

    Args:
        labels: (c,), rising, c at least 2.
        accuracy: (..., c).
    """
    at, values = _curve(labels, accuracy)
    if len(at) < 2:
        raise ValueError("labels: expected at least two numbers of labels")
    return np.asarray(np.trapezoid(values, at, axis=-1) / (at[-1] - at[0]))


def labels_needed(labels: ArrayLike, accuracy: ArrayLike, level: float) -> float:
    """Labels at which an accuracy (c,) first is ``level``, linear between cycles; NaN where it never is. Args: as for :func:`area`."""
    at, values = _curve(labels, accuracy)
    if values.ndim != 1:
        raise ValueError(f"accuracy: expected shape (c,), got {values.shape}")
    reached = np.flatnonzero(values >= level)
    if not len(reached):
        return nan
    first = int(reached[0])
    if first == 0:
        return float(at[0])
    share = (level - values[first - 1]) / (values[first] - values[first - 1])
    return float(at[first - 1] + share * (at[first] - at[first - 1]))


def friedman(values: ArrayLike) -> Friedman:
    """Friedman's test of ``values`` (seeds, strategies), at least 2 seeds and 3 strategies."""
    found = _matrix(values, 2, 3)
    seeds, strategies = found.shape
    ranks = scipy.stats.rankdata(found, axis=1)
    spread = np.square(ranks - (strategies + 1) / 2).sum()  # with no ties seeds s (s² - 1) / 12
    if spread == 0:
        return Friedman(0.0, 1.0, ranks.mean(0))
    statistic = (strategies - 1) * np.square(ranks.sum(0) - seeds * (strategies + 1) / 2).sum() / spread
    return Friedman(float(statistic), float(scipy.stats.chi2.sf(statistic, strategies - 1)), ranks.mean(0))


def paired_tests(values: ArrayLike) -> PairedTests:
    """Paired t-tests with Holm's correction of ``values`` (seeds, strategies), at least 2 of both."""
    found = _matrix(values, 2, 2)
    seeds, strategies = found.shape
    each = found[:, :, None] - found[:, None, :]
    difference, error = each.mean(0), each.std(0, ddof=1) / np.sqrt(seeds)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(difference == 0, 0.0, difference / error)
    p = 2 * scipy.stats.t.sf(np.abs(t), seeds - 1)
    upper = np.triu_indices(strategies, 1)
    corrected = np.ones_like(p)
    corrected[upper] = holm(p[upper])
    return PairedTests(difference, t, p, np.minimum(corrected, corrected.T))


def holm(p: ArrayLike) -> Float:
    """Adjusted p (m,): at most α where Holm's step-down procedure at level α rejects (Holm 1979)."""
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p: expected numbers from 0 to 1, (m,)")
    order = np.argsort(values)
    found = np.empty_like(values)
    found[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)), 1)
    return found


def _matrix(values: ArrayLike, rows: int, columns: int) -> Float:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or found.shape[0] < rows or found.shape[1] < columns or not np.isfinite(found).all():
        raise ValueError(f"values: expected finite numbers of at least {rows} seeds and {columns} columns, got shape {found.shape}")
    return found


def _curve(labels: ArrayLike, accuracy: ArrayLike) -> tuple[Float, Float]:
    at, values = np.asarray(labels, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    if at.ndim != 1 or not len(at) or values.shape[-1:] != at.shape or not (np.diff(at) > 0).all():
        raise ValueError(f"labels, accuracy: expected rising labels (c,) and accuracy (..., c), got shapes {at.shape} and {values.shape}")
    return at, values
