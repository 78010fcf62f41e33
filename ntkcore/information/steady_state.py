"""SI smoothed by SGD's own steady state (Unique-info Prop. 5.1, eqs. 13, 14).

Σ solves ``H Σ + Σ H = (η / b) Λ`` with ``H = JᵀJ + λ I`` and Λ the covariance of the samples' gradients at the minimum. Both live in the
span of the training samples' gradients, and so do the changes of the weights: in its basis V, the right singular vectors of J, H is
diagonal and the equation is solved entry by entry. Singular vectors and values are the kernel's eigenvectors and the roots of its
eigenvalues, so that the number of weights does not matter. Where samples times outputs exceed it, or samples repeat, the kernel has
eigenvalues that are 0: no gradient goes that way, and Σ is that of the other directions.

What Σ⁻¹ weighs is only known where rounding leaves Σ's own directions apart: a removal that moves the weights where SGD has no noise
carries infinite information, and that is refused.

At a finite τ noise that is Λ all along has brought about ``Σ_τ = Σ - e^(-τ H) Σ e^(-τ H)``. Differs from SGD's own course by Λ, which is
that of w_τ from the start. Where the regression is trained in steps of rate ε the noise comes in steps, too:
``Σ ← (I - ε H) Σ (I - ε H) + ε (η / b) Λ``, which is SGD's own covariance for ε = η.
"""

from dataclasses import dataclass
from math import inf

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ntkcore.errors import ComputationError
from ntkcore.information.weights import require_positive, weight_rows
from ntkcore.kernels.spectrum import rounding_floor, rounding_unit
from ntkcore.linalg import eigh
from ntkcore.regression import KernelRegression

Float = NDArray[np.float64]

LARGEST = 6000
"""Directions up to which Σ is formed (288 MB) and decomposed."""
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class SteadyState:
    """Σ (r, r) on the span of the training samples' gradients.

    Attributes:
        covariance: Σ in the span's basis; ``hessian`` (r,) H's diagonal there, ``noise`` (r, r) Λ.
        directions: (r,) which of all: a full kernel's eigenvectors; of one kernel for k outputs, eigenvector ``d // k`` and output
            ``d % k``.
    """

    covariance: Float
    hessian: Float
    noise: Float
    directions: NDArray[np.intp]


def steady_state(
    regression: KernelRegression, *, rate: float, batch: int = 1, weights: int | None = None, time: float = inf
) -> SteadyState:
    """SGD's steady state around the minimum of the regularised loss (eq. 14), or its covariance at a time before.

    Args:
        regression: fitted to the n training samples, k outputs; at τ = ∞ with λ above 0.
        rate: η, above 0.
        batch: b, samples of a step.
        weights: P, of the network: at most so many directions there are. None: not known, and a kernel of float64 tells them.
        time: τ, above 0; inf: the steady state.

    Raises:
        ComputationError: more than LARGEST directions; λ = 0 at τ = ∞; no noise; or a kernel of single precision whose rounding hides some.
    """
    require_positive(rate=rate, batch=batch)
    if not time > 0:
        raise ValueError(f"time: expected a number above 0, got {time}")
    n, k = regression.n, regression.k
    values, vectors = regression.eigen
    kept = _reached(values, regression.dtype, weights)
    if regression.ridge == 0 and time == inf:
        raise _without_ridge(len(kept) < len(values))
    outputs = 1 if regression.blocks else k
    if len(kept) * outputs > LARGEST:
        raise ComputationError(
            f"SGD's steady state has {len(kept) * outputs:,} directions here, more than {LARGEST:,}.",
            "Choose the Langevin form, which needs no such matrix, or fewer images.",
        )
    errors = regression.own_errors(time)
    roots = np.sqrt(values[kept])
    if regression.blocks:  # direction a of sample i's gradient: √s_a sum_o V_(i o)a e_io
        gradients = np.einsum("ioa,io->ia", vectors[:, kept].reshape(n, k, -1), errors) * roots
    else:  # one kernel for all outputs: each output has directions of its own
        gradients = ((vectors[:, kept] * roots)[:, :, None] * errors[:, None, :]).reshape(n, -1)
    hessian = np.repeat(values[kept] + regression.ridge, outputs)
    centred = gradients - gradients.mean(0)
    noise = centred.T @ centred / n
    if not noise.any():
        raise ComputationError("All images' gradients are alike, so that SGD has no noise to smooth with.", "Choose the Langevin form.")
    directions = (kept[:, None] * outputs + np.arange(outputs)).ravel()
    covariance = noise * (rate / batch) * regression.descent.spread(hessian[:, None], hessian, time)
    return SteadyState(covariance, hessian, noise, directions)


