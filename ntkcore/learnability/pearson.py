"""Pearson's correlation with the interval of Fisher's transformation."""

from dataclasses import dataclass
from math import atanh, nan, sqrt, tanh

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ntkcore.learnability.correlation import paired_vectors

_FEWEST = 4  # the transformation's variance is 1 / (n - 3)


@dataclass(frozen=True, slots=True)
class Pearson:
    """Pearson's r of n pairs and its interval; all NaN where it is not defined."""

    r: float
    low: float
    high: float
    n: int


def pearson_interval(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Pearson:
    """Pearson's r of ``x`` and ``y`` (n,), with ``tanh(atanh r ± z / √(n - 3))``, which is right for pairs that are about normal.

    Not defined for fewer than four pairs, or where one side is constant.
    """
    a, b = paired_vectors(x, y)
    if len(a) < _FEWEST or (a == a[0]).all() or (b == b[0]).all():
        return Pearson(nan, nan, nan, len(a))
    a, b = a - a.mean(), b - b.mean()
    scale = sqrt(float(a @ a) * float(b @ b))
    r = float(np.clip(a @ b / scale, -1.0, 1.0))
    if abs(r) == 1:
        return Pearson(r, r, r, len(a))
    half = float(ndtri((1 + level) / 2)) / sqrt(len(a) - 3)
    return Pearson(r, tanh(atanh(r) - half), tanh(atanh(r) + half), len(a))
