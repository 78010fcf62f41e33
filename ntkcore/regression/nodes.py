"""Sums over a contour's nodes before anything meets the test kernel, for leave-one-out at a finite time (SCIENCE.md §5).

In the basis of A's eigenvectors V the resolvent is diagonal, so that the shift without sample i is one real row for each output:
``-k_xᵀ V h_i`` with ``h_ia = sum_p V_(ip)a Re sum_j w_j / (s_j + a) left_jip``. A time costs one real product of the test kernel for each
output (one in all for a full kernel), where products at every node cost two real ones a node and serve all times of a window.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ntkcore.kernels.matrices import BLOCK

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


def summed_shift(
    projected: Float, vectors: Float, resolvent: Complex, weighted: Complex, blocks: bool, waiting: Callable[[], None] | None
) -> Float:
    """How the outputs of some test samples move without each training sample (b, n, k).

    Args:
        projected: (b r, N) ``K(x, X) V``, r = k rows a sample of a full kernel, else 1.
        vectors: (N, N) eigenvectors in columns, N = n r.
        resolvent: (J, N) ``1 / (s_j + a)``.
        weighted: (J, n, k) ``w_j / s_j R_ii^-1 [R y]_i``.
        blocks: whether the kernel is a full one.
        waiting: called now and then; may raise ``Cancelled``.
    """
    size, (_, n, k) = len(vectors), weighted.shape
    r = k if blocks else 1
    parts = np.concatenate([resolvent.real, resolvent.imag])  # (2 J, N)
    shift = np.empty((len(projected) // r, n, k))
    step = max(1, BLOCK // (size * r))
    for top in range(0, n, step):
        if waiting is not None:
            waiting()
        stop = min(n, top + step)
        own = vectors[top * r : stop * r].reshape(-1, r, size)
        for output in range(1 if blocks else k):
            taken = weighted[:, top:stop, :] if blocks else weighted[:, top:stop, output : output + 1]  # (J, c, r)
            real = np.concatenate([taken.real, -taken.imag]).reshape(len(parts), -1)
            rows = (real.T @ parts).reshape(own.shape)
            rows *= own
            moved = projected @ rows.sum(1).T  # (b r, c)
            if blocks:
                shift[:, top:stop] = moved.reshape(-1, k, stop - top).transpose(0, 2, 1)
            else:
                shift[:, top:stop, output] = moved
    return np.negative(shift, out=shift)
