"""Full-batch gradient descent of many replicas of one network at once, each on its own choice of the samples and targets.

The loss of a replica is ``½ Σ_kept ‖f(x_i) - y_i‖² + λ/2 ‖θ - θ0‖²``; every replica starts from the same θ0. What is kept is the
displacement ``δ = θ - θ0``, in which λ is a factor and small steps are not lost in the rounding of θ. Shapes: c replicas, n training
and m test samples, k outputs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from ntkcore.errors import ComputationError
from ntkcore.kernels.checks import as_batch
from ntkcore.kernels.engine import BATCH_BYTES
from ntkcore.kernels.general import quiet_vmap
from ntkcore.kernels.memory import of_device
from ntkcore.kernels.probe import activation_numbers

LARGEST_OUTPUT = 1e6
"""Times the largest target (or 1): beyond it training has diverged."""

_LOOK = 50  # steps between looks for divergence
_HELD = 3  # arrays of a layer's size that a step holds: output, gradient and what lies between


@runtime_checkable
class TwoLayer(Protocol):
    """A network ``relu(x Wᵀ) Vᵀ`` of flattened samples of which W alone is trained."""

    def two_layer(self) -> tuple[Tensor, Tensor]:
        """W (h, d) and V (k, h), h hidden units."""
        ...


class Descent(Protocol):
    """One network, its samples, rate and λ; runs one set of replicas after another."""

    bytes_per_replica: int

    def begin(self, kept: Tensor, targets: Tensor) -> None:
        """Put replicas at θ0; ``kept`` (c, n) is 1 where a replica trains on a sample, else 0; ``targets`` (c, n, k)."""
        ...

    def step(self) -> None:
        """One step of all of them."""
        ...

    def train_outputs(self) -> Tensor:
        """(c, n, k)."""
        ...

    def test_outputs(self) -> Tensor:
        """(c, m, k)."""
        ...

    def moved(self) -> tuple[Tensor, ...]:
        """θ - θ0 of the trained parameters, in the model's order, each (c, ...)."""
        ...


def descent_of(model: nn.Module, x: Tensor, x_test: Tensor, rate: float, ridge: float, like: Tensor) -> Descent:
    """The quickest form for the network; x and x_test are on its device."""
    if isinstance(model, TwoLayer) and [p.shape for p in model.parameters() if p.requires_grad] == [model.two_layer()[0].shape]:
        return TwoLayerDescent(*model.two_layer(), x.flatten(1), x_test.flatten(1), rate, ridge)
    return GeneralDescent(model, x, x_test, rate, ridge, like)


