"""When the IHVP method fails: its error rate, and the bounds on it (SCIENCE.md §4; IF-NTK Theorems 3 and 4).

Both bounds hold for one output; for k outputs of one scalar kernel they hold with ``<·, ·>`` and ``‖·‖``, by the same proof.
"""

from dataclasses import dataclass
from math import acos, sqrt

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


def ihvp_error(regression: KernelRegression, k_test_train: ArrayLike, test_targets: ArrayLike, least_eigenvalue: float) -> IhvpError:
    """Exact and estimated influence of every pair at τ = ∞, and what the theorems need.

    Args:
        regression: with one scalar kernel.
        k_test_train: (m, n).
        test_targets: (m, k).
        least_eigenvalue: λ_min of K; negative rounding counts as 0.

    Raises:
        DataError: a full kernel, for which the theorems are not stated.
    """
    if regression.blocks:
        raise DataError(
            "The bounds are stated for one kernel for all outputs.", "Choose the pseudo-NTK or a closed form instead of the full kernel."
        )
    kernel = checked_kernel(k_test_train)
    alpha, residuals = regression.weights(kernel), regression.loo_residuals()
    errors = regression.predict(kernel) - np.asarray(test_targets, dtype=np.float64)
    remainder = (np.square(alpha) * (np.square(residuals).sum(1) / 2)).T
    exact = (alpha * (errors @ residuals.T)).T + remainder
    own = regression.fitted() - regression.targets
    estimate = (alpha * (errors @ own.T)).T
    leverage = regression.leverages()
    return IhvpError(exact, estimate, remainder, leverage, max(least_eigenvalue, 0.0), regression.ridge)


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
    spread = sqrt(2 * radius**2 + acos(1 - 2 * radius**2))
    least = sqrt(2) * largest_eigenvalue * spread / (1 - sqrt(2) * spread) if sqrt(2) * spread < 1 else float("inf")
    sizes = np.bincount(members)[members]
    return ClusterBound(gamma, least, np.sqrt(gamma / (regression.n * sizes)))
