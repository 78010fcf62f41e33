"""The predicted decay of each sample's error: diagonal kernel, its envelope, and the full kernel (Learnability eqs. 13-18).

Time is the gradient-flow time τ = learning rate × steps on the summed loss, the source's ηt. With k outputs the error of
a sample is a vector ``(k,)``, all of whose components decay with the same kernel (averaged over outputs); results are
its norms. Differs from the source by: eq. 15 is stated for absolute values, without which it fails for negative errors.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.errors import ComputationError

Progress = Callable[[int, int], None]

_BLOCK = 2**22  # float64 numbers of one intermediate block (32 MiB)


def diagonal_decay(error0: ArrayLike, score: ArrayLike, time: ArrayLike) -> NDArray[np.float64]:
    """Norms of e_τ under a diagonal kernel, ``|e_0(x_i)| exp(-k(x_i,x_i) τ)`` (eqs. 14, 16, 18).

    Args:
        error0: ``(n, k)`` outputs minus targets at τ = 0.
        score: ``(n,)`` k(x,x), at least 0.
        time: ``(t,)`` τ, at least 0.

    Returns:
        ``(t, n)``.
    """
    norm0, rate, tau = _checked(error0, score, time)
    return np.exp(-tau[:, None] * rate) * norm0


def envelope(error0: ArrayLike, score: ArrayLike, time: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bounds ``exp(-k_max τ) |e_0| ≤ |e_τ| ≤ exp(-k_min τ) |e_0|`` of the diagonal kernel (eq. 15), each ``(t, n)``.

    Arguments as in :func:`diagonal_decay`; the extremes are taken over ``score``. A full kernel need not keep them.
    """
    norm0, rate, tau = _checked(error0, score, time)
    return np.exp(-tau * rate.max())[:, None] * norm0, np.exp(-tau * rate.min())[:, None] * norm0


def full_decay(
    eigenvalues: ArrayLike,
    eigenvectors: ArrayLike,
    error0: ArrayLike,
    time: ArrayLike,
    members: ArrayLike | None = None,
    *,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """Norms of ``e_τ = exp(-K τ) e_0`` (eq. 17) from the eigendecomposition ``K = V diag(λ) Vᵀ``.

    Args:
        eigenvalues: ``(n,)`` λ. Negative ones as small as rounding leaves (1e-5 of the largest, or n single-precision
            units) count as 0, which a Gram matrix has in their place.
        eigenvectors: ``(n, n)`` V, in columns.
        error0: ``(n, k)`` outputs minus targets at τ = 0.
        time: ``(t,)`` τ, at least 0.
        members: ``(m,)`` samples wanted; all if left out.
        progress: called with times done and in all; may raise ``Cancelled``.

    Returns:
        ``(t, n)`` or ``(t, m)``. Beside it and the copy of V's rows, the memory used does not grow with t.

    Raises:
        ComputationError: the kernel has eigenvalues that are negative beyond rounding, or not finite.
    """
    rates, vectors = np.asarray(eigenvalues, dtype=np.float64), np.asarray(eigenvectors, dtype=np.float64)
    errors, tau = _error0(error0), _time(time)
    n, k = errors.shape
    if rates.shape != (n,) or vectors.shape != (n, n):
        raise ValueError(f"expected {n} eigenvalues and {n} eigenvectors, got shapes {rates.shape} and {vectors.shape}")
    rates = _not_negative(rates)
    amplitude = vectors.T @ errors
    rows = vectors if members is None else vectors[np.asarray(members, dtype=np.intp)]
    result = np.empty((len(tau), len(rows)))
    block = max(1, _BLOCK // max(1, n * k))
    for start in range(0, len(tau), block):
        part = tau[start : start + block]
        decayed = np.exp(-rates[:, None] * part)[:, :, None] * amplitude[:, None, :]
        product = rows @ decayed.reshape(n, len(part) * k)
        result[start : start + len(part)] = np.linalg.norm(product.reshape(len(rows), len(part), k), axis=2).T
        if progress is not None:
            progress(start + len(part), len(tau))
    return result


def _checked(error0: ArrayLike, score: ArrayLike, time: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    errors, rate, tau = _error0(error0), np.asarray(score, dtype=np.float64), _time(time)
    if rate.shape != (len(errors),):
        raise ValueError(f"score: expected shape ({len(errors)},), got {rate.shape}")
    if not np.isfinite(rate).all() or (rate < 0).any():
        raise ComputationError("k(x,x) is negative or not a finite number for some images.", "Check the images and the network's weights.")
    return np.linalg.norm(errors, axis=1), rate, tau


def _error0(error0: ArrayLike) -> NDArray[np.float64]:
    errors = np.asarray(error0, dtype=np.float64)
    if errors.ndim != 2 or len(errors) == 0:
        raise ValueError(f"error0: expected shape (n, k) with at least one sample, got {errors.shape}")
    return errors


def _time(time: ArrayLike) -> NDArray[np.float64]:
    tau = np.asarray(time, dtype=np.float64)
    if tau.ndim != 1 or not (tau >= 0).all():
        raise ValueError("time: expected shape (t,), values at least 0")
    return tau


def _not_negative(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = np.abs(rates).max()
    tolerance = max(1e-5, len(rates) * float(np.finfo(np.float32).eps)) * largest
    if not np.isfinite(rates).all() or (rates < -tolerance).any():
        raise ComputationError(
            "The kernel matrix has negative or non-finite eigenvalues, so its training dynamics do not exist.",
            "Compute the kernel in float64.",
        )
    return np.maximum(rates, 0.0)
