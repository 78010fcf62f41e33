"""The IHVP method's error at one λ after another, from one eigendecomposition (SCIENCE.md §4; IF-NTK Theorem 3, Fig. 2).

With ``K = V diag(e) Vᵀ``: ``α(x) = K(x, X) V diag(1 / (e + λ)) Vᵀ`` and ``G_ii = Σ_p V_ip² / (e_p + λ)``. The product ``K(x, X) V`` is made
once; each λ then costs one product of (m, n) by (n, n) and no factorisation.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.cores import product
from ntkcore.influence.bounds import IhvpError, compared, require_scalar
from ntkcore.kernels.matrices import checked_kernel, row_blocks
from ntkcore.regression import KernelRegression
from ntkcore.regression.resolvent import require_regular

Float = NDArray[np.float64]


class IhvpSweep:
    """Held-out samples whose IHVP error is wanted at several λ. Memory: 8 m n bytes, and 8 N² of the regression's eigenvectors."""

    def __init__(
        self, regression: KernelRegression, k_test_train: ArrayLike, test_targets: ArrayLike, f_test_init: ArrayLike | None = None
    ) -> None:
        """Project the held-out samples on the eigenvectors.

        Args:
            regression: with one scalar kernel; its own λ does not matter.
            k_test_train: (m, n).
            test_targets: (m, k).
            f_test_init: (m, k) the network's outputs at τ = 0; None: 0.

        Raises:
            DataError: a full kernel, for which the theorems are not stated.
        """
        require_scalar(regression)
        self._values, self._vectors = regression.eigen
        targets = np.asarray(test_targets, dtype=np.float64)
        self._ahead = (0.0 if f_test_init is None else np.asarray(f_test_init, dtype=np.float64)) - targets
        kernel = checked_kernel(k_test_train)
        self._rows = np.empty((len(kernel), regression.n))
        for rows, block in row_blocks(kernel):
            self._rows[rows] = product(block, self._vectors)
        self._y = self._vectors.T @ (regression.targets - regression.fitted(0.0))
        self.nbytes = self._rows.nbytes

    def error(self, ridge: float) -> IhvpError:
        """I and Î of every pair at τ = ∞, and what the theorems need.

        Args:
            ridge: λ, at least 0, absolute.

        Raises:
            ComputationError: K + λ I is singular to rounding; says which λ would do.
        """
        require_regular(self._values, ridge)
        shifted = self._values + ridge
        diagonal = np.empty(len(shifted))
        for rows, block in row_blocks(self._vectors):
            diagonal[rows] = np.square(block) @ (1 / shifted)
        beta = self._vectors @ (self._y / shifted[:, None])
        errors = self._rows @ (self._y / shifted[:, None]) + self._ahead
        alpha = product(self._rows / shifted, self._vectors.T)
        return compared(alpha, errors, beta, diagonal, float(self._values[0]), ridge)
