"""Influence in the NTK regime: exact leave-one-out, and the IHVP method's estimate of it (SCIENCE.md §4; IF-NTK eqs. 8-14).

Sign: positive means that removing the training image raises the test image's loss, so the image is helpful; negative, harmful.
The unit is that of the loss ``½ ‖f(x) - y‖²``.
"""

from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.kernels.matrices import checked_kernel, row_blocks
from ntkcore.regression import KernelRegression

Float = NDArray[np.float64]


def kernel_influence(
    regression: KernelRegression,
    k_test_train: ArrayLike,
    test_targets: ArrayLike,
    time: float = inf,
    f_test_init: ArrayLike | None = None,
) -> Float:
    """``I(i, x) = ½‖f_τ^(without i)(x) - y‖² - ½‖f_τ(x) - y‖² = <Δ, f_τ(x) - y> + ½‖Δ‖²`` for every pair (IF-NTK eqs. 8, 9, 14).

    Nothing of size (m, n, k) is held: the shifts Δ are reduced a piece at a time.

    Args:
        regression: fitted to the n training samples, k outputs.
        k_test_train: (m, n) or (m, n, k, k).
        test_targets: (m, k).
        time: τ of gradient flow; inf is the end of training.
        f_test_init: (m, k) the network's outputs at τ = 0; None: 0.

    Returns:
        (n, m).
    """
    errors = _errors(regression, k_test_train, test_targets, time, f_test_init)
    result = np.empty((regression.n, len(errors)))
    if time == inf and not regression.blocks:
        residuals = regression.loo_residuals()
        halves = np.square(residuals).sum(1) / 2
        for rows, block in row_blocks(checked_kernel(k_test_train)):
            alpha = regression.weights(block)
            result[:, rows] = (alpha * (errors[rows] @ residuals.T) + np.square(alpha) * halves).T
        return result
    for _, rows, shift in regression.shifts(k_test_train, [time]):
        result[:, rows] = shift_influence(shift, errors[rows]).T
    return result


def shift_influence(shift: Float, errors: Float) -> Float:
    """``<Δ, f(x) - y> + ½‖Δ‖²`` (b, n): the influences that follow from the outputs' shifts.

    Args:
        shift: (b, n, k) how the outputs of b test samples move without each training sample.
        errors: (b, k) ``f(x) - y`` with all of them.
    """
    return np.asarray(np.einsum("xik,xk->xi", shift, errors) + np.square(shift).sum(2) / 2)


def ihvp_influence(
    regression: KernelRegression, k_test_train: ArrayLike, test_targets: ArrayLike, f_test_init: ArrayLike | None = None
) -> Float:
    """What the IHVP method gives in the NTK regime, ``Î(i, x) = <f(x) - y, α_i(x) (f(x_i) - y_i)>`` (IF-NTK eq. 13).

    Args:
        regression, k_test_train, test_targets, f_test_init: as for :func:`kernel_influence`, at τ = ∞.

    Returns:
        (n, m).
    """
    errors = _errors(regression, k_test_train, test_targets, inf, f_test_init)
    own = -regression.ridge * regression.beta  # f(x_i) - y_i, without the cancellation of a subtraction
    result = np.empty((regression.n, len(errors)))
    for rows, block in row_blocks(checked_kernel(k_test_train)):
        alpha = regression.weights(block)
        if regression.blocks:
            result[:, rows] = np.einsum("xo,xoip,ip->ix", errors[rows], alpha, own, optimize=True)
        else:
            result[:, rows] = (alpha * (errors[rows] @ own.T)).T
    return result


def _errors(
    regression: KernelRegression, k_test_train: ArrayLike, test_targets: ArrayLike, time: float, f_test_init: ArrayLike | None
) -> Float:
    """``f_τ(x) - y`` (m, k)."""
    outputs = regression.predict(k_test_train, f_test_init, time)
    targets = np.asarray(test_targets, dtype=np.float64)
    if targets.shape != outputs.shape:
        raise ValueError(f"test_targets: expected shape {outputs.shape}, got {targets.shape}")
    return outputs - targets
