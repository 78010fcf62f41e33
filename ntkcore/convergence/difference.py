"""Relative differences between a cheap kernel and the full one, and between what is computed from them.

One rule where the full kernel's norm is 0: the ratio is 0 if the other is 0 too (they agree), else inf.
"""

from collections.abc import Iterator
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.kernels.matrices import checked_kernel, row_blocks


def relative_frobenius(full: ArrayLike, cheap: ArrayLike) -> float:
    """``|cheap ⊗ I - Theta|_F / |Theta|_F`` over all pairs together (Thesis Fig. 3.3); ``cheap ⊗ I`` is never formed.

    Differs from the source's caption, which can be read as a difference of norms: this is the norm of the difference, as in eq. 3.3.

    Args:
        full: (n, m, k, k).
        cheap: (n, m).
    """
    difference = norm = 0.0
    for _, square, total in _squares(full, cheap):
        difference += float(square.sum())
        norm += float(total.sum())
    return float(_ratio(np.sqrt(difference), np.sqrt(norm)))


def pair_errors(full: ArrayLike, cheap: ArrayLike) -> NDArray[np.float64]:
    """(n, m) ``|cheap(x,z) I - Theta(x,z)|_F / |Theta(x,z)|_F`` of every pair (Thesis Theorem 3.3.1, Fig. A.10).

    Args:
        full: (n, m, k, k).
        cheap: (n, m).
    """
    result = np.empty(np.shape(cheap))
    for rows, square, total in _squares(full, cheap):
        result[rows] = _ratio(np.sqrt(square), np.sqrt(total))
    return result


def prediction_difference(cheap: ArrayLike, full: ArrayLike) -> float:
    """``|f^ - f|_F / |f|_F`` of two regressions' outputs, each (m, k) (Thesis Fig. 3.7)."""
    a, b = np.asarray(cheap, dtype=np.float64), np.asarray(full, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"cheap, full: expected one shape, got {a.shape} and {b.shape}")
    return float(_ratio(np.linalg.norm(a - b), np.linalg.norm(b)))


@overload
def relative_difference(cheap: float, full: float) -> float: ...
@overload
def relative_difference(cheap: NDArray, full: NDArray) -> NDArray[np.float64]: ...
def relative_difference(cheap: ArrayLike, full: ArrayLike) -> float | NDArray[np.float64]:
    """``|cheap - full| / |full|`` element by element; NaN where it is not defined: full is 0, or one of the two is not finite.

    For numbers such as the largest eigenvalue (Thesis Figs. 3.4-3.6). A number for two numbers, else an array of their common shape.
    """
    a, b = np.broadcast_arrays(np.asarray(cheap, dtype=np.float64), np.asarray(full, dtype=np.float64))
    known = np.isfinite(a) & np.isfinite(b) & (b != 0)
    result = np.full(a.shape, np.nan)
    result[known] = np.abs(a[known] - b[known]) / np.abs(b[known])
    return result if result.ndim else float(result)


def _squares(full: ArrayLike, cheap: ArrayLike) -> Iterator[tuple[slice, NDArray[np.float64], NDArray[np.float64]]]:
    """Rows with, for each of their pairs, the squared norms of ``cheap I - Theta`` and of ``Theta``, both (b, m)."""
    kernel, other = checked_kernel(full, "full"), checked_kernel(cheap, "cheap")
    if kernel.ndim != 4 or other.shape != kernel.shape[:2]:
        raise ValueError(f"full, cheap: expected shapes (n, m, k, k) and (n, m), got {kernel.shape} and {other.shape}")
    diagonal = range(kernel.shape[2])
    for rows, block in row_blocks(kernel):
        total = np.einsum("ijop,ijop->ij", block, block)
        # The difference itself: expanding the square would cancel and lose half of the digits where the kernels are close.
        block[:, :, diagonal, diagonal] -= other[rows, :, None]
        yield rows, np.einsum("ijop,ijop->ij", block, block), total


def _ratio(difference: ArrayLike, norm: ArrayLike) -> NDArray[np.float64]:
    a, b = np.asarray(difference, dtype=np.float64), np.asarray(norm, dtype=np.float64)
    result = np.where(a == 0, 0.0, np.inf)
    return np.divide(a, b, out=result, where=b != 0)
