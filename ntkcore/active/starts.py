"""Training on, or training anew, in the kernel regime: warm start and cold start (Thesis Thms. 2.2.1, A.1.2; SCIENCE.md §8).

With one fixed kernel and λ = 0 both end in the same function: what the earlier trainings added is a combination of the kernel's columns of
samples that are trained on again. With λ > 0 each training pulls to where it began, so that the two differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.kernels.matrices import checked_kernel
from ntkcore.regression import fit_predict, fit_predict_blocks

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Starts:
    """Outputs (m, k) for test samples at the end of the last training: begun at ``f``, or at the end of the training before."""

    cold: Float
    warm: Float

    @property
    def difference(self) -> float:
        """Root mean square of their difference."""
        return float(np.sqrt(np.square(self.warm - self.cold).mean()))


def cold_and_warm(
    k_train: ArrayLike,
    k_test_train: ArrayLike,
    targets: ArrayLike,
    f_train: ArrayLike,
    f_test: ArrayLike,
    sizes: Sequence[int],
    ridge: float = 0.0,
) -> Starts:
    """Train on the first so many samples, then on more of them, and on, each time to the end.

    Args:
        k_train: (n, n), one kernel for all outputs, or (n, n, k, k).
        k_test_train: (m, n) or (m, n, k, k).
        targets: (n, k).
        f_train, f_test: (n, k) and (m, k) outputs before any training.
        sizes: how many samples each training has, rising, the last n.
        ridge: λ, at least 0, absolute.

    Raises:
        ComputationError: as for :func:`~ntkcore.regression.fit_predict`.
    """
    train, test = checked_kernel(k_train, "k_train"), checked_kernel(k_test_train, "k_test_train")
    y, first, other = (np.asarray(values, dtype=np.float64) for values in (targets, f_train, f_test))
    if not len(sizes) or list(sizes) != sorted(set(sizes)) or sizes[0] < 1 or sizes[-1] != len(train):
        raise ValueError(f"sizes: expected rising numbers from 1 on that end with {len(train)}, got {list(sizes)}")
    fit, every = fit_predict if train.ndim == 2 else fit_predict_blocks, np.concatenate([train, test])
    start = np.concatenate([first, other])
    now = start
    cold = fit(train, every, y, first, start, ridge).outputs
    for size in sizes:
        now = fit(train[:size, :size], every[:, :size], y[:size], now[:size], now, ridge).outputs
    return Starts(cold[len(train) :], now[len(train) :])
