"""Solving with a network's curvature, ``(H + λ I) s = v``: exactly by conjugate gradients, or by LiSSA's recursion on batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, inf, isfinite, log
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntkcore.errors import ComputationError, DataError
from ntkcore.influence.iterative import Lissa, NegativeCurvature, conjugate_gradients, inner, largest_eigenvalue, lissa
from ntkcore.influence.products import Curvature, NetworkLoss

Float = NDArray[np.float64]

PROBED = 4
"""Batches whose largest eigenvalue decides LiSSA's scale."""
DEEPEST = 10_000
"""Steps of LiSSA's recursion, where it decides them."""


TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-10}
"""Relative residual at which conjugate gradients stop."""


@dataclass(frozen=True, slots=True)
class System:
    """Which system is solved, and how.

    Attributes:
        ridge: λ or a damping, absolute, of the summed loss; at least 0.
        curvature: of which H is made.
        lissa: how LiSSA estimates; None: conjugate gradients.
        tolerance: relative residual to reach, of LiSSA also the relative error; None: the precision's, of LiSSA a tenth.
        max_iterations: of conjugate gradients.

    Raises:
        DataError: λ is below 0, or the tolerance not above 0.
    """

    ridge: float
    curvature: Curvature = "hessian"
    lissa: Lissa | None = None
    tolerance: float | None = None
    max_iterations: int = 1000

    def __post_init__(self) -> None:
        if not (isfinite(self.ridge) and self.ridge >= 0):
            raise DataError(f"λ is {self.ridge}.", "Choose a number of at least 0.")
        if self.tolerance is not None and not self.tolerance > 0:
            raise DataError(f"The tolerance is {self.tolerance}.", "Choose a number above 0.")


class Solved(NamedTuple):
    """The solutions of some right-hand sides.

    Attributes:
        rows: which.
        vectors: (c, P); LiSSA: the repeats' mean.
        iterations: (c,) of conjugate gradients; LiSSA: depth times repeats.
        residuals: (c,) ``‖v - (H + λ I) s‖ / ‖v‖``, measured with all samples.
        read: what was read of each repeat's solutions, along a first axis of one (conjugate gradients) or of the repeats.
        undone: what was read of ``(H + λ I)^-1`` times LiSSA's residuals, inf where that is not known; None: not judged.
    """

    rows: slice
    vectors: Tensor
    iterations: NDArray[np.int64]
    residuals: Float
    read: Float
    undone: Float | None = None


