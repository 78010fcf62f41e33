"""Smooth unique information in function space, F-SI: how far a sample's removal moves the outputs (Unique-info eqs. 8, 16).

The norm in the source's eq. 16 is squared. σ is in the unit of the outputs; the information is in nats.
"""

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.kernels.matrices import checked_kernel, row_blocks
from ntkcore.regression import KernelRegression

Float = NDArray[np.float64]


def functional_information(regression: KernelRegression, k_val_train: ArrayLike, time: float = inf, sigma: float = 1.0) -> Float:
    """``F-SI(i) = mean_x ‖f_τ(x) - f_τ^(without i)(x)‖² / (2 σ²)`` over the validation samples x (Unique-info eqs. 8, 16).

    Args:
        regression: fitted to the n training samples, k outputs.
        k_val_train: (m, n) or (m, n, k, k).
        time: τ of gradient flow; inf is the end of training.
        sigma: σ, above 0.

    Returns:
        (n,), in nats.
    """
    return functional_course(regression, k_val_train, [time], sigma)[0]


def functional_course(regression: KernelRegression, k_val_train: ArrayLike, times: Sequence[float], sigma: float = 1.0) -> Float:
    """:func:`functional_information` (T, n) at several times; those near each other cost little more than one.

    Nothing of size (m, n, k) is held.
    """
    return squared_shifts(regression, k_val_train, times) / (2 * len(checked_kernel(k_val_train)) * _scale(sigma))


def squared_shifts(regression: KernelRegression, rows: ArrayLike, times: Sequence[float]) -> Float:
    """``sum_x ‖f_τ^(without i)(x) - f_τ(x)‖²`` (T, n) for the ``rows`` (m, n) or (m, n, k, k) of any kernel with the training samples."""
    found = {time: np.zeros(regression.n) for time in times}
    finite = [time for time in found if time != inf]
    if inf in found and not regression.blocks:  # the shift is α_i(x) r_i: no (m, n, k) of it is needed
        residuals = np.square(regression.loo_residuals()).sum(1)
        for _, block in row_blocks(checked_kernel(rows)):
            found[inf] += np.square(regression.weights(block)).sum(0) * residuals
    elif inf in found:
        finite.append(inf)
    for time, _, shift in regression.shifts(rows, finite):
        found[time] += np.einsum("xio,xio->i", shift, shift)
    return np.stack([found[time] for time in times])


def _scale(sigma: float) -> float:
    """σ²."""
    if not 0 < sigma < inf:
        raise ValueError(f"sigma: expected a number above 0, got {sigma}")
    return sigma**2
