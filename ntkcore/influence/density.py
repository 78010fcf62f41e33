"""Density of the training samples, by a Gaussian kernel estimate in a projection of the data (SCIENCE.md §4; IF-NTK Fig. 3).

In the space of all pixels an estimate degenerates: every sample is its own peak. The samples are therefore standardised and projected
on their first principal components; how many, and the bandwidth, are the reader's to vary.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from ntkcore.errors import DataError
from ntkcore.influence.projection import principal_coordinates
from ntkcore.kernels.matrices import BLOCK

Float = NDArray[np.float64]
Rule = Literal["scott", "silverman", "cv"]

CANDIDATES = np.geomspace(0.25, 4.0, 13)
"""Multiples of Scott's bandwidth among which cross-validation chooses."""


@dataclass(frozen=True, slots=True)
class Density:
    """A density estimate at its own samples.

    Attributes:
        log_density: (n,) natural logarithm; the density is in units of one over the projection's volume.
        bandwidth: standard deviation of the Gaussian, in units of the projection's coordinates, each of variance 1.
        dimension: coordinates of the projection.
        explained: share of the standardised samples' variance in it.
    """

    log_density: Float
    bandwidth: float
    dimension: int
    explained: float


def kde_density(x: ArrayLike, dimension: int = 10, bandwidth: Rule | float = "scott") -> Density:
    """The density of each sample under the Gaussian estimate from all of them.

    Args:
        x: (n, ...) samples.
        dimension: principal components kept; fewer where the samples span fewer.
        bandwidth: Scott's ``n^(-1/(d+4))``, Silverman's ``(n (d+2) / 4)^(-1/(d+4))``, the one of CANDIDATES times Scott's with the largest
            leave-one-out likelihood ("cv"), or a number.

    Raises:
        DataError: a bandwidth that is not positive, or what :func:`principal_coordinates` refuses.
    """
    if not isinstance(bandwidth, str) and not (np.isfinite(bandwidth) and bandwidth > 0):
        raise DataError(f"The bandwidth has to be positive, not {bandwidth:g}.", "Choose one of the rules, or a number above 0.")
    points, shares = principal_coordinates(x, dimension)
    n, d = points.shape
    scott = n ** (-1 / (d + 4))
    if bandwidth == "cv":
        width = scott * float(max(CANDIDATES, key=lambda factor: _log_density(points, scott * factor, own=False).sum()))
    else:
        width = {"scott": scott, "silverman": (n * (d + 2) / 4) ** (-1 / (d + 4))}[bandwidth] if isinstance(bandwidth, str) else bandwidth
    return Density(_log_density(points, width, own=True), float(width), d, float(shares[-1]))


def _log_density(points: Float, width: float, own: bool) -> Float:
    """(n,) log of the mean of Gaussians around all samples, or around all others."""
    n, d = points.shape
    norms = np.square(points).sum(1)
    result = np.empty(n)
    step = max(1, BLOCK // n)
    for start in range(0, n, step):
        rows = slice(start, min(n, start + step))
        exponents = -np.maximum(norms[rows, None] + norms - 2 * points[rows] @ points.T, 0.0) / (2 * width**2)
        if not own:
            exponents[np.arange(rows.stop - start), np.arange(start, rows.stop)] = -np.inf
        result[rows] = logsumexp(exponents, axis=1)
    return result - np.log(n if own else n - 1) - d * np.log(width * np.sqrt(2 * np.pi))
