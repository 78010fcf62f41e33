"""How far a trained network would move without a sample, by influence functions (Koh & Liang 2017; Unique-info Table 1).

``θ_(without i) - θ ≈ Δ_i = (H + λ I)^-1 ∇ℓ(x_i)`` at the trained θ, with ``ℓ(x) = ½ ‖f(x) - y‖²`` and ``H = Σ_i ∇²ℓ(x_i)``, sums without
1/n; predictions move by ``J(x) Δ_i``, the first order that Δ_i itself is of. One system is solved for each sample. With the Gauss-Newton
matrix all samples' answers follow from the kernel at θ: :mod:`ntkcore.information.influence_functions`.

Differs from the source, whose sums are averages over n samples: λ (or the damping) of an average is n times as much here, and so is the
scale of LiSSA.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntkcore.errors import ComputationError, DataError
from ntkcore.influence.iterative import inner
from ntkcore.influence.products import NetworkLoss
from ntkcore.influence.system import TOLERANCE, Solver, System

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RemovalMoves:
    """Where c removals would move a network.

    Attributes:
        weights: (c,) ``‖Δ_i‖²``.
        outputs: (c, m, k) ``J(x) Δ_i`` of m other samples.
        residuals: (c,) ``‖∇ℓ(x_i) - (H + λ I) Δ_i‖ / ‖∇ℓ(x_i)‖``, measured with all samples.
        iterations: (c,) products that each took.
    """

    weights: Float
    outputs: Float
    residuals: Float
    iterations: NDArray[np.int64]


def removal_moves(
    model: nn.Module,
    x: Tensor | np.ndarray,
    y: Tensor | np.ndarray,
    x_test: Tensor | np.ndarray,
    removed: Sequence[int],
    system: System,
    *,
    device: torch.device | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RemovalMoves:
    """``Δ_i`` of each of ``removed``, by conjugate gradients or by LiSSA.

    Args:
        model: trained; maps (b, ...) to (b, k), in eval mode; computes in its own precision.
        x: (n, ...); y: (n, k); x_test: (m, ...).
        removed: samples, each removed by itself.
        system: λ or the damping, H, and how to solve.
        device: where to compute; None: where the model is.
        progress: called with the products done and in all, at most; may raise ``Cancelled``.

    Raises:
        ModelError, DataError: a network or samples that cannot be used.
        ComputationError: H + λ I is not positive definite, LiSSA diverges, or the result is not finite.
    """
    train = NetworkLoss(model, x, y, device)
    if not removed or not all(0 <= i < len(train.x) for i in removed):
        raise DataError(f"The samples {list(removed)} cannot be removed.", f"Name one or more, by numbers from 0 to {len(train.x) - 1}.")
    others = train.with_samples(x_test, torch.zeros(len(x_test), train.k, dtype=train.like.dtype))
    weights, residuals, iterations = np.empty(len(removed)), np.empty(len(removed)), np.empty(len(removed), dtype=np.int64)
    outputs = np.empty((len(removed), len(others.x), train.k))
    tolerance = system.tolerance or TOLERANCE[train.like.dtype]

    def gradients(some: range) -> Tensor:
        return train.gradients([removed[i] for i in some])

    for solved in Solver(train, system, progress).solutions(len(removed), gradients, tolerance):
        rows = solved.rows
        iterations[rows], residuals[rows] = solved.iterations, solved.residuals
        weights[rows] = inner(solved.vectors, solved.vectors).cpu().numpy()
        outputs[rows] = others.along(solved.vectors).double().cpu().numpy()
    if not (np.isfinite(weights).all() and np.isfinite(outputs).all()):
        raise ComputationError("The moves are not finite.", "Choose a larger λ, or compute in float64.")
    return RemovalMoves(weights, outputs, residuals, iterations)