def samples_of_pass(samples: int, numbers: int, like: Tensor) -> int:
    """Samples of one pass of any network whose layers put out so many numbers for each."""
    return max(1, min(samples, of_device(BATCH_BYTES, like.device) // (like.element_size() * _HELD * max(1, numbers))))


def bytes_of_replica(parameters: int, piece: int, numbers: int, like: Tensor) -> int:
    """Memory of a replica of any network, ``piece`` samples of it in a pass."""
    return like.element_size() * (4 * parameters + piece * _HELD * max(1, numbers))


class GeneralDescent:
    """Any network, its parameters stacked and its passes mapped over replicas (torch.func)."""

    def __init__(self, model: nn.Module, x: Tensor, x_test: Tensor, rate: float, ridge: float, like: Tensor) -> None:
        self._model, self._x, self._x_test = model, x, x_test
        self._rate, self._ridge, self._like = rate, ridge, like
        self._initial = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
        self._fixed = {name: p.detach() for name, p in model.named_parameters() if not p.requires_grad}
        size = sum(p.numel() for p in self._initial.values())
        numbers = activation_numbers(model, as_batch(x[:1], like))
        self._piece = samples_of_pass(max(len(x), len(x_test)), numbers, like)
        self.bytes_per_replica = bytes_of_replica(size, self._piece, numbers, like)
        self._moved: dict[str, Tensor] = {}
        self._kept = self._targets = like

    def begin(self, kept: Tensor, targets: Tensor) -> None:
        self._kept, self._targets = kept.to(self._like)[:, :, None], targets
        self._moved = {name: p.new_zeros(len(kept), *p.shape) for name, p in self._initial.items()}

    def step(self) -> None:
        def loss(moved: dict[str, Tensor], kept: Tensor, targets: Tensor, rows: slice) -> Tensor:
            return (kept * (self._forward(moved, self._x[rows]) - targets).square()).sum() / 2

        totals: dict[str, Tensor] = {}
        for rows in self._rows(len(self._x)):
            with quiet_vmap(), torch.enable_grad():
                slope = vmap(grad(loss), in_dims=(0, 0, 0, None))
                found = slope(self._moved, self._kept[:, rows], self._targets[:, rows], rows)
            totals = {name: g if name not in totals else totals[name].add_(g) for name, g in found.items()}
        for name, moved in self._moved.items():
            moved.mul_(1 - self._rate * self._ridge).add_(totals[name], alpha=-self._rate)

    def train_outputs(self) -> Tensor:
        return self._all(self._x)

    def test_outputs(self) -> Tensor:
        return self._all(self._x_test)

    def moved(self) -> tuple[Tensor, ...]:
        return tuple(self._moved.values())

    def _all(self, x: Tensor) -> Tensor:
        with quiet_vmap():
            return torch.cat([vmap(self._forward, (0, None))(self._moved, x[rows]) for rows in self._rows(len(x))], 1)

    def _forward(self, moved: dict[str, Tensor], x: Tensor) -> Tensor:
        parameters = {name: self._initial[name] + delta for name, delta in moved.items()}
        result: Tensor = functional_call(self._model, {**self._fixed, **parameters}, (as_batch(x, self._like),))
        return result

    def _rows(self, n: int) -> Iterator[slice]:
        return (slice(start, min(n, start + self._piece)) for start in range(0, n, self._piece))


class TwoLayerDescent:
    """A two-layer network in few products: its weights move in the span of the samples, ``W - W0 = Uᵀ X``.

    With H = X Wᵀ (n, h) and ``S = ((f - y) V) ∘ 1[H > 0]`` (rows of removed samples 0) a step is ``W ← W - η (Sᵀ X + λ (W - W0))``.
    For n below twice the d' inputs that are not always 0, U accumulates S and ``H = H0 - η X Xᵀ U``: one product of n² h instead of two
    of n d h. Else U holds ``(W - W0)ᵀ`` on those inputs. Arrays lie as (rows, c, h), so that all replicas share each product.
    """

    def __init__(self, weight: Tensor, fixed: Tensor, x: Tensor, x_test: Tensor, rate: float, ridge: float) -> None:
        weight, self._fixed = weight.detach(), fixed.detach()
        like = weight
        x, x_test = as_batch(x, like), as_batch(x_test, like)
        self._rate, self._keep = rate, 1 - rate * ridge
        self._start, self._start_test = x @ weight.T, x_test @ weight.T
        self._x, self._used = x, (x != 0).any(0)
        self._by_weights = len(x) >= 2 * int(self._used.sum())
        if self._by_weights:
            self._readout, self._readout_test = x[:, self._used].contiguous(), x_test[:, self._used].contiguous()
        else:
            self._readout, self._readout_test = -rate * (x @ x.T), -rate * (x_test @ x.T)
        self.bytes_per_replica = like.element_size() * len(weight) * (self._readout.shape[1] + 2 * len(x))
        self._kept = self._targets = self._state = self._hidden = self._active = x

    def begin(self, kept: Tensor, targets: Tensor) -> None:
        c, (n, rows), h = len(kept), self._readout.shape, self._start.shape[1]
        self._kept, self._targets = kept.T[:, :, None].to(self._start), targets.transpose(0, 1)
        self._state = self._start.new_zeros(rows, c, h)
        self._hidden, self._active = self._start.new_empty(n, c, h), self._start.new_empty(n, c, h)

    def step(self) -> None:
        hidden, active, state = self._hidden, self._active, self._state
        errors = (self._forward(self._start, self._readout, hidden, active) - self._targets) * self._kept
        active.sign_()  # max(H, 0) becomes 1[H > 0]
        torch.matmul(errors, self._fixed, out=hidden)
        if self._keep != 1:
            state.mul_(self._keep)
        if self._by_weights:
            _flat(state).addmm_(self._readout.T, _flat(hidden.mul_(active)), alpha=-self._rate)
        else:
            state.addcmul_(hidden, active)

    def train_outputs(self) -> Tensor:
        return self._forward(self._start, self._readout, self._hidden, self._active).transpose(0, 1)

    def test_outputs(self) -> Tensor:
        found = []
        for start, readout in zip(self._start_test.split(len(self._hidden)), self._readout_test.split(len(self._hidden)), strict=True):
            found.append(self._forward(start, readout, self._hidden[: len(start)], self._active[: len(start)]))  # the same memory
        return torch.cat(found).transpose(0, 1)

    def moved(self) -> tuple[Tensor, ...]:
        if not self._by_weights:
            return (torch.einsum("nch,nd->chd", self._state, -self._rate * self._x),)
        found = self._state.new_zeros(*self._state.shape[1:], self._x.shape[1])
        found[..., self._used] = self._state.permute(1, 2, 0)
        return (found,)

    def _forward(self, start: Tensor, readout: Tensor, hidden: Tensor, active: Tensor) -> Tensor:
        """(rows, c, k); leaves ``max(H, 0)`` in ``active``."""
        hidden.copy_(start[:, None].expand_as(hidden))
        _flat(hidden).addmm_(readout, _flat(self._state))
        torch.clamp_min(hidden, 0, out=active)
        return active @ self._fixed.T


def _flat(values: Tensor) -> Tensor:
    """(rows, c, h) as (rows, c h), a view."""
    return values.view(len(values), -1)


@dataclass(slots=True)
class Course:
    """Gradient descent of chunks of replicas for ``steps``, its records, its progress and its watch for divergence."""

    descent: Descent
    rate: float
    steps: int
    record: list[int]
    limit: float
    progress: Callable[[int, int], None] | None
    total: int = 0
    done: int = 0

    def trained(self, kept: Tensor, targets: Tensor) -> tuple[NDArray, NDArray]:
        """Outputs (c, T, m, k) and (c, T, n, k) of one chunk."""
        self.descent.begin(kept, targets)
        test, train = [], []
        for step in range(self.steps + 1):
            if step:
                self.descent.step()
                self.done += len(kept)
                if self.progress is not None:
                    self.progress(self.done, self.total)
            if step in self.record or step % _LOOK == 0 or step == self.steps:
                own = self.descent.train_outputs()
                self._check(own, step)
                if step in self.record:
                    train.append(own.cpu().numpy())
                    test.append(self.descent.test_outputs().cpu().numpy())
        return np.stack(test, 1), np.stack(train, 1)

    def _check(self, outputs: Tensor, step: int) -> None:
        if not bool((outputs.abs() <= self.limit).all()):
            raise ComputationError(
                f"Retraining diverged by step {step} at the learning rate {self.rate:g}.",
                f"Choose a smaller learning rate and more steps, for example {self.rate / 4:.2g} and four times as many.",
            )
