"""A kernel as a matrix: float64 rows a piece at a time, and the symmetric matrix that is factorised or decomposed.

A kernel is (n, m), one number per pair of samples, or (n, m, k, k), the block ``[i, j, o, p] = <grad f_o(x_i), grad f_p(z_j)>``.
As a matrix the latter is (n k, m k) with the row ``i k + o`` of sample i and output o: the order of a flattened (n, k) array.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.errors import ComputationError

BLOCK = 2**22
"""Numbers of a piece in float64 (32 MiB)."""

_TILE = 512


def checked_kernel(kernel: ArrayLike, name: str = "kernel") -> NDArray:
    """``kernel`` as an array of its own dtype, (n, m) or (n, m, k, k) with nothing of it empty.

    Raises:
        ValueError: another shape.
    """
    values = np.asarray(kernel)
    if values.ndim not in (2, 4) or values.size == 0 or (values.ndim == 4 and values.shape[2] != values.shape[3]):
        raise ValueError(f"{name}: expected shape (n, m) or (n, m, k, k), got {values.shape}")
    return values


def checked_square(kernel: ArrayLike, name: str = "kernel") -> NDArray:
    """:func:`checked_kernel` of as many columns as rows."""
    values = checked_kernel(kernel, name)
    if values.shape[0] != values.shape[1]:
        raise ValueError(f"{name}: expected as many columns as rows, got shape {values.shape}")
    return values


def row_blocks(kernel: NDArray) -> Iterator[tuple[slice, NDArray]]:
    """Rows of the kernel with their float64 copy (b, ...), about BLOCK numbers at a time (at least one sample)."""
    step = max(1, BLOCK // max(1, kernel[0].size)) if len(kernel) else 1
    for start in range(0, len(kernel), step):
        rows = slice(start, min(len(kernel), start + step))
        yield rows, kernel[rows].astype(np.float64)


def flat(block: NDArray) -> NDArray:
    """(b, m) unchanged; (b, m, k, k) as the matrix (b k, m k), a copy."""
    if block.ndim == 2:
        return block
    b, m, k, _ = block.shape
    return block.transpose(0, 2, 1, 3).reshape(b * k, m * k)


def symmetrised(kernel: NDArray, out: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """``(K + K^T) / 2`` as an (N, N) float64 matrix, N = n or n k; exactly symmetric, and K itself where K is.

    The only array of that size that is made is the result (8 N² bytes), or none with ``out``, which is overwritten.

    Raises:
        ComputationError: entries that are not finite.
    """
    side = len(kernel) * (kernel.shape[2] if kernel.ndim == 4 else 1)
    matrix = np.empty((side, side)) if out is None else out
    scale = side // len(kernel)
    for rows, block in row_blocks(kernel):
        if not np.isfinite(block).all():
            raise ComputationError(
                "The kernel has entries that are NaN or infinite.", "Train with a smaller learning rate, or compute it in float64."
            )
        matrix[rows.start * scale : rows.stop * scale] = flat(block)
    for top in range(0, side, _TILE):
        here = slice(top, top + _TILE)
        for left in range(top, side, _TILE):
            there = slice(left, left + _TILE)
            mean = matrix[here, there] / 2 + matrix[there, here].T / 2
            matrix[here, there] = mean
            matrix[there, here] = mean.T
    return matrix
