"""Distances between features, a piece at a time (SCIENCE.md §8)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from ntkcore.kernels.matrices import BLOCK

Float = NDArray[np.float64]


def features(name: str, values: ArrayLike) -> Float:
    """Features (m, d) in float64.

    Raises:
        ValueError: another shape, or what is not finite.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or not found.shape[1] or not np.isfinite(found).all():
        raise ValueError(f"{name}: expected finite numbers (m, d), got shape {found.shape}")
    return found


def nearest_squared(h: Float, others: Float) -> Float:
    """Squared Euclidean distance (m,) of each of ``h`` (m, d) to the nearest of ``others`` (c, d), c at least 1."""
    step = max(1, BLOCK // len(others))
    pieces = [cdist(h[start : start + step], others, "sqeuclidean").min(1) for start in range(0, len(h), step)]
    return np.concatenate(pieces) if pieces else np.empty(0)
