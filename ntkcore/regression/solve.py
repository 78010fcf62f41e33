"""Solves ``(K + lambda I) beta = y`` by Cholesky in float64, and says what it took: jitter, residual, condition."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

from ntkcore.cores import product
from ntkcore.errors import ComputationError
from ntkcore.kernels.matrices import symmetrised
from ntkcore.kernels.spectrum import rounding_unit

LARGEST_JITTER = 1e-2
"""Above this share of the mean eigenvalue a jitter would be a choice of lambda, which is the user's."""

_PANEL = 512  # columns factorised at a time: the longest wait between two calls of `waiting` is about N² panel / 2 products


@dataclass(frozen=True, slots=True)
class Solution:
    """``beta`` (N, c) and how well it solves; the fields are those of :class:`~ntkcore.regression.predict.Prediction`."""

    beta: NDArray[np.float64]
    jitter: float
    residual: float
    reciprocal_condition: float


def solve(kernel: NDArray, right: NDArray[np.float64], ridge: float, waiting: Callable[[], None] | None = None) -> Solution:
    """``beta = (K + ridge I)^-1 right`` with K the symmetric part of ``kernel``.

    When ``A = K + ridge I`` is not numerically positive definite (a pivot that is not positive, or a reciprocal condition below the
    unit of float64, LAPACK's own test in xPOSVX), the first jitter of the ladder ``eps trace(K)/N × 1, 10, 100, …`` for which it is
    one is added to the diagonal, eps being the unit of the kernel's dtype: the entries are not known better than that.

    Args:
        kernel: (n, n) or (n, n, k, k); N = n or n k.
        right: (N, c).
        ridge: lambda, at least 0, absolute.
        waiting: called between panels of the factorisation; may raise ``Cancelled``.

    Returns:
        The solution; memory: one (N, N) float64 matrix.

    Raises:
        ComputationError: entries that are not finite, a kernel that is zero, or so far from positive definite that no rung helps.
    """
    matrix = symmetrised(kernel)
    mean = float(np.trace(matrix)) / len(matrix)
    for jitter in (0.0, *_ladder(mean, rounding_unit(kernel.dtype))):
        if jitter:
            symmetrised(kernel, matrix)
        matrix.flat[:: len(matrix) + 1] += ridge + jitter
        found = factorise(matrix, waiting)
        if found >= np.finfo(np.float64).eps:
            break
    else:
        if not np.any(kernel):
            raise ComputationError("The kernel is zero on these images, so its regression has no answer.", "Choose a wider network.")
        raise ComputationError("The kernel is far from positive definite.", "Compute it in float64, or choose a larger λ.")
    beta = scipy.linalg.cho_solve((matrix.T, False), right, check_finite=False)
    symmetrised(kernel, matrix)  # the factor has served; the residual is that of the system asked for
    size = float(np.linalg.norm(right))
    residual = float(np.linalg.norm(matrix @ beta + ridge * beta - right)) / size if size else 0.0
    return Solution(beta, jitter, residual, found)


def _ladder(mean: float, unit: float) -> Iterator[float]:
    step = unit
    while mean > 0 and step <= LARGEST_JITTER:
        yield step * mean
        step *= 10


def factorise(matrix: NDArray[np.float64], waiting: Callable[[], None] | None) -> float:
    """Overwrite the lower triangle with the Cholesky factor; LAPACK's estimate of the reciprocal condition, 0 where there is no factor.

    A left-looking factorisation by panels of columns, which can be cancelled between two panels as one LAPACK call cannot.
    """
    size = len(matrix)
    norm = max(float(np.abs(matrix[start : start + _PANEL]).sum(1).max()) for start in range(0, size, _PANEL))
    for start in range(0, size, _PANEL):
        if waiting is not None:
            waiting()
        stop = min(size, start + _PANEL)
        panel = matrix[start:, start:stop]
        if start:
            panel -= product(matrix[start:, :start], matrix[start:stop, :start].T)
        corner, failed = lapack.dpotrf(panel[: stop - start], lower=1)
        if failed:
            return 0.0
        panel[: stop - start] = corner
        if stop < size:
            panel[stop - start :] = blas.dtrsm(1.0, corner, panel[stop - start :], side=1, lower=1, trans_a=1)
    return float(lapack.dpocon(matrix.T, norm, uplo="U")[0])  # the transpose is in LAPACK's order: no copy
