"""``G = (K + λ I)^-1`` in two forms: the matrix itself, from a Cholesky factor, or by K's eigenvectors, which serve every λ."""

import copy
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.linalg import lapack

from ntkcore.cores import product
from ntkcore.errors import ComputationError
from ntkcore.kernels.matrices import BLOCK
from ntkcore.regression.solve import factorise

Float = NDArray[np.float64]
_EPS = float(np.finfo(np.float64).eps)
_TILE = 512


class Resolvent(Protocol):
    """G (N, N), as much of it as is asked for."""

    def before(self, right: Float) -> Float:
        """``G right`` (N, c)."""
        ...

    def after(self, left: Float) -> Float:
        """``left G`` (M, N)."""
        ...

    def columns(self, chosen: Sequence[int]) -> Float:
        """Some of its columns (N, c)."""
        ...

    def diagonal(self, side: int) -> Float:
        """Its diagonal in blocks of ``side`` rows (N / side, side, side)."""
        ...


class Dense:
    """G itself. Memory: 8 N² bytes; operations: N³."""

    def __init__(self, kernel: Float, ridge: float, waiting: Callable[[], None] | None) -> None:
        """Factorise and invert.

        Raises:
            ComputationError: K + λ I is singular to rounding; says which λ would do.
        """
        matrix = kernel.copy()
        matrix.flat[:: len(matrix) + 1] += ridge
        if factorise(matrix, waiting) < _EPS:
            raise singular_kernel(ridge, float(np.trace(kernel)), len(kernel))
        lower, failed = lapack.dpotri(matrix.T, lower=0, overwrite_c=1)  # the transpose is in LAPACK's order
        assert not failed  # a factor has no zero on its diagonal
        self._matrix: Float = lower.T
        for top in range(0, len(self._matrix), _TILE):
            here = slice(top, top + _TILE)
            self._matrix[here, top + _TILE :] = self._matrix[top + _TILE :, here].T
            corner = np.tril(self._matrix[here, here])
            self._matrix[here, here] = corner + np.tril(corner, -1).T

    def without(self, chosen: Sequence[int]) -> "Dense":
        """The resolvent of the matrix without some rows and columns, by a block downdate: 2 c N² operations for c of them."""
        inside = np.ones(len(self._matrix), dtype=bool)
        inside[list(chosen)] = False
        gone = np.flatnonzero(~inside)
        across = self._matrix[np.ix_(inside, gone)]
        rest = copy.copy(self)
        rest._matrix = self._matrix[np.ix_(inside, inside)]
        rest._matrix -= product(across, scipy.linalg.solve(self._matrix[np.ix_(gone, gone)], across.T, assume_a="pos"))
        return rest

    def before(self, right: Float) -> Float:
        return product(self._matrix, right)

    def after(self, left: Float) -> Float:
        return product(left, self._matrix)

    def columns(self, chosen: Sequence[int]) -> Float:
        return self._matrix[:, list(chosen)]

    def diagonal(self, side: int) -> Float:
        n = len(self._matrix) // side
        return self._matrix.reshape(n, side, n, side)[np.arange(n), :, np.arange(n)]


class Spectral:
    """``V (Λ + λ)^-1 Vᵀ``: nothing is made for another λ."""

    def __init__(self, values: Float, vectors: Float, ridge: float) -> None:
        """Take eigenvalues (N,), at least 0 and ascending, and eigenvectors (N, N) in columns.

        Raises:
            ComputationError: K + λ I is singular to rounding; says which λ would do.
        """
        require_regular(values, ridge)
        self._vectors, self._factors = vectors, 1 / (values + ridge)

    def before(self, right: Float) -> Float:
        return product(self._vectors, self._factors[:, None] * product(self._vectors.T, right))

    def after(self, left: Float) -> Float:
        return product(product(left, self._vectors) * self._factors, self._vectors.T)

    def columns(self, chosen: Sequence[int]) -> Float:
        return self._vectors @ (self._factors[:, None] * self._vectors[list(chosen)].T)

    def diagonal(self, side: int) -> Float:
        return diagonal_blocks(self._vectors, self._factors[None, :], side)[0]


def diagonal_blocks(vectors: Float, factors: NDArray, side: int) -> NDArray:
    """Blocks of ``side`` rows on the diagonal of ``V diag(f) Vᵀ`` for each row f of ``factors`` (J, N): (J, N / side, side, side).

    ``factors`` may be complex.
    """
    n = len(vectors) // side
    found = np.empty((len(factors), n, side, side), dtype=factors.dtype)
    step = max(1, BLOCK // (vectors.shape[1] * side * side))
    for start in range(0, n, step):
        rows = vectors[start * side : (start + step) * side].reshape(-1, side, vectors.shape[1])
        products = (rows[:, :, None, :] * rows[:, None, :, :]).reshape(-1, vectors.shape[1])
        found[:, start : start + step] = real_product(factors, products.T).reshape(len(factors), -1, side, side)
    return found


def real_product(left: NDArray, right: Float) -> NDArray:
    """``left @ right`` for a real ``right`` that is never made complex."""
    if not np.iscomplexobj(left):
        return product(left, right)
    both = product(np.concatenate([left.real, left.imag]), right)
    return np.asarray(both[: len(left)] + 1j * both[len(left) :])


def require_regular(values: Float, ridge: float) -> None:
    """Refuse K's eigenvalues (N,), at least 0 and ascending, when K + λ I is singular to rounding.

    Raises:
        ComputationError: says which λ would do.
    """
    if values[0] + ridge <= _EPS * len(values) * (values[-1] + ridge):
        raise singular_kernel(ridge, float(values.sum()), len(values))


def singular_kernel(ridge: float, trace: float, side: int) -> ComputationError:
    """What is said of a kernel that has no inverse. The λ that is named has one by either test, whatever the other eigenvalues are."""
    if not trace > 0:
        return ComputationError("The kernel is zero on these images, so its regression has no answer.", "Choose λ above 0.")
    enough = max(1e-12, 4 * _EPS * side) * trace
    return ComputationError(
        f"The kernel plus λ = {ridge:g} is singular to rounding: some training images repeat each other, or are too many for it.",
        f"Choose λ of at least {enough:.1g}, or remove duplicate images.",
    )
