"""Kernel regression at t = infinity with prior mean f0: ``f(x) = f0(x) + K(x, X) (K(X, X) + lambda I)^-1 (Y - f0(X))`` (SCIENCE.md §3).

With one kernel for all outputs this is Thesis eq. 3.5, an n × n system; with the full kernel, eq. 3.4, an (n k) × (n k) one. Both are
the same system for ``K ⊗ I``. Differs from the source by lambda, which it leaves out, and by the jitter, which it does not mention.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.errors import ComputationError
from ntkcore.kernels.matrices import checked_square, flat, row_blocks
from ntkcore.regression.solve import solve


@dataclass(frozen=True, slots=True)
class Prediction:
    """Outputs of a kernel regression and how well its system was solved.

    Attributes:
        outputs: (m, k) predictions for the test samples.
        ridge: lambda asked for, absolute.
        jitter: added to the diagonal beside lambda so that the system could be solved; 0 when nothing was.
        residual: ``|A beta - y| / |y|`` with A = K + lambda I without the jitter, y = Y - f0(X): 1e-10 or less of a well solved system;
            what the jitter cost otherwise. 0 for y = 0.
        reciprocal_condition: LAPACK's estimate of 1 / condition number of the factorised matrix (jitter included), in the 1-norm.
    """

    outputs: NDArray[np.float64]
    ridge: float
    jitter: float
    residual: float
    reciprocal_condition: float


def fit_predict(
    k_train: ArrayLike,
    k_test_train: ArrayLike,
    targets: ArrayLike,
    f_train: ArrayLike,
    f_test: ArrayLike,
    ridge: float = 0.0,
    waiting: Callable[[], None] | None = None,
) -> Prediction:
    """Regression with one kernel for all outputs (Thesis eq. 3.5).

    Everything is solved in float64 whatever the kernels' dtype; a k_train that is not symmetric counts by its symmetric part.
    Memory beside the arguments: 8 n² bytes and a few times 32 MiB. Operations: n³/3, more when a jitter has to be found.

    Args:
        k_train: (n, n) kernel of the training samples.
        k_test_train: (m, n).
        targets: (n, k).
        f_train, f_test: (n, k) and (m, k) the network's outputs, the prior mean.
        ridge: lambda, at least 0, absolute.
        waiting: called between panels of the factorisation; may raise ``Cancelled``.

    Raises:
        ComputationError: values that are not finite, or a kernel that is zero or far from positive definite.
    """
    return _fit_predict(k_train, k_test_train, targets, f_train, f_test, ridge, waiting, 2)


def fit_predict_blocks(
    k_train: ArrayLike,
    k_test_train: ArrayLike,
    targets: ArrayLike,
    f_train: ArrayLike,
    f_test: ArrayLike,
    ridge: float = 0.0,
    waiting: Callable[[], None] | None = None,
) -> Prediction:
    """Regression with the full kernel (Thesis eq. 3.4): as :func:`fit_predict`, with k × k blocks.

    Memory beside the arguments: 8 (n k)² bytes and a few times 32 MiB. Operations: (n k)³/3, more when a jitter has to be found.

    Args:
        k_train: (n, n, k, k).
        k_test_train: (m, n, k, k).
        targets, f_train, f_test, ridge, waiting: as for :func:`fit_predict`.
    """
    return _fit_predict(k_train, k_test_train, targets, f_train, f_test, ridge, waiting, 4)


def _fit_predict(
    k_train: ArrayLike,
    k_test_train: ArrayLike,
    targets: ArrayLike,
    f_train: ArrayLike,
    f_test: ArrayLike,
    ridge: float,
    waiting: Callable[[], None] | None,
    axes: int,
) -> Prediction:
    train, test = checked_square(k_train, "k_train"), np.asarray(k_test_train)
    y, prior, start = (np.asarray(values, dtype=np.float64) for values in (targets, f_train, f_test))
    for name, values in (("targets", y), ("f_test", start)):
        if values.ndim != 2 or not values.shape[1]:
            raise ValueError(f"{name}: expected shape (samples, k), got {values.shape}")
    n, m, k = len(train), len(start), y.shape[1]
    blocks = (k, k) if axes == 4 else ()
    _expect("k_train", train, (n, n, *blocks))
    _expect("k_test_train", test, (m, n, *blocks))
    _expect("targets", y, (n, k))
    _expect("f_train", prior, (n, k))
    _expect("f_test", start, (m, k))
    if not (isfinite(ridge) and ridge >= 0):
        raise ValueError(f"ridge: expected a number of at least 0, got {ridge}")
    if not (np.isfinite(y).all() and np.isfinite(prior).all() and np.isfinite(start).all()):
        raise ComputationError("The network's outputs or the targets are not finite.", "Train with a smaller learning rate.")
    residual_targets = y - prior
    solution = solve(train, residual_targets.reshape(-1, 1) if axes == 4 else residual_targets, ridge, waiting)
    outputs = start.copy()
    for rows, block in row_blocks(test):
        outputs[rows] += (flat(block) @ solution.beta).reshape(-1, k)
    if not np.isfinite(outputs).all():
        raise ComputationError("The kernel regression's outputs are not finite.", "Compute the kernel in float64, or choose a larger λ.")
    return Prediction(outputs, float(ridge), solution.jitter, solution.residual, solution.reciprocal_condition)


def _expect(name: str, values: NDArray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {values.shape}")