def sgd_information(regression: KernelRegression, *, rate: float, batch: int = 1, weights: int | None = None, time: float = inf) -> Float:
    """``SI(i) = ½ (w - w_(without i))ᵀ Σ⁻¹ (w - w_(without i))`` (n,), in nats, with SGD's covariance Σ (eq. 13).

    Args:
        regression, rate, batch, weights, time: as for :func:`steady_state`.

    Raises:
        ComputationError: as :func:`steady_state`; or some removals move the weights where SGD has no noise, to rounding.
    """
    found = steady_state(regression, rate=rate, batch=batch, weights=weights, time=time)
    rows = weight_rows(regression, np.sqrt(regression.eigen[0]))
    shift = -regression.loo_shift(rows, time)  # (n, n, k): for each direction, without each sample
    changes = shift.transpose(0, 2, 1).reshape(-1, regression.n)[found.directions]
    scale = np.sqrt(np.diagonal(found.covariance))
    noisy = scale > 0
    if changes[~noisy].any():
        raise _infinite()
    whitened = _whitened(found.covariance[np.ix_(noisy, noisy)] / np.outer(scale[noisy], scale[noisy]), changes[noisy] / scale[noisy, None])
    return np.asarray(np.square(whitened).sum(0) / 2)


def _whitened(correlation: Float, changes: Float) -> Float:
    """``C^-½`` times the changes (r, n); where C is singular to rounding, of those that stay where it is not.

    Raises:
        ComputationError: some do not.
    """
    rounding = len(correlation) * _EPS
    try:
        factor = np.linalg.cholesky(correlation)
    except np.linalg.LinAlgError:
        factor = np.zeros((1, 1))
    if np.square(np.diagonal(factor)).min() >= rounding:
        return np.asarray(scipy.linalg.solve_triangular(factor, changes, lower=True))
    values, vectors = eigh(correlation)
    turned, still = vectors.T @ changes, values < rounding
    turns = rounding / values[~still].min()  # of the eigenvectors on either side into each other (Davis & Kahan 1970)
    if np.any(np.abs(turned[still]) > turns * np.linalg.norm(changes, axis=0)):
        raise _infinite()
    return np.asarray(turned[~still] / np.sqrt(values[~still, None]))


def _infinite() -> ComputationError:
    return ComputationError(
        "Leaving out some images moves the weights in directions in which SGD has no noise, to rounding, so that their information would "
        "be infinite.",
        "Choose the Langevin form, or another λ.",
    )


def _reached(values: Float, dtype: np.dtype, weights: int | None) -> NDArray[np.intp]:
    """Eigenvectors, of eigenvalues (N,), that are directions of gradients; the others' eigenvalues are 0 but for rounding.

    Raises:
        ComputationError: a kernel of single precision does not tell which.
    """
    most = len(values) if weights is None else min(len(values), weights)
    kept = np.flatnonzero(values > rounding_floor(values, dtype))[-most:]
    if len(kept) < most and rounding_unit(dtype) > _EPS:
        raise ComputationError(
            f"{most - len(kept):,} of the {most:,} directions of the images' gradients are hidden by the rounding of a kernel in {dtype}.",
            "Compute the kernel in float64, choose the Langevin form, or remove duplicate images.",
        )
    return kept


def _without_ridge(singular: bool) -> ComputationError:
    if singular:
        return ComputationError(
            "At λ = 0 the kernel has no inverse here: images repeat each other, or are more than the network has weights for.",
            "Choose λ above 0.",
        )
    return ComputationError(
        "At λ = 0 the network fits every image, so that SGD has no noise to smooth with.", "Choose λ above 0, or the Langevin form."
    )
