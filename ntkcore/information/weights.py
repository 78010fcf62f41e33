"""Smooth unique information in weight space, SI: how far a sample's removal moves the weights (Unique-info eqs. 5, 15).

``w - w_(without i) = J(X)ᵀ δ_i`` with the coefficients ``δ_i = c - c_(without i)``, so that no weight is ever touched:
``‖w - w_(without i)‖² = δᵀ K δ``. With ``K = V diag(s) Vᵀ`` this is the sum of the squares of ``√s Vᵀ δ_i``, which is the shift of an
output whose kernel with the training samples is ``√s Vᵀ``: leave-one-out of the outputs and of the weights is one computation.
"""

from math import inf

import numpy as np
from numpy.typing import NDArray

from ntkcore.information.functions import squared_shifts
from ntkcore.regression import KernelRegression

Float = NDArray[np.float64]


def weight_changes(regression: KernelRegression, time: float = inf, *, averaged: bool = False) -> Float:
    """``‖w_τ - w_τ^(without i)‖²`` (n,) of the linearised network: ``δ_iᵀ K δ_i``; ``averaged`` as for functional information."""
    return squared_shifts(regression, weight_rows(regression, np.sqrt(regression.eigen[0])), [time], averaged=averaged)[0]


def weight_information(regression: KernelRegression, time: float = inf, sigma: float = 1.0, *, averaged: bool = False) -> Float:
    """``SI(i) = ‖w_τ - w_τ^(without i)‖² / (2 σ²)`` (n,), in nats: eq. 5 with Σ = σ² I.

    Args:
        regression: fitted to the n training samples.
        time: τ of gradient flow; inf is the end of training.
        sigma: σ, above 0, in the unit of the weights.
        averaged: whether a removal keeps the averaged loss's rate and λ; else the summed one's.
    """
    if not 0 < sigma < inf:
        raise ValueError(f"sigma: expected a number above 0, got {sigma}")
    return weight_changes(regression, time, averaged=averaged) / (2 * sigma**2)


def langevin_information(regression: KernelRegression, *, rate: float, batch: int = 1, sigma: float = 1.0, time: float = inf) -> Float:
    """``b / (η σ²) (w - w_(without i))ᵀ H (w - w_(without i))`` (n,), in nats, with ``H = JᵀJ + λ I``: ``δᵀ (K² + λ K) δ`` (eq. 15).

    The steady state of SGD whose gradients' noise is σ² I, at the minimum of the regularised loss; at a finite τ ``H / (1 - e^(-2 τ H))``
    in H's place, of the noise until then.

    Args:
        regression: fitted to the n training samples.
        rate: η, above 0.
        batch: b, samples of a step.
        sigma: standard deviation of the noise, above 0.
        time: τ, above 0; inf is the end of training.
    """
    require_positive(rate=rate, batch=batch, sigma=sigma)
    values = regression.eigen[0]
    rates = values + regression.ridge
    rows = weight_rows(regression, np.sqrt(values / (2 * regression.descent.spread(rates, rates, time))))
    return squared_shifts(regression, rows, [time])[0] * batch / (rate * sigma**2)


def weight_rows(regression: KernelRegression, factors: Float) -> Float:
    """``diag(factors) Vᵀ`` as a kernel with the training samples: (n, n), or (n, n, k, k) for a full kernel."""
    rows = factors[:, None] * regression.eigen[1].T
    if not regression.blocks:
        return rows
    return rows.reshape(regression.n, regression.k, regression.n, regression.k).transpose(0, 2, 1, 3)


def require_positive(**values: float) -> None:
    """Refuse what is not a positive number."""
    for name, value in values.items():
        if not 0 < value < inf:
            raise ValueError(f"{name}: expected a number above 0, got {value}")
