"""The leading eigenvectors of a centred kernel: kernel PCA (Schölkopf, Smola, Müller 1998, eqs. 11 and 20)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from ntkcore.errors import ComputationError
from ntkcore.linalg import SMALL, eigh

_TOLERANCE = 1e-7  # of an eigenvalue, relative; rounding of a float32 kernel is about as much


@dataclass(frozen=True, slots=True)
class Principal:
    """Samples on the leading eigenvectors of H K H, with H = I - 11ᵀ/n.

    Attributes:
        coordinates: float64 (n, d), column j is √λ_j v_j; distances in all n - 1 of them are those of the kernel.
        shares: (d,) λ_j over the trace of H K H, the largest first.
    """

    coordinates: NDArray[np.float64]
    shares: NDArray[np.float64]


def principal(kernel: NDArray[np.floating], count: int, going: Callable[[], None] | None = None) -> Principal:
    """The ``count`` leading eigenvectors; fewer where the samples have fewer.

    Up to a side of 1,200 by LAPACK, of the centred matrix; above by Lanczos iteration on products with ``kernel`` as it is, to 1e-7 of an
    eigenvalue, so that no second matrix is held. The sign is such that the entry of the largest magnitude is positive.

    Args:
        kernel: (n, n) symmetric, positive semidefinite but for rounding.
        count: d.
        going: called now and then; may raise ``Cancelled``.

    Raises:
        ComputationError: entries that are not finite, or samples that the kernel does not tell apart.
    """
    n = len(kernel)
    means = kernel.mean(1, dtype=np.float64)
    trace = float(np.trace(kernel, dtype=np.float64) - means.sum())
    if not np.isfinite(trace) or not np.isfinite(means).all():
        raise ComputationError("The kernel holds values that are not finite.", "Train with a smaller learning rate.")
    if trace <= 1e-9 * abs(float(np.trace(kernel, dtype=np.float64))):
        raise ComputationError("To this kernel all images are the same, so there is no plane to lay them on.", "Choose other images.")
    count = min(count, n - 1)
    if n <= SMALL:
        centred = kernel.astype(np.float64) - means[:, None] - means[None] + means.mean()
        values, vectors = eigh((centred + centred.T) / 2, going)
    else:

        def product(vector: NDArray[np.float64]) -> NDArray[np.float64]:
            if going is not None:
                going()
            flat = np.ravel(vector)
            moved = (kernel @ (flat - flat.mean()).astype(kernel.dtype)).astype(np.float64)
            return np.asarray(moved - moved.mean())

        start = np.random.default_rng(0).standard_normal(n)
        found = eigsh(LinearOperator((n, n), matvec=product, dtype=np.float64), count, which="LA", v0=start, tol=_TOLERANCE)
        values, vectors = found[0], found[1]
    order = np.argsort(-values, kind="stable")[:count]
    values, vectors = np.maximum(values[order], 0.0), vectors[:, order]
    vectors = vectors * np.where(vectors[np.abs(vectors).argmax(0), np.arange(count)] < 0, -1.0, 1.0)
    return Principal(vectors * np.sqrt(values), values / trace)
