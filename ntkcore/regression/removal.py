"""Leave-many-out at a finite training time: several samples together, by the contour of SCIENCE.md §5.

As for one sample, removing the rows and columns I of A corrects its resolvent, now by as many ranks as there are rows:
``f_τ^(without I)(x) - f_τ(x) = -Re sum_j w_j / s_j [k_xᵀ R_j]_I ((R_j)_II)^-1 [R_j y]_I``. What depends on x stands in front, so that the
sum over the nodes is of a vector of coefficients, and each x costs one product.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ntkcore.regression.contour import Window

Float = NDArray[np.float64]


def removal_coefficients(rates: Float, vectors: Float, residual: Float, chosen: Sequence[int], window: Window) -> Float:
    """Coefficients c (N, k), with which ``k_xᵀ c`` is how f_τ(x) moves without the rows ``chosen`` of the system.

    Args:
        rates: (N,) eigenvalues of A, at least 0.
        vectors: (N, N) its eigenvectors in columns.
        residual: (N, k) targets less the network's outputs at τ = 0.
        chosen: p of the rows; operations: p² N a node.
        window: of one time.
    """
    own = vectors[list(chosen)]  # (p, N)
    projected = vectors.T @ residual
    found = np.zeros_like(projected)
    for node, weight in zip(window.nodes, window.weights[0], strict=True):
        resolvent = 1 / (node + rates)
        scaled = own * resolvent
        solved = np.linalg.solve(scaled @ own.T, scaled @ projected)
        found -= (weight / node * (scaled.T @ solved)).real
    return np.asarray(vectors @ found)
