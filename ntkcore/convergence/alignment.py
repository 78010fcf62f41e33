"""Kernel-target alignment (Cristianini et al. 2001; SCIENCE.md §7)."""

from math import nan

import numpy as np
from numpy.typing import ArrayLike

from ntkcore.kernels.matrices import checked_square, flat, row_blocks


def alignment(kernel: ArrayLike, targets: ArrayLike) -> float:
    """``<K, y y^T>_F / (|K|_F |y|²)`` with y the targets flattened in the order (sample, output) and K the (n k) × (n k) kernel.

    A cheap kernel (n, n) stands for ``K ⊗ I_k`` and gets the alignment of that: ``<K, Y Y^T>_F / (sqrt(k) |K|_F |Y|_F²)``. The two
    numbers are so of one scale: where the full kernel is ``K ⊗ I_k`` they are equal. Not centred.

    Differs from the source's ``<K, Y Y^T>_F / (|K|_F |Y Y^T|_F)`` for k > 1 by the constant ``|Y Y^T|_F / (sqrt(k) |Y|_F²)``, which
    depends on the targets alone; for k = 1 they are one. At most 1, and not below 0 for a positive semi-definite kernel.

    Args:
        kernel: (n, n, k, k), or (n, n) for one that stands for ``K ⊗ I_k``.
        targets: (n, k).

    Returns:
        The alignment; NaN where the kernel or the targets are zero, or not finite.
    """
    values, y = checked_square(kernel), np.asarray(targets, dtype=np.float64)
    if y.ndim != 2 or len(y) != len(values) or not y.size or (values.ndim == 4 and y.shape[1] != values.shape[2]):
        raise ValueError(f"targets: expected shape (n, k) for a kernel of shape {values.shape}, got {y.shape}")
    inner = square = 0.0
    right = y.reshape(-1, 1) if values.ndim == 4 else y
    for rows, block in row_blocks(values):
        inner += float(np.vdot(y[rows], flat(block) @ right))
        square += float(np.vdot(block, block))
    norm = np.sqrt(square * (1 if values.ndim == 4 else y.shape[1])) * float(np.vdot(y, y))
    return inner / norm if norm > 0 and np.isfinite([inner, norm]).all() else nan
