"""Samples that a network cannot tell apart: their gradients point the same way, so that the kernel is singular.

The gradients of x and z are parallel where ``k(x, z)² = k(x, x) k(z, z)``, the case of equality of Cauchy and Schwarz. A full kernel
(n, n, k, k) counts by its mean over the outputs.
"""

from collections.abc import Callable, Iterator
from math import isqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ntkcore.kernels.matrices import BLOCK, checked_square

Float = NDArray[np.float64]
Pairs = NDArray[np.int64]


def dependent_pairs(kernel: ArrayLike, floor: float) -> Pairs:
    """(p, 2) pairs, the smaller number first, that alone make the kernel singular: their own 2 × 2 kernel has an eigenvalue ≤ ``floor``.

    The whole kernel's smallest eigenvalue is at most that of any of its principal blocks (Cauchy's interlacing), of a full kernel at most
    the mean over the outputs of such. Samples whose own k(x, x) is no larger than ``floor`` are in no pair: :func:`silent` names them.

    Args:
        kernel: (n, n) or (n, n, k, k), whose symmetric part counts.
        floor: what is rounding, as :func:`~ntkcore.kernels.spectrum.rounding_floor` says; at least 0.
    """
    return _pairs(kernel, lambda a, b, c: (a + b) / 2 - np.hypot((a - b) / 2, c) <= floor, floor)


def parallel_pairs(kernel: ArrayLike, cosine: float) -> Pairs:
    """(p, 2) pairs, the smaller number first, whose ``k(x, z) / sqrt(k(x, x) k(z, z))`` is at least ``cosine``.

    Args:
        kernel: (n, n) or (n, n, k, k), whose symmetric part counts.
        cosine: above 0, at most 1.
    """
    if not 0 < cosine <= 1:
        raise ValueError(f"cosine: expected a number above 0 and at most 1, got {cosine}")
    return _pairs(kernel, lambda a, b, c: c >= cosine * np.sqrt(a * b), 0.0)


def silent(kernel: ArrayLike, floor: float) -> NDArray[np.int64]:
    """Numbers of the samples whose k(x, x) is at most ``floor``: no output reacts to any weight on them."""
    return np.flatnonzero(_own(checked_square(kernel)) <= floor)


def groups_of(pairs: Pairs, n: int) -> tuple[tuple[int, ...], ...]:
    """The groups of samples that pairs (p, 2) among n connect, each in ascending order, the largest first."""
    if not len(pairs):
        return ()
    linked = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, group = connected_components(linked, directed=False)
    order = np.argsort(group, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    return tuple(sorted((tuple(part.tolist()) for part in parts if len(part) > 1), key=lambda found: (-len(found), found)))


def _pairs(kernel: ArrayLike, chosen: Callable[[Float, Float, Float], NDArray[np.bool_]], floor: float) -> Pairs:
    values = checked_square(kernel)
    own, found = _own(values), [np.empty((0, 2), dtype=np.int64)]
    for rows, columns, tile in _tiles(values):
        hit = chosen(own[rows, None], own[None, columns], tile)
        hit &= (own[rows, None] > floor) & (own[None, columns] > floor)
        i, j = np.nonzero(hit)
        pairs = np.stack([i + rows.start, j + columns.start], axis=1)
        found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found)


def _own(values: NDArray) -> Float:
    """k(x, x) (n,)."""
    own = np.diagonal(values) if values.ndim == 2 else np.einsum("iiaa->i", values) / values.shape[2]
    return np.asarray(own, dtype=np.float64)


def _tiles(values: NDArray) -> Iterator[tuple[slice, slice, Float]]:
    """The symmetric part, of a full kernel its mean over the outputs, in tiles on and above the diagonal."""
    side = max(1, isqrt(BLOCK // values[0, 0].size))
    parts = [slice(start, min(len(values), start + side)) for start in range(0, len(values), side)]
    for number, rows in enumerate(parts):
        for columns in parts[number:]:
            both = values[rows, columns].astype(np.float64), values[columns, rows].astype(np.float64)
            if values.ndim == 4:
                both = np.einsum("ijaa->ij", both[0]) / values.shape[2], np.einsum("ijaa->ij", both[1]) / values.shape[2]
            yield rows, columns, (both[0] + both[1].T) / 2
