"""How well two sets of scores of the same images agree (Unique-info Table 1, Figs. 5, 6)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.information.detection import RESAMPLES, Estimate

Float = NDArray[np.float64]

FEWEST = 4
"""Pairs below which nothing is correlated: three lie on a line too easily."""


def pearson_estimate(x: ArrayLike, y: ArrayLike, seed: int = 0) -> Estimate:
    """Pearson's r of x and y (n,), with the 95 % percentile interval of bootstrap samples of the pairs.

    The scores are squared norms with long tails, for which Fisher's interval, which takes pairs for normal, is too narrow. All NaN for
    fewer than FEWEST pairs, values that are not finite, or a side that does not vary; samples on which a side does not vary are left out.
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"x, y: expected (n,) of one length, got {a.shape} and {b.shape}")
    if len(a) < FEWEST or not (np.isfinite(a).all() and np.isfinite(b).all()) or np.ptp(a) == 0 or np.ptp(b) == 0:
        return Estimate(np.nan, np.nan, np.nan)
    drawn = np.random.default_rng(seed).integers(len(a), size=(RESAMPLES, len(a)))
    with np.errstate(invalid="ignore", divide="ignore"):
        sampled = _rows(a[drawn], b[drawn])
    low, high = np.quantile(sampled[np.isfinite(sampled)], [0.025, 0.975])
    return Estimate(float(_rows(a[None], b[None])[0]), float(low), float(high))


def _rows(a: Float, b: Float) -> Float:
    """Pearson's r of each row; NaN where one does not vary."""
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    return np.asarray(np.clip((a * b).sum(1) / np.sqrt(np.square(a).sum(1) * np.square(b).sum(1)), -1, 1))


def correlation_matrix(scores: ArrayLike, ranks: bool = False) -> Float:
    """Pearson's r, or Spearman's ρ, (V, V) between rows (V, n); NaN where a row does not vary."""
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"scores: expected (V, n), got {values.shape}")
    rows = _mean_ranks(values) if ranks else values
    rows = rows - rows.mean(1, keepdims=True)
    norms = np.sqrt(np.square(rows).sum(1))
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = np.where(norms > 0, 1, np.nan)[:, None] * rows / norms[:, None]
    return np.asarray(np.clip(rows @ rows.T, -1, 1))


def overlap_matrix(scores: ArrayLike, top: int = 10) -> NDArray[np.int64]:
    """How many of their ``top`` highest scored images two rows of (V, n) share, (V, V)."""
    values = np.asarray(scores, dtype=np.float64)
    inside = np.zeros(values.shape, dtype=np.int64)
    np.put_along_axis(inside, np.argsort(-values, axis=1, kind="stable")[:, :top], 1, axis=1)
    return np.asarray(inside @ inside.T)


def _mean_ranks(values: Float) -> Float:
    """Ranks along each row; equal values share the mean of theirs."""
    found = np.empty_like(values)
    for row, one in zip(found, values, strict=True):
        _, code, count = np.unique(one, return_inverse=True, return_counts=True)
        row[:] = (np.cumsum(count) - (count - 1) / 2)[code]
    return found
