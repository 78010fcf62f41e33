"""How diagonal the full kernel is: magnitudes on and off the diagonal of its k × k blocks (Thesis Fig. 3.2)."""

import numpy as np
from numpy.typing import ArrayLike

from ntkcore.kernels.matrices import checked_kernel, row_blocks


def magnitudes(full: ArrayLike) -> tuple[float, float]:
    """Means over pairs of ``sum_o |Theta_oo|`` and of ``sum_{o != p} |Theta_op|``.

    At initialisation their ratio falls with the width as n^(-1/2) (Thesis, Remark 3.3.3). Entries that are not finite show.

    Args:
        full: (n, m, k, k).

    Returns:
        on, off; off is 0 for one output.
    """
    kernel = checked_kernel(full, "full")
    if kernel.ndim != 4:
        raise ValueError(f"full: expected shape (n, m, k, k), got {kernel.shape}")
    on = off = 0.0
    k = kernel.shape[2]
    for _, block in row_blocks(kernel):
        size = np.abs(block)
        on += float(np.einsum("ijoo->", size))
        size[:, :, range(k), range(k)] = 0.0  # not by a difference of sums, which would leave rounding where off is 0
        off += float(size.sum())
    pairs = kernel.shape[0] * kernel.shape[1]
    return on / pairs, off / pairs
