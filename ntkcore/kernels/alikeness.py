"""How alike two kernels are on the same samples: centred alignment, of all of it and of each sample's row.

Source: Cortes, Mohri, Rostamizadeh 2012, "Algorithms for learning kernels based on centered alignment", def. 4; the same as linear CKA
(Kornblith et al. 2019) of what the kernels are products of. Of rows it is ours: the cosine of a sample's two centred rows.
"""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Alikeness:
    """Two kernels on n samples; every value is in [-1, 1] and does not change when a kernel is multiplied by a positive number.

    Attributes:
        alignment: ``<HKH, HLH>_F / (‖HKH‖_F ‖HLH‖_F)``, at least 0 for positive semi-definite kernels; NaN where one of them is constant.
        rows: (n,) the cosine of each sample's rows of HKH and HLH: whether both relate it to the others alike; NaN where one is 0.
    """

    alignment: float
    rows: Float


def kernels_alike(one: ArrayLike, other: ArrayLike) -> Alikeness:
    """How alike two kernels (n, n) on the same samples are; memory 2 n² float64 beside them.

    Raises:
        ValueError: they are not square, or not of one size.
    """
    a, b = _centred(one), _centred(other)
    if a.shape != b.shape:
        raise ValueError(f"one, other: expected kernels on the same samples, got shapes {a.shape} and {b.shape}")
    products, own, others = (np.einsum("ij,ij->i", x, y) for x, y in ((a, b), (a, a), (b, b)))
    scale = sqrt(float(own.sum()) * float(others.sum()))
    lengths = np.sqrt(own * others)
    rows = np.full(len(a), nan)
    np.divide(products, lengths, out=rows, where=lengths > 0)
    alignment = float(np.clip(products.sum() / scale, -1, 1)) if scale > 0 else nan
    return Alikeness(alignment, np.clip(rows, -1, 1))


def _centred(kernel: ArrayLike) -> Float:
    """HKH, in float64; exactly 0 where that is all rounding."""
    found = np.array(kernel, dtype=np.float64)
    if found.ndim != 2 or found.shape[0] != found.shape[1]:
        raise ValueError(f"expected a kernel (n, n), got shape {found.shape}")
    largest = np.abs(found).max(initial=0.0)
    found -= found.mean(0)
    found -= found.mean(1)[:, None]
    if np.abs(found).max(initial=0.0) <= 1e-14 * largest:
        found[:] = 0.0
    return found
