"""SI smoothed by SGD's own steady state (Unique-info Prop. 5.1, eqs. 13, 14).

Σ solves ``H Σ + Σ H = (η / b) Λ`` with ``H = JᵀJ + λ I`` and Λ the covariance of the samples' gradients at the minimum. Both live in the
span of the training samples' gradients, and so do the changes of the weights: in its basis V, the right singular vectors of J, H is
diagonal and the equation is solved entry by entry. Singular vectors and values are the kernel's eigenvectors and the roots of its
eigenvalues, so that the number of weights does not matter; that of training samples times outputs does.
"""

from dataclasses import dataclass
from math import inf

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ntkcore.errors import ComputationError
from ntkcore.information.weights import require_positive, weight_rows
from ntkcore.regression import KernelRegression

Float = NDArray[np.float64]

LARGEST = 6000
"""Directions, samples times outputs, up to which Σ is formed (288 MB) and factorised."""
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class SteadyState:
    """Σ (r, r) in the basis of the training samples' gradients; ``hessian`` (r,) is H's diagonal there, ``noise`` (r, r) is Λ."""

    covariance: Float
    hessian: Float
    noise: Float


def steady_state(regression: KernelRegression, *, rate: float, batch: int = 1) -> SteadyState:
    """SGD's steady state around the minimum of the regularised loss (eq. 14).

    Args:
        regression: fitted to the n training samples, k outputs; λ above 0, else SGD has no noise at the minimum.
        rate: η, above 0.
        batch: b, samples of a step.

    Raises:
        ComputationError: more than LARGEST directions, or λ = 0.
    """
    require_positive(rate=rate, batch=batch)
    n, k = regression.n, regression.k
    if n * k > LARGEST:
        raise ComputationError(
            f"SGD's steady state has {n:,} images × {k} outputs = {n * k:,} directions here, more than {LARGEST:,}.",
            "Choose the Langevin form, which needs no such matrix, or fewer images.",
        )
    if regression.ridge == 0:
        raise ComputationError(
            "At λ = 0 the network fits every image, so that SGD has no noise to smooth with.", "Choose λ above 0, or the Langevin form."
        )
    values, vectors = regression.eigen
    errors = -regression.ridge * regression.beta  # f(x_i) - y_i (n, k), without the cancellation of a subtraction
    if regression.blocks:  # direction a of sample i's gradient: √s_a sum_o V_(i o)a e_io
        gradients = np.einsum("ioa,io->ia", vectors.reshape(n, k, -1), errors) * np.sqrt(values)
        hessian = values + regression.ridge
    else:  # one kernel for all outputs: each output has directions of its own
        gradients = ((vectors * np.sqrt(values))[:, :, None] * errors[:, None, :]).reshape(n, -1)
        hessian = np.repeat(values, k) + regression.ridge
    centred = gradients - gradients.mean(0)
    noise = centred.T @ centred / n
    return SteadyState(noise * (rate / batch) / (hessian[:, None] + hessian), hessian, noise)


def sgd_information(regression: KernelRegression, *, rate: float, batch: int = 1) -> Float:
    """``SI(i) = ½ (w - w_(without i))ᵀ Σ⁻¹ (w - w_(without i))`` (n,), in nats, with SGD's steady state Σ (eq. 13), at τ = ∞.

    Args:
        regression, rate, batch: as for :func:`steady_state`.

    Raises:
        ComputationError: as :func:`steady_state`; Σ is singular to rounding, so that some changes would carry infinite information.
    """
    found = steady_state(regression, rate=rate, batch=batch)
    rows = weight_rows(regression, np.sqrt(regression.eigen[0]))
    shift = -regression.loo_shift(rows, inf)  # (n, n, k): for each direction, without each sample
    changes = shift.transpose(0, 2, 1).reshape(-1, regression.n)
    scale = np.sqrt(np.diagonal(found.covariance))
    if not scale.all():
        raise _singular()
    try:
        factor = np.linalg.cholesky(found.covariance / np.outer(scale, scale))
    except np.linalg.LinAlgError:
        raise _singular() from None
    if np.square(np.diagonal(factor)).min() < len(factor) * _EPS:
        raise _singular()
    whitened = scipy.linalg.solve_triangular(factor, changes / scale[:, None], lower=True)
    return np.asarray(np.square(whitened).sum(0) / 2)


def _singular() -> ComputationError:
    return ComputationError(
        "SGD's steady state is singular to rounding here: the images' gradients do not reach every direction, so that the information "
        "of some changes would be infinite.",
        "Choose the Langevin form, a larger λ, or remove duplicate images.",
    )
