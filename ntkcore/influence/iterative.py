"""Solving ``A s = v`` from products with A alone: conjugate gradients, LiSSA, and the largest eigenvalue by power iteration.

Right-hand sides are (c, P), solved side by side; inner products are added up in float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor

from ntkcore.errors import ComputationError

Product = Callable[[Tensor], Tensor]
"""(c, P) to (c, P)."""

POWER_STEPS = 30
_MARGIN = 1.1  # over power iteration's estimate, which approaches the eigenvalue from below
_LOOK = 10  # steps between looks for divergence
_GROWTH = 10.0  # times what a recursion that contracts could reach: beyond it, it does not


@dataclass(frozen=True, slots=True)
class Lissa:
    """How LiSSA estimates.

    Attributes:
        scale: at least the largest eigenvalue of a batch's curvature plus λ; None: by power iteration on some batches, times 1.1.
        depth: steps of the recursion; None: ``log(100) scale / λ``, after which a hundredth of the slowest part is missing, at most 10000.
        batch: samples of a step, drawn without replacement; all n or more makes the recursion deterministic.
        repeats: independent estimates that are averaged.
        seed: of the batches.
    """

    scale: float | None = None
    depth: int | None = None
    batch: int = 64
    repeats: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.batch, self.repeats) < 1 or (self.depth is not None and self.depth < 1):
            raise ValueError("batch, repeats and depth: expected at least 1")
        if self.scale is not None and not (isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"scale: expected a positive number, got {self.scale}")


class NegativeCurvature(Exception):
    """Conjugate gradients met a direction p with ``pᵀ A p / pᵀ p = quotient``, not above 0."""

    def __init__(self, quotient: float) -> None:
        super().__init__(f"{quotient:g}")
        self.quotient = quotient


@dataclass(frozen=True, slots=True)
class Solution:
    """``vectors`` (c, P), and the iterations (c,) that each took."""

    vectors: Tensor
    iterations: Tensor


def inner(a: Tensor, b: Tensor) -> Tensor:
    """(c,) float64."""
    return (a * b).sum(1, dtype=torch.float64)


def conjugate_gradients(product: Product, right: Tensor, tolerance: float | Tensor, most: int, done: Callable[[int], None]) -> Solution:
    """Solve until each residual's norm is ``tolerance`` of its right-hand side's, or ``most`` iterations are over.

    Args:
        product: of a symmetric A.
        tolerance: one for all, or (c,).
        done: called with the number of iterations after each.

    Raises:
        NegativeCurvature: A is not positive definite.
    """
    found, iterations = torch.zeros_like(right), torch.zeros(len(right), dtype=torch.int64)
    columns = torch.arange(len(right), device=right.device)  # those not solved yet, in the arrays below
    solution, residual, direction, squared = torch.zeros_like(right), right.clone(), right.clone(), inner(right, right)
    target = squared * tolerance**2
    for iteration in range(1, most + 1):
        left = squared > target[columns]
        if not bool(left.all()):
            found[columns[~left]] = solution[~left]
            columns, solution, residual, direction, squared = (a[left] for a in (columns, solution, residual, direction, squared))
        if not len(columns):
            break
        mapped = product(direction)
        curved = inner(direction, mapped)
        quotient = float((curved / inner(direction, direction)).min())
        if not quotient > 0:
            raise NegativeCurvature(quotient)
        step = (squared / curved)[:, None].to(right.dtype)
        solution.addcmul_(step, direction)
        residual.addcmul_(-step, mapped)
        before, squared = squared, inner(residual, residual)
        direction.mul_((squared / before)[:, None].to(right.dtype)).add_(residual)
        iterations[columns.cpu()] = iteration
        done(iteration)
    found[columns] = solution
    return Solution(found, iterations)


def lissa(
    product: Callable[[Tensor, Tensor], Tensor],
    right: Tensor,
    scale: float,
    batches: Callable[[], Tensor],
    depth: int,
    done: Callable[[int], None],
) -> Tensor:
    """(c, P) ``s_(j+1) = v + (I - A_j / scale) s_j`` from ``s_0 = v``, ``depth`` times, over ``scale`` (Agarwal et al. 2017; IF-NTK §4).

    Args:
        product: (vectors, batch) to ``A_j`` times the vectors, an estimate of A from the batch.
        batches: draws the samples of a step.

    Raises:
        ComputationError: the recursion diverges.
    """
    state = right.clone()
    sizes = inner(right, right).sqrt()
    for j in range(1, depth + 1):
        state.sub_(product(state, batches()), alpha=1 / scale).add_(right)
        # where no step stretches, |s_j| <= (j + 1) |v|
        if (j % _LOOK == 0 or j == depth) and not bool((inner(state, state).sqrt() <= _GROWTH * (j + 1) * sizes).all()):
            raise ComputationError(
                f"LiSSA diverged by step {j} with the scale {scale:.3g}: the curvature is larger than the scale, or negative.",
                "Choose a larger scale or larger batches; if that does not help, a larger λ or the Gauss-Newton curvature.",
            )
        done(j)
    return state.div_(scale)


def largest_eigenvalue(product: Product, size: int, like: Tensor) -> float:
    """``|λ|_max`` of a symmetric matrix (size, size) by power iteration from a fixed random vector, times 1.1."""
    vector = torch.randn(1, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(like)
    found = 0.0
    for _ in range(POWER_STEPS):
        vector = product(vector / inner(vector, vector).sqrt().to(like.dtype))
        found = float(inner(vector, vector).sqrt())
        if found == 0:
            break
    return _MARGIN * found
