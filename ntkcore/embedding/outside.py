"""Samples that a plane was not made of, laid on it (Schölkopf, Smola, Müller 1998, eq. 15: a projection on the eigenvectors)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEAREST = 10
"""Samples of the plane that stand for one outside of it where the plane is no projection."""
_BAND = 256  # rows that are laid at once


@dataclass(frozen=True, slots=True)
class Outside:
    """Samples beside those of a plane.

    Attributes:
        coordinates: float64 (m, d) on the same axes.
        near: int32 (m, c) the nearest samples of the plane by the kernel's distance, the nearest first.
    """

    coordinates: NDArray[np.float64]
    near: NDArray[np.int32]


def outside(kernel: NDArray[np.floating], others: NDArray[np.floating], coordinates: NDArray[np.float64]) -> Outside:
    """Where others lie.

    Of the centred kernel only ``k(x, z) - mean_i k(z_i, z)`` is left in a projection, for the eigenvectors v_j sum to 0:
    ``(k(x, Z) - 1ᵀK / n) v_j / √λ_j``, and column j of the coordinates is ``√λ_j v_j``. An axis that carries nothing is 0.

    Args:
        kernel: (n, n) of the plane's samples.
        others: (m, n) of others with them.
        coordinates: (n, d) as :class:`~ntkcore.embedding.Principal` has them.
    """
    carried = np.square(coordinates).sum(0)
    turned = np.divide(coordinates, carried, out=np.zeros_like(coordinates), where=carried > 1e-12 * max(carried.max(), 1e-300))
    own, means = np.diagonal(kernel).astype(np.float64), kernel.mean(0, dtype=np.float64)
    where, near = np.empty((len(others), coordinates.shape[1])), np.empty((len(others), min(NEAREST, len(kernel))), dtype=np.int32)
    for start in range(0, len(others), _BAND):
        rows = slice(start, start + _BAND)
        seen = others[rows].astype(np.float64)
        where[rows] = (seen - means) @ turned
        near[rows] = np.argsort(own - 2 * seen, axis=1, kind="stable")[:, : near.shape[1]]  # the distance squared, less k(x, x)
    return Outside(where, near)


def among(plane: NDArray[np.float64], near: NDArray[np.int32]) -> NDArray[np.float64]:
    """(m, 2) on a plane that is no projection: the median of each one's nearest samples (as openTSNE begins, Poličar et al. 2024).

    Args:
        plane: (n, 2).
        near: (m, c) of those samples.
    """
    return np.asarray(np.median(plane[near], axis=1))
