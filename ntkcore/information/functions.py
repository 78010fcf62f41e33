"""Smooth unique information in function space, F-SI: how far a sample's removal moves the outputs (Unique-info eqs. 8, 16).

The norm in the source's eq. 16 is squared. σ is in the unit of the outputs; the information is in nats.

A removal keeps the rate and λ of the summed loss. That of the authors' code keeps those of the *averaged* loss, whose terms weigh
n / (n - 1) times as much without a sample: ``averaged`` is that, the other samples' pull on the summed loss at ``τ n / (n - 1)`` and
``λ (n - 1) / n``.
"""

from collections.abc import Iterator, Sequence
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.kernels.matrices import checked_kernel, row_blocks
from ntkcore.regression import KernelRegression, Steps

Float = NDArray[np.float64]


def functional_information(
    regression: KernelRegression, k_val_train: ArrayLike, time: float = inf, sigma: float = 1.0, *, averaged: bool = False
) -> Float:
    """``F-SI(i) = mean_x ‖f_τ(x) - f_τ^(without i)(x)‖² / (2 σ²)`` over the validation samples x (Unique-info eqs. 8, 16).

    Args:
        regression: fitted to the n training samples, k outputs.
        k_val_train: (m, n) or (m, n, k, k).
        time: τ of gradient flow, or steps of the regression's descent; inf is the end of training.
        sigma: σ, above 0.
        averaged: whether a removal keeps the averaged loss's rate and λ; else the summed one's.

    Returns:
        (n,), in nats.
    """
    return functional_course(regression, k_val_train, [time], sigma, averaged=averaged)[0]


def functional_course(
    regression: KernelRegression, k_val_train: ArrayLike, times: Sequence[float], sigma: float = 1.0, *, averaged: bool = False
) -> Float:
    """:func:`functional_information` (T, n) at several times; those near each other cost little more than one.

    Nothing of size (m, n, k) is held.
    """
    return squared_shifts(regression, k_val_train, times, averaged=averaged) / (2 * len(checked_kernel(k_val_train)) * _scale(sigma))


def training_information(regression: KernelRegression, time: float = inf, sigma: float = 1.0, *, averaged: bool = False) -> Float:
    """:func:`functional_information` over the training samples themselves (n,): how far their own outputs move, in nats."""
    return functional_information(regression, regression.kernel, time, sigma, averaged=averaged)


def training_loss_change(regression: KernelRegression, time: float = inf, *, averaged: bool = False) -> Float:
    """``mean_j ½ ‖f_τ^(without i)(x_j) - y_j‖² - ½ ‖f_τ(x_j) - y_j‖²`` (n,) over all n training samples, i itself included.

    Positive: the loss is larger without it. Arguments as of :func:`functional_information`.
    """
    errors, found = regression.own_errors(time), np.zeros(regression.n)
    for _, rows, shift in removal_shifts(regression, regression.kernel, [time], averaged=averaged):
        found += np.einsum("xio,xo->i", shift, errors[rows]) + np.einsum("xio,xio->i", shift, shift) / 2
    return found / regression.n


def removal_shifts(
    regression: KernelRegression, rows: ArrayLike, times: Sequence[float], *, averaged: bool = False
) -> Iterator[tuple[float, slice, Float]]:
    """``f_τ^(without i)(x) - f_τ(x)`` a piece at a time: τ, some of the rows, and their (b, n, k); see the module's text.

    Args:
        rows: (m, n) or (m, n, k, k), of any kernel with the training samples.
        times, averaged: as for :func:`functional_course`.
    """
    if not averaged or regression.n == 1:  # nothing is left of one sample's loss, however it is weighed
        yield from regression.shifts(rows, times)
        return
    other, weigh = reweighed(regression)
    longer = {time * weigh: time for time in times}
    kernel = checked_kernel(rows)
    for moment, some, shift in other.shifts(kernel, list(longer)):
        apart = other.predict(kernel[some], time=moment) - regression.predict(kernel[some], time=longer[moment])
        yield longer[moment], some, shift + apart[:, None]


def reweighed(regression: KernelRegression) -> tuple[KernelRegression, float]:
    """The regression whose removals of one of n > 1 samples keep the averaged loss's rate and λ, and the factor of its times."""
    n, descent = regression.n, regression.descent
    other, weigh = regression.with_ridge(regression.ridge * (n - 1) / n), n / (n - 1)
    if isinstance(descent, Steps):  # as many steps, each longer
        return other.with_descent(Steps(descent.rate * weigh)), 1.0
    return other, weigh


def squared_shifts(regression: KernelRegression, rows: ArrayLike, times: Sequence[float], *, averaged: bool = False) -> Float:
    """``sum_x ‖f_τ^(without i)(x) - f_τ(x)‖²`` (T, n) for the ``rows`` (m, n) or (m, n, k, k) of any kernel with the training samples."""
    found = {time: np.zeros(regression.n) for time in times}
    finite = [time for time in found if time != inf]
    if inf in found and not regression.blocks and not averaged:  # the shift is α_i(x) r_i: no (m, n, k) of it is needed
        residuals = np.square(regression.loo_residuals()).sum(1)
        for _, block in row_blocks(checked_kernel(rows)):
            found[inf] += np.square(regression.weights(block)).sum(0) * residuals
    elif inf in found:
        finite.append(inf)
    for time, _, shift in removal_shifts(regression, rows, finite, averaged=averaged):
        found[time] += np.einsum("xio,xio->i", shift, shift)
    return np.stack([found[time] for time in times])


def _scale(sigma: float) -> float:
    """σ²."""
    if not 0 < sigma < inf:
        raise ValueError(f"sigma: expected a number above 0, got {sigma}")
    return sigma**2