class Solver:
    """Solves a system for as many right-hand sides at a time as there is room for.

    Args:
        train: the network and its training samples.
        system: what to solve.
        progress: called with the products done and in all, at most; may raise ``Cancelled``. Work ends early where solves converge.
        waiting: called after each product; may raise ``Cancelled``.

    Attributes:
        lissa: LiSSA with everything decided that was left open; None: conjugate gradients.
        indefinite: whether judging met a direction without curvature.

    Raises:
        DataError: LiSSA's depth cannot be decided.
    """

    def __init__(
        self, train: NetworkLoss, system: System, progress: Callable[[int, int], None] | None, waiting: Callable[[], None] | None = None
    ) -> None:
        self._train, self._system, self._steps = train, system, _Steps(progress, waiting)
        self._recursion = None if system.lissa is None else _Recursion(train, system, system.lissa, self._steps)
        self.lissa = None if self._recursion is None else self._recursion.options
        self.indefinite = False

    def solutions(
        self,
        count: int,
        right: Callable[[range], Tensor],
        tolerance: float,
        read: Callable[[Tensor], Float] = lambda _: np.zeros(0),
        judge: bool = False,
    ) -> Iterator[Solved]:
        """The solutions for ``count`` right-hand sides.

        A small residual says little of a solution along a direction of hardly any curvature, and nothing of the curvature's sign. What
        LiSSA's residual r leaves undone, ``A^-1 r`` by conjugate gradients with all samples, does.

        Args:
            right: some of them, (c, P).
            tolerance: relative residual at which conjugate gradients stop.
            read: makes of solutions (c, P) what is wanted of each repeat.
            judge: whether to say what LiSSA leaves undone; as many products as conjugate gradients take, at most.

        Raises:
            ComputationError: H + λ I is not positive definite, or LiSSA diverges.
        """
        system, recursion, side = self._system, self._recursion, min(count, self._train.side())
        each = system.max_iterations if recursion is None else recursion.repeats * recursion.depth
        judge = judge and recursion is not None
        self._steps.total = -(-count // side) * (each + judge * system.max_iterations)
        for first in range(0, count, side):
            rows = slice(first, min(count, first + side))
            wanted = right(range(rows.start, rows.stop))
            if recursion is None:
                solved, iterations = _solved_exactly(self._train, system, wanted, tolerance, self._steps)
                found = read(solved)[None]
            else:
                solved, found = recursion.solve(wanted, read)
                iterations = np.full(len(wanted), each)
            left = wanted - self._train.product(solved, system.curvature) - system.ridge * solved
            norms = inner(wanted, wanted).sqrt()
            residuals = inner(left, left).sqrt() / norms.where(norms > 0, 1.0)
            undone = self._undone(left, residuals, read) if judge else None
            yield Solved(rows, solved, iterations, residuals.cpu().numpy(), found, undone)

    def _undone(self, left: Tensor, residuals: Tensor, read: Callable[[Tensor], Float]) -> Float:
        """What ``read`` makes of ``A^-1 r``, along a last axis inf where conjugate gradients do not arrive or meet no curvature."""
        reached = TOLERANCE[left.dtype] / residuals.clamp_min(TOLERANCE[left.dtype])
        try:
            solved, iterations = _conjugate(self._train, self._system, left, reached, self._steps)
        except NegativeCurvature:
            self.indefinite = True
            return np.full_like(read(left), inf)
        return np.where(iterations < self._system.max_iterations, read(solved), inf)


class _Steps:
    """Counts products."""

    def __init__(self, progress: Callable[[int, int], None] | None, waiting: Callable[[], None] | None) -> None:
        self.total = 0
        self._base = 0
        self._progress, self._waiting = progress, waiting

    def done(self, within: int) -> None:
        """``within`` steps of the present solve are done."""
        if self._waiting is not None:
            self._waiting()
        if self._progress is not None and self.total:
            self._progress(self._base + within, self.total)

    def finished(self, steps: int) -> None:
        """A solve of at most ``steps`` is over."""
        self._base += steps


def _solved_exactly(train: NetworkLoss, system: System, right: Tensor, tolerance: float, steps: _Steps) -> tuple[Tensor, NDArray[np.int64]]:
    """Solutions (c, P) by conjugate gradients, and the iterations (c,) that they took.

    Raises:
        ComputationError: H + λ I is not positive definite.
    """
    try:
        return _conjugate(train, system, right, tolerance, steps)
    except NegativeCurvature as met:
        if system.curvature == "gauss-newton":
            raise ComputationError("The Gauss-Newton matrix plus λ is singular to rounding.", "Choose a larger λ.") from met
        raise ComputationError(
            f"The Hessian plus λ = {system.ridge:g} is not positive definite: along some direction its curvature is {met.quotient:.3g}, "
            "so that the trained network is no minimum of the regularised loss.",
            f"Choose λ well above {system.ridge - met.quotient:.2g}, or the Gauss-Newton curvature.",
        ) from met


def _conjugate(
    train: NetworkLoss, system: System, right: Tensor, tolerance: float | Tensor, steps: _Steps
) -> tuple[Tensor, NDArray[np.int64]]:
    """As :func:`_solved_exactly`, without its words.

    Raises:
        NegativeCurvature: H + λ I is not positive definite.
    """

    def product(vectors: Tensor) -> Tensor:
        return train.product(vectors, system.curvature).add_(vectors, alpha=system.ridge)

    try:
        found = conjugate_gradients(product, right, tolerance, system.max_iterations, steps.done)
    finally:
        steps.finished(system.max_iterations)
    return found.vectors, found.iterations.numpy()


class _Recursion:
    """LiSSA with what :class:`Lissa` left open decided."""

    def __init__(self, train: NetworkLoss, system: System, options: Lissa, steps: _Steps) -> None:
        self._train, self._curvature, self._ridge, self._steps = train, system.curvature, system.ridge, steps
        self._n = len(train.x)
        self._batch, self.repeats = min(options.batch, self._n), options.repeats
        self._generator = torch.Generator().manual_seed(options.seed)
        self._scale = self._largest() if options.scale is None else options.scale
        if options.depth is None and self._ridge == 0:
            raise DataError("Without λ LiSSA has no natural depth.", "Give its depth, or choose λ above 0.")
        self.depth = options.depth or max(10, min(DEEPEST, ceil(log(100) * self._scale / self._ridge)))
        self.options = replace(options, scale=self._scale, depth=self.depth, batch=self._batch)

    def solve(self, right: Tensor, read: Callable[[Tensor], Float]) -> tuple[Tensor, Float]:
        """The repeats' mean solution (c, P), and what ``read`` makes of each repeat's, one after another along a first axis."""
        mean, values = torch.zeros_like(right), []
        for _ in range(self.repeats):
            solved = lissa(self._product, right, self._scale, self._drawn, self.depth, self._steps.done)
            self._steps.finished(self.depth)
            mean += solved / self.repeats
            values.append(read(solved))
        return mean, np.stack(values)

    def _product(self, vectors: Tensor, chosen: Tensor) -> Tensor:
        return self._train.product(vectors, self._curvature, chosen).mul_(self._n / len(chosen)).add_(vectors, alpha=self._ridge)

    def _drawn(self) -> Tensor:
        return torch.randperm(self._n, generator=self._generator)[: self._batch]

    def _largest(self) -> float:
        """Of several batches: theirs exceeds that of all samples, by the eigenvalue's convexity."""
        batches = [torch.arange(self._n)] if self._batch == self._n else [self._drawn() for _ in range(PROBED)]
        found = [largest_eigenvalue(partial(self._product, chosen=b), self._train.size, self._train.like) for b in batches]
        return max([*found, float(np.finfo(np.float32).tiny)])
