"""Complexity of a group of training samples (SCIENCE.md §4; IF-NTK eq. 19)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ntkcore.regression import KernelRegression


def group_complexity(regression: KernelRegression, groups: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """``C(I) = √(Yᵀ G Y) - √(Y_rᵀ K_r^-1 Y_r)`` for each group I of samples, r the rest: how much of the targets' norm the group asks for.

    By the block downdate ``Y_rᵀ K_r^-1 Y_r = Yᵀ G Y - β_Iᵀ (G_II)^-1 β_I``, so that nothing of the rest is factorised. The source has
    λ = 0; with λ > 0 the matrix is K + λ I. Outputs are summed inside the roots.

    Args:
        regression: its kernel, λ and targets; a prior mean is subtracted from the targets.
        groups: indices of training samples, each group without repetition and not all of them.

    Returns:
        (len(groups),).
    """
    whole = regression.quadratic()
    lost = np.asarray([regression.quadratic_of(group) for group in groups])
    # √a - √b without cancellation: most groups ask for little
    roots = np.sqrt(whole) + np.sqrt(np.maximum(whole - lost, 0.0))
    return np.divide(lost, roots, out=np.zeros(len(groups)), where=lost > 0)
