"""Rank correlations, ties and infinities included: Kendall's, and Spearman's with a percentile bootstrap interval.

Source of the interval: Efron, Tibshirani 1993, "An Introduction to the Bootstrap", §13.3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import kendalltau

from ntkcore.errors import DataError

Progress = Callable[[int, int], None]

_REPORT_EVERY = 50
_FEWEST = 3  # two points correlate perfectly whatever they are


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's ρ and its bootstrap interval.

    Attributes:
        rho: the correlation, NaN if it is not defined.
        low: lower end of the interval; NaN if it is not defined.
        high: upper end.
        replicates: bootstrap samples that had a correlation and made the interval.
        n: pairs.
        level: nominal coverage of the interval.
        defined: whether there is a correlation.
        reason: why not; empty if there is.
    """

    rho: float
    low: float
    high: float
    replicates: int
    n: int
    level: float
    defined: bool
    reason: str = ""


def spearman_interval(
    x: ArrayLike,
    y: ArrayLike,
    *,
    replicates: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> Correlation:
    """Spearman's ρ of ``x`` and ``y`` (Pearson's correlation of mean ranks) with a percentile bootstrap over the pairs.

    Each replicate draws n pairs with replacement and ranks them anew. Ranking needs no sort: the values are coded once by
    rank, and a replicate's mean ranks follow from how often each code was drawn. Cost O(n) per replicate, memory O(n).

    Args:
        x: ``(n,)``; infinite values rank at the ends.
        y: ``(n,)``, likewise.
        replicates: bootstrap samples; 0 for no interval.
        level: coverage of the interval, between 0 and 1.
        seed: of the bootstrap.
        progress: called with replicates done and in all; may raise ``Cancelled``.

    Raises:
        DataError: a value is not a number.
    """
    a, b = _numbers(x, y)
    if not 0 < level < 1 or replicates < 0:
        raise ValueError(f"expected a level between 0 and 1 and at least 0 replicates, got {level} and {replicates}")
    n = len(a)
    reason = _undefined(a, b)
    if reason:
        return Correlation(nan, nan, nan, 0, n, level, False, reason)
    codes_a, codes_b = np.unique(a, return_inverse=True)[1], np.unique(b, return_inverse=True)[1]
    rho = _rho(codes_a, codes_b)
    generator = np.random.default_rng(seed)
    drawn = np.empty(replicates)
    for number in range(replicates):
        index = generator.integers(n, size=n)
        drawn[number] = _rho(codes_a[index], codes_b[index])
        if progress is not None and ((number + 1) % _REPORT_EVERY == 0 or number + 1 == replicates):
            progress(number + 1, replicates)
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) if len(drawn) else (nan, nan)
    return Correlation(rho, float(low), float(high), len(drawn), n, level, True)


def kendall(x: ArrayLike, y: ArrayLike) -> float:
    """Kendall's τ_b of ``x`` and ``y`` (n,): of the pairs of samples that neither ties, those in one order less those in opposite ones.

    ``(C - D) / √((C + D + T_x)(C + D + T_y))``, T_x the pairs that x alone ties. NaN where one of them is constant, or of fewer than three.

    Raises:
        DataError: a value is not a number.
    """
    a, b = _numbers(x, y)
    return nan if _undefined(a, b) else float(kendalltau(*(np.unique(v, return_inverse=True)[1] for v in (a, b))).statistic)


def _numbers(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = paired_vectors(x, y)
    if np.isnan(a).any() or np.isnan(b).any():
        raise DataError("A rank correlation needs numbers, and some values are missing (NaN).", "Leave those images out.")
    return a, b


def paired_vectors(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two vectors (n,) in float64; ValueError when they are not, or not of one length."""
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"x, y: expected two vectors of one length, got shapes {a.shape} and {b.shape}")
    return a, b


def _undefined(a: NDArray[np.float64], b: NDArray[np.float64]) -> str:
    if len(a) < _FEWEST:
        return f"fewer than {_FEWEST} images"
    if (a == a[0]).all():
        return "all values of the first quantity are equal"
    if (b == b[0]).all():
        return "all values of the second quantity are equal"
    return ""


def _rho(codes_a: NDArray[np.intp], codes_b: NDArray[np.intp]) -> float:
    """Pearson's correlation of the mean ranks; NaN if one side is constant."""
    a, b = _centred_ranks(codes_a), _centred_ranks(codes_b)
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip((a @ b) / scale, -1.0, 1.0)) if scale > 0 else nan


def _centred_ranks(codes: NDArray[np.intp]) -> NDArray[np.float64]:
    count = np.bincount(codes)
    mean_rank = np.cumsum(count) - (count - 1) / 2
    return mean_rank[codes] - (len(codes) + 1) / 2
