"""Influence functions of all samples at once, with the Gauss-Newton matrix, from the kernel at the trained weights (Unique-info Table 1).

Koh & Liang's ``w_(without i) - w ≈ (H + λ I)^-1 ∇ℓ_i`` has ``∇ℓ_i = J_iᵀ e_i`` with the error ``e_i = f(x_i) - y_i``. For ``H = JᵀJ`` it
is ``Jᵀ (K + λ I)^-1 E_i e_i`` with the kernel ``K = J Jᵀ`` at w and E_i sample i's columns: no system of the weights' size is solved.
Predictions move by ``J(x)`` times that, ``α_i(x) e_i`` with ``α(x) = K(x, X) (K + λ I)^-1``.

Where the network is linear in its weights and w its minimum, this is Koh & Liang's formula itself; the exact change divides by one less
the sample's leverage (IF-NTK eqs. 13, 14).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.information.weights import weight_rows
from ntkcore.kernels.matrices import checked_kernel, row_blocks
from ntkcore.regression import KernelRegression

Float = NDArray[np.float64]


def influence_shifts(regression: KernelRegression, k_val_train: ArrayLike, errors: ArrayLike) -> Float:
    """``sum_x ‖α_i(x) e_i‖²`` (n,): the squared moves of the predictions without each sample.

    Args:
        regression: of the n training samples with the kernel at the trained weights; its λ is that of the formula, or the damping.
        k_val_train: (m, n) or (m, n, k, k), at the same weights.
        errors: (n, k) ``f(x_i) - y_i`` at the trained weights.
    """
    own = np.asarray(errors, dtype=np.float64)
    if own.shape != (regression.n, regression.k):
        raise ValueError(f"errors: expected {(regression.n, regression.k)}, got {own.shape}")
    found = np.zeros(regression.n)
    for _, block in row_blocks(checked_kernel(k_val_train)):
        weights = regression.weights(block)
        if regression.blocks:
            moved = np.einsum("xoip,ip->xio", weights, own, optimize=True)
            found += np.einsum("xio,xio->i", moved, moved)
        else:
            found += np.square(weights).sum(0) * np.square(own).sum(1)
    return found


def influence_weight_changes(regression: KernelRegression, errors: ArrayLike) -> Float:
    """``‖(JᵀJ + λ I)^-1 ∇ℓ_i‖²`` (n,); arguments as of :func:`influence_shifts`."""
    return influence_shifts(regression, weight_rows(regression, np.sqrt(regression.eigen[0])), errors)
