"""When the IHVP method fails: its error rate, and the bounds on it (SCIENCE.md §4; IF-NTK Theorems 3 and 4).

Both bounds hold for one output; for k outputs of one scalar kernel they hold with ``<·, ·>`` and ``‖·‖``, by the same proof.
"""

from dataclasses import dataclass
from math import asin, inf, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.errors import DataError
from ntkcore.kernels.matrices import checked_kernel
from ntkcore.regression import KernelRegression

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class IhvpError:
    """How far the IHVP method is off, pair by pair.

    Attributes:
        exact, estimate: (n, m) I and Î.
        remainder: (n, m) ``½ α² ‖r_i‖²``, the term that Theorem 3 subtracts and Theorem 4 adds.
        leverage: (n,) ``A_i = [K A^-1]_ii``.
        least_eigenvalue: λ_min of the training kernel.
        ridge: λ.
    """

    exact: Float
    estimate: Float
    remainder: Float
    leverage: Float
    least_eigenvalue: float
    ridge: float

    def rate(self) -> Float:
        """(n, m) ``|I - Î| / |I|``; NaN where I is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.abs(self.exact - self.estimate) / np.abs(self.exact)
        return np.where(self.exact == 0, np.nan, found)

    @property
    def lower_bound(self) -> float:
        """``λ_min / (λ_min + λ)``, the rate below which Theorem 3 says that it cannot fall but for the remainder."""
        return self.least_eigenvalue / (self.least_eigenvalue + self.ridge) if self.least_eigenvalue > 0 else 0.0

    def satisfied(self) -> NDArray[np.bool_]:
        """(n, m) whether ``|I - Î| >= λ_min / (λ_min + λ) |I| - ½ α² ‖r_i‖²`` (Theorem 3, eq. 16), to rounding."""
        slack = 1e-9 * (np.abs(self.exact) + np.abs(self.estimate) + self.remainder)
        return np.abs(self.exact - self.estimate) >= self.lower_bound * np.abs(self.exact) - self.remainder - slack


def ihvp_error(
    regression: KernelRegression,
    k_test_train: ArrayLike,
    test_targets: ArrayLike,
    least_eigenvalue: float,
    f_test_init: ArrayLike | None = None,
) -> IhvpError:
    """Exact and estimated influence of every pair at τ = ∞, and what the theorems need.

    Args:
        regression: with one scalar kernel.
        k_test_train: (m, n).
        test_targets: (m, k).
        least_eigenvalue: λ_min of K; negative rounding counts as 0.
        f_test_init: (m, k) the network's outputs at τ = 0; None: 0.

    Raises:
        DataError: a full kernel, for which the theorems are not stated.
    """
    require_scalar(regression)
    kernel = checked_kernel(k_test_train)
    errors = regression.predict(kernel, f_test_init) - np.asarray(test_targets, dtype=np.float64)
    diagonal = regression.resolvent.diagonal(1)[:, 0, 0]
    return compared(regression.weights(kernel), errors, regression.beta, diagonal, least_eigenvalue, regression.ridge)


def require_scalar(regression: KernelRegression) -> None:
    """Refuse a full kernel, for which the theorems are not stated (DataError)."""
    if regression.blocks:
        raise DataError(
            "The bounds are stated for one kernel for all outputs.", "Choose the pseudo-NTK or a closed form instead of the full kernel."
        )


def compared(alpha: Float, errors: Float, beta: Float, diagonal: Float, least_eigenvalue: float, ridge: float) -> IhvpError:
    """I and Î of every pair from what a factorisation gives.

    Args:
        alpha: (m, n) ``α(x) = K(x, X) G``.
        errors: (m, k) ``f(x) - y``.
        beta: (n, k) ``G (Y - f0)``; hence ``r_i = -β_i / G_ii`` and ``f(x_i) - y_i = -λ β_i``, both without cancellation.
        diagonal: (n,) of G.
        least_eigenvalue, ridge: λ_min and λ.
    """
    residuals = -beta / diagonal[:, None]
    remainder = (np.square(alpha) * (np.square(residuals).sum(1) / 2)).T
    exact = (alpha * (errors @ residuals.T)).T + remainder
    estimate = (alpha * (errors @ (-ridge * beta).T)).T
    return IhvpError(exact, estimate, remainder, 1 - ridge * diagonal, max(least_eigenvalue, 0.0), ridge)


@dataclass(frozen=True, slots=True)
class ClusterBound:
    """Theorem 4 on a data set of clusters.

    Attributes:
        gamma: the smallest γ with ``|[α(x_i)]_i| <= √(γ / n) ‖α(x_i)‖`` for every training sample.
        least_ridge: λ above which the theorem is proven, ``√2 λ_max ε_r / (1 - √2 ε_r)``; inf where ε_r is too large.
        factor: (n,) ``√(γ / (n n_k))``, the bound's factor of |I| for each training sample.
    """

    gamma: float
    least_ridge: float
    factor: Float

    def upper(self, error: IhvpError) -> Float:
        """(n, m) the bound on ``|I - Î|``: ``√(γ / (n² p_k)) |I| + ½ α² ‖r_i‖²`` (eq. 18)."""
        return self.factor[:, None] * np.abs(error.exact) + error.remainder


def cluster_bound(regression: KernelRegression, largest_eigenvalue: float, clusters: ArrayLike, radius: float) -> ClusterBound:
    """Theorem 4's constants.

    Args:
        regression: of a kernel with ``K(x, x) = 1/2`` on samples of length 1 (the two-layer closed form).
        largest_eigenvalue: λ_max of K.
        clusters: (n,) the cluster of each training sample, from 0.
        radius: r, largest distance of a sample from its cluster's mean.
    """
    members = np.asarray(clusters)
    inverse = regression.resolvent.columns(range(regression.n))
    kernel_weights = np.eye(regression.n) - regression.ridge * inverse  # K A^-1: symmetric, its rows are α(x_i)
    shares = np.square(np.diagonal(kernel_weights)) / np.square(kernel_weights).sum(1)
    gamma = float(regression.n * shares.max())
    sizes = np.bincount(members)[members]
    return ClusterBound(gamma, least_ridge(largest_eigenvalue, radius), np.sqrt(gamma / (regression.n * sizes)))


def least_ridge(largest_eigenvalue: float, radius: float) -> float:
    """λ above which Theorem 4 is proven, ``√2 λ_max ε_r / (1 - √2 ε_r)`` with ``ε_r² = 2 r² + arccos(1 - 2 r²)``; inf for √2 ε_r >= 1.

    The arc is computed as ``2 arcsin r``, which it equals and which does not vanish for a radius below the square root of a rounding.
    """
    spread = sqrt(2 * (2 * radius**2 + 2 * asin(radius)))
    return largest_eigenvalue * spread / (1 - spread) if spread < 1 else inf
