"""Who is near whom in a kernel, by its distance and by its cosine, and how much of that a plane keeps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

_BAND = 256  # rows of the kernel that are ranked at once


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest other samples of each, the nearest first; equal ones in their order.

    Attributes:
        near, distances: int32 and float64 (n, c) by ‖φ(x) - φ(z)‖ = √(k(x,x) + k(z,z) - 2 k(x,z)).
        alike, cosines: int32 and float64 (n, c) by k(x,z) / √(k(x,x) k(z,z)).
    """

    near: NDArray[np.int32]
    distances: NDArray[np.float64]
    alike: NDArray[np.int32]
    cosines: NDArray[np.float64]


def nearest(kernel: NDArray[np.floating], count: int, progress: Callable[[int, int], None] | None = None) -> Nearest:
    """The ``count`` nearest others of every sample, at most n - 1.

    Args:
        kernel: (n, n) symmetric.
        progress: called with (rows done, rows); may raise ``Cancelled``.
    """
    n = len(kernel)
    count = min(count, n - 1)
    own = np.diagonal(kernel).astype(np.float64)
    norms = np.sqrt(np.maximum(own, np.finfo(np.float64).tiny))
    parts: list[tuple[NDArray, ...]] = []
    for start in range(0, n, _BAND):
        band = kernel[start : start + _BAND].astype(np.float64)
        rows = np.arange(len(band))
        squared = np.maximum(own[start : start + _BAND, None] + own - 2 * band, 0.0)
        cosine = -band / norms[start : start + _BAND, None] / norms
        for values in (squared, cosine):
            values[rows, start + rows] = np.inf  # itself
        near, alike = _smallest(squared, count), _smallest(cosine, count)
        parts.append((near, np.sqrt(np.take_along_axis(squared, near, 1)), alike, -np.take_along_axis(cosine, alike, 1)))
        if progress is not None:
            progress(start + len(band), n)
    near, distances, alike, cosines = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Nearest(near.astype(np.int32), distances, alike.astype(np.int32), cosines)


def share_kept(plane: NDArray[np.float64], near: NDArray[np.int32]) -> NDArray[np.float64]:
    """(n,) share of each sample's true neighbours that are among as many nearest ones on the plane.

    The mean is the trustworthiness of a plane in its plainest form: 1 keeps all neighbours, c / (n - 1) is chance.

    Args:
        plane: (n, 2).
        near: (n, c) the true neighbours, c < n.
    """
    n, count = near.shape
    found = KDTree(plane).query(plane, k=count + 1)[1]
    others = found != np.arange(n)[:, None]
    others[others.all(1), -1] = False  # of coincident points the sample itself need not be among the first
    there = found[others].reshape(n, count)
    return np.asarray((np.sort(there, 1)[:, :, None] == near[:, None, :]).any(2).mean(1))


def _smallest(values: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """(rows, count) places of the smallest values of each row, in order; equal ones by place, as far as the choice of them goes."""
    some = np.sort(np.argpartition(values, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(np.take_along_axis(values, some, 1), axis=1, kind="stable")
    return np.take_along_axis(some, order, 1)
