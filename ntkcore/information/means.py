"""Means of groups of scores and what one group has of another, with percentile bootstrap intervals over the images."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.information.detection import RESAMPLES, Estimate

Float = NDArray[np.float64]


def mean_estimate(values: ArrayLike, seed: int = 0) -> Estimate:
    """The mean of ``values`` (n,) with its 95 % interval; of one value both ends are the value itself."""
    found = _values(values)
    return _estimate(float(found.mean()), _drawn(found, np.random.default_rng(seed)))


def ratio_estimate(above: ArrayLike, below: ArrayLike, seed: int = 0) -> Estimate:
    """mean(above) / mean(below), each drawn again within itself.

    Raises:
        ValueError: the mean below is not above 0, so that there is no ratio.
    """
    first, second, generator = _values(above), _values(below), np.random.default_rng(seed)
    if not second.mean() > 0:
        raise ValueError(f"below: expected a mean above 0, got {second.mean():g}")
    top, bottom = _drawn(first, generator), _drawn(second, generator)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = top / bottom
    return _estimate(float(first.mean() / second.mean()), drawn[np.isfinite(drawn)])


def _values(values: ArrayLike) -> Float:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise ValueError(f"values: expected finite numbers (n,), got shape {found.shape}")
    return found


def _drawn(values: Float, generator: np.random.Generator) -> Float:
    """Means of samples drawn again with replacement, (R,)."""
    counts = generator.multinomial(len(values), np.full(len(values), 1 / len(values)), RESAMPLES)
    return np.asarray(counts @ values / len(values))


def _estimate(value: float, drawn: Float) -> Estimate:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, float(low), float(high))
