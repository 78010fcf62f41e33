"""Solving with a network's curvature, ``(H + λ I) s = v``: exactly by conjugate gradients, or by LiSSA's recursion on batches."""

from collections.abc import Callable
from functools import partial
from math import ceil, log

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntkcore.errors import ComputationError, DataError
from ntkcore.influence.products import Curvature, NetworkLoss
from ntkcore.influence.solvers import Lissa, NegativeCurvature, conjugate_gradients, largest_eigenvalue, lissa

Float = NDArray[np.float64]

PROBED = 4
"""Batches whose largest eigenvalue decides LiSSA's scale."""
DEEPEST = 10_000
"""Steps of LiSSA's recursion, where it decides them."""


class Steps:
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


def solved_exactly(
    train: NetworkLoss, curvature: Curvature, ridge: float, right: Tensor, tolerance: float, most: int, steps: Steps
) -> tuple[Tensor, NDArray[np.int64]]:
    """Solutions (c, P) of ``(H + λ I) s = v`` by conjugate gradients, and the iterations (c,) that they took.

    Raises:
        ComputationError: H + λ I is not positive definite.
    """

    def product(vectors: Tensor) -> Tensor:
        return train.product(vectors, curvature).add_(vectors, alpha=ridge)

    try:
        found = conjugate_gradients(product, right, tolerance, most, steps.done)
    except NegativeCurvature as met:
        if curvature == "gauss-newton":
            raise ComputationError("The Gauss-Newton matrix plus λ is singular to rounding.", "Choose a larger λ.") from met
        raise ComputationError(
            f"The Hessian plus λ = {ridge:g} is not positive definite: along some direction its curvature is {met.quotient:.3g}, "
            "so that the trained network is no minimum of the regularised loss.",
            f"Choose λ well above {ridge - met.quotient:.2g}, or the Gauss-Newton curvature.",
        ) from met
    steps.finished(most)
    return found.vectors, found.iterations.numpy()


class LissaSolver:
    """LiSSA with what :class:`Lissa` left open decided."""

    def __init__(self, train: NetworkLoss, curvature: Curvature, ridge: float, options: Lissa, steps: Steps) -> None:
        self._train, self._curvature, self._ridge, self._steps = train, curvature, ridge, steps
        self._n = len(train.x)
        self.batch, self.repeats = min(options.batch, self._n), options.repeats
        self._generator = torch.Generator().manual_seed(options.seed)
        self.scale = self._largest() if options.scale is None else options.scale
        if options.depth is None and ridge == 0:
            raise DataError("Without λ LiSSA has no natural depth.", "Give its depth, or choose λ above 0.")
        self.depth = options.depth or max(10, min(DEEPEST, ceil(log(100) * self.scale / ridge)))

    def solve(self, right: Tensor, read: Callable[[Tensor], Float]) -> tuple[Tensor, Float]:
        """The repeats' mean solution (c, P), and what ``read`` makes of each repeat's, one after another along a first axis."""
        mean, values = torch.zeros_like(right), []
        for _ in range(self.repeats):
            solved = lissa(self._product, right, self.scale, self._drawn, self.depth, self._steps.done)
            self._steps.finished(self.depth)
            mean += solved / self.repeats
            values.append(read(solved))
        return mean, np.stack(values)

    def _product(self, vectors: Tensor, chosen: Tensor) -> Tensor:
        return self._train.product(vectors, self._curvature, chosen).mul_(self._n / len(chosen)).add_(vectors, alpha=self._ridge)

    def _drawn(self) -> Tensor:
        return torch.randperm(self._n, generator=self._generator)[: self.batch]

    def _largest(self) -> float:
        """Of several batches: theirs exceeds that of all samples, by the eigenvalue's convexity."""
        batches = [torch.arange(self._n)] if self.batch == self._n else [self._drawn() for _ in range(PROBED)]
        found = [largest_eigenvalue(partial(self._product, chosen=b), self._train.size, self._train.like) for b in batches]
        return max([*found, float(np.finfo(np.float32).tiny)])
