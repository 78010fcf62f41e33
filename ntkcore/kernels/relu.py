"""The kernel of the infinitely wide two-layer ReLU network whose first layer is trained, in closed form (IF-NTK eq. 4; SCIENCE.md §1).

``f(x) = m^(-1/2) sum_r a_r relu(<w_r, x>)`` with fixed signs a_r and Gaussian w_r has, as m grows, the kernel
``K(x, z) = <x, z> P(<w, x> > 0, <w, z> > 0) = <x, z> (pi - angle) / (2 pi)``.
"""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ntkcore.errors import DataError
from ntkcore.kernels.checks import as_samples

UNIT_TOLERANCE = 1e-5
"""How far a norm may be from 1. Dividing by the norm in float32 leaves about 1e-7; the rest is for a few more roundings."""

NEAR = 0.99
"""From this |cosine| on, the angle is taken from the samples' difference and sum: the cosine alone would lose its digits."""

_CHUNK = 2**22  # numbers in one array of differences


def two_layer_relu_ntk(x: Tensor | NDArray, z: Tensor | NDArray | None = None) -> NDArray[np.float64]:
    """``K(x, z) = <x, z> (pi - arccos <x, z>) / (2 pi)`` for samples of length 1, so that ``K(x, x) = 1/2``.

    Where the cosine c is near ±1, ``arccos c`` is off by ``eps / sqrt(1 - c²)``, up to 1e-8; there the angle is
    ``2 atan2(|x - z|, |x + z|)``, which is good to eps.

    Args:
        x: (n, ...) samples of norm 1, within UNIT_TOLERANCE; scaled to norm 1 in float64 before use.
        z: (m, ...), or None for ``z = x``.

    Returns:
        (n, m) float64; for ``z = None`` exactly symmetric, with exactly 1/2 on the diagonal.

    Raises:
        DataError: samples that are not finite, not of norm 1, or of two sizes.
    """
    rows = _unit(x, "x")
    columns = rows if z is None else _unit(z, "z")
    if rows.shape[1] != columns.shape[1]:
        raise DataError(f"x has samples of {rows.shape[1]} numbers, z of {columns.shape[1]}.", "Give both in the same size.")
    cosine = np.clip(rows @ columns.T, -1.0, 1.0)
    angle = np.arccos(cosine)
    near_rows, near_columns = np.nonzero(np.abs(cosine) > NEAR)
    step = max(1, _CHUNK // rows.shape[1])
    for start in range(0, len(near_rows), step):
        i, j = near_rows[start : start + step], near_columns[start : start + step]
        angle[i, j] = 2 * np.arctan2(np.linalg.norm(rows[i] - columns[j], axis=1), np.linalg.norm(rows[i] + columns[j], axis=1))
        cosine[i, j] = np.cos(angle[i, j])
    kernel = cosine * (np.pi - angle) / (2 * np.pi)
    if z is None:
        kernel = (kernel + kernel.T) / 2
    return kernel


def _unit(x: Tensor | NDArray, name: str) -> NDArray[np.float64]:
    samples = as_samples(x, name).flatten(1).cpu().double().numpy()
    norms = np.linalg.norm(samples, axis=1)
    bad = np.abs(norms - 1) > UNIT_TOLERANCE
    if bad.any():
        first = int(bad.argmax())
        raise DataError(
            f"{int(bad.sum())} of the {len(samples)} samples of {name} do not have length 1 (sample {first} has {norms[first]:.6g}).",
            "Divide each sample by its norm; this kernel is defined for samples of length 1.",
        )
    return samples / norms[:, None]
