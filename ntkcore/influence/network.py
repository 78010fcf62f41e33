"""The classic influence function on a real network, by implicit Hessian-vector products (SCIENCE.md §4; IF-NTK eq. 12).

``Î(i, x) = ∇ℓ(x)ᵀ (H + λ I)^-1 ∇ℓ(x_i)`` with ``ℓ(x) = ½ ‖f(x) - y‖²`` at the trained θ and ``H = Σ_i ∇²ℓ(x_i)``, sums without 1/n, for
a network trained on ``Σ ℓ(x_i) + λ/2 ‖θ - θ0‖²``. Sign as everywhere: positive = helpful. In the kernel regime it is
:func:`~ntkcore.influence.kernel.ihvp_influence`. One system is solved for each test sample, not for each training sample.

Differs from the source by the Gauss-Newton choice ``H = Σ J(x_i)ᵀ J(x_i)``, which is never negative; both agree where the network is
linear in θ or its residuals vanish.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ntkcore.errors import ComputationError, DataError
from ntkcore.influence.iterative import Lissa
from ntkcore.influence.products import NetworkLoss
from ntkcore.influence.system import TOLERANCE, Solver, System

Float = NDArray[np.float64]

LISSA_TOLERANCE = 0.1
"""Relative residual, and error, by which LiSSA is judged."""


@dataclass(frozen=True, slots=True)
class IhvpNetwork:
    """Influence of every training sample on every test sample, and how well its systems were solved.

    Attributes:
        values: (n, m) Î, in units of the loss; positive = helpful.
        iterations: (m,) of conjugate gradients; LiSSA: depth times repeats.
        residuals: (m,) ``‖v - (H + λ I) s‖ / ‖v‖``, measured at the end with all samples; LiSSA: of the repeats' mean.
        tolerance: residual, of LiSSA also error, up to which a solve counts as converged.
        system: as asked.
        seconds: wall time.
        stationarity: ``‖∇L + λ(θ - θ0)‖ / (‖∇L‖ + ‖λ(θ - θ0)‖)``: 0 at the minimum, where eq. 12 holds; None: no θ0 was given, or λ = 0.
        spread: (n, m) standard deviation over LiSSA's repeats; that of ``values`` is √repeats less. None: CG, or one repeat.
        lissa: how LiSSA estimated, with everything decided that was left open; None for CG.
        errors: (m,) how far LiSSA's values of a test sample are from those of exact solutions, as a share of these; inf where H + λ I is
            not positive definite or CG do not arrive. None: CG, or not judged.
    """

    values: Float
    iterations: NDArray[np.int64]
    residuals: Float
    tolerance: float
    system: System
    seconds: float
    stationarity: float | None = None
    spread: Float | None = None
    lissa: Lissa | None = None
    errors: Float | None = None

    @property
    def converged(self) -> NDArray[np.bool_]:
        """(m,) whether each system is solved to the tolerance; LiSSA that was not judged is not known to be."""
        small = self.residuals <= self.tolerance
        if self.lissa is None:
            return small
        return np.zeros_like(small) if self.errors is None else small & (self.errors <= self.tolerance)


def ihvp_network(
    model: nn.Module,
    x_train: Tensor | np.ndarray,
    y_train: Tensor | np.ndarray,
    x_test: Tensor | np.ndarray,
    y_test: Tensor | np.ndarray,
    system: System,
    *,
    start: Mapping[str, Tensor] | None = None,
    device: torch.device | str | None = None,
    judge: bool = True,
    progress: Callable[[int, int], None] | None = None,
    waiting: Callable[[], None] | None = None,
) -> IhvpNetwork:
    """``∇ℓ(x)ᵀ (H + λ I)^-1 ∇ℓ(x_i)`` for every pair.

    Args:
        model: trained; maps (b, ...) to (b, k), in eval mode; computes in its own precision.
        x_train: (n, ...); y_train: (n, k); x_test: (m, ...); y_test: (m, k).
        system: λ, H, and how to solve. LiSSA, which decides its steps by itself, is judged by the tolerance: by default LISSA_TOLERANCE.
        start: θ0 by the parameters' names, to say how far θ is from the minimum that eq. 12 assumes.
        device: where to compute; None: where the model is.
        judge: whether to say how far LiSSA is off, by conjugate gradients on what it leaves undone.
        progress: called with work done and in all after each product; may raise ``Cancelled``. Work ends early where solves converge.
        waiting: called after each product; may raise ``Cancelled``.

    Raises:
        ModelError, DataError: a network or samples that cannot be used; says why.
        ComputationError: H + λ I is not positive definite, LiSSA diverges, or the result is not finite.
    """
    began = time.perf_counter()
    train = NetworkLoss(model, x_train, y_train, device)
    test = train.with_samples(x_test, y_test)
    solver = Solver(train, system, progress, waiting)
    tolerance = system.tolerance or (TOLERANCE[train.like.dtype] if solver.lissa is None else LISSA_TOLERANCE)
    n, m = len(train.x), len(test.x)
    values, spread = np.empty((n, m)), np.zeros((n, m))
    residuals, iterations, errors = np.empty(m), np.empty(m, dtype=np.int64), np.full(m, inf)
    read = partial(_against, train, errors=train.errors())
    for solved in solver.solutions(m, test.gradients, tolerance / 2, read, judge):
        columns, found = solved.rows, solved.read
        values[:, columns], iterations[columns], residuals[columns] = found.mean(0), solved.iterations, solved.residuals
        spread[:, columns] = found.std(0, ddof=1) if len(found) > 1 else 0.0
        if solved.undone is not None:
            errors[columns] = _error(values[:, columns], solved.undone)
    if not np.isfinite(values).all():
        raise ComputationError("The influence is not finite.", "Choose a larger λ, or compute in float64.")
    return IhvpNetwork(
        *(values, iterations, residuals, tolerance, system, time.perf_counter() - began),
        stationarity=_stationarity(train, system.ridge, start),
        spread=None if solver.lissa is None or solver.lissa.repeats == 1 else spread,
        lissa=solver.lissa,
        errors=None if solver.lissa is None or not judge else np.where(solver.indefinite, inf, errors),
    )


def _against(train: NetworkLoss, solved: Tensor, errors: Tensor) -> Float:
    """(n, c) ``∇ℓ(x_i)ᵀ s = <f(x_i) - y_i, J(x_i) s>``."""
    return (train.along(solved) * errors).sum(2, dtype=torch.float64).T.cpu().numpy()


def _error(values: Float, undone: Float) -> Float:
    """(c,) ‖undone‖ / ‖values + undone‖ of columns, inf where the first is."""
    known = np.isfinite(undone).all(0)
    part, whole = (np.linalg.norm(np.where(known, rows, 0.0), axis=0) for rows in (undone, values + undone))
    return np.where(known, part / np.where(whole > 0, whole, 1.0), inf)


def _stationarity(train: NetworkLoss, ridge: float, start: Mapping[str, Tensor] | None) -> float | None:
    if start is None or ridge == 0:
        return None
    names = [name for name, p in train.model.named_parameters() if p.requires_grad]
    if any(name not in start for name in names):
        raise DataError("The network before training has other parameters.", "Give θ0 of the same network.")
    moved = [p.detach() - start[name].to(p) for name, p in zip(names, train.parameters, strict=True)]
    pull = ridge * torch.cat([part.flatten() for part in moved])
    gradient = train.gradient()
    whole = float(gradient.norm() + pull.norm())
    return float((gradient + pull).norm()) / whole if whole else 0.0
