"""Products with a network's Jacobian and with its loss's curvature, by automatic differentiation twice (Pearlmutter 1994).

The loss is the sum ``L(θ) = Σ_i ½ ‖f(x_i) - y_i‖²``. Vectors are (c, P): c of them, each all trained parameters in their order, flat.
Nothing of size (P, P) or (n, P) is formed.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import DataError
from ntkcore.kernels.capture import exact_gradients
from ntkcore.kernels.checks import as_batch, as_samples, check_model, placed
from ntkcore.kernels.engine import BATCH_BYTES
from ntkcore.kernels.examined import examined
from ntkcore.kernels.general import quiet_vmap
from ntkcore.kernels.memory import of_device
from ntkcore.kernels.probe import activation_numbers

Curvature = Literal["hessian", "gauss-newton"]

HELD = 4  # arrays of a layer's size that a product holds: output, its gradient, and both differentiated
_SHARE = 8  # of BATCH_BYTES, one such part is for a set of vectors


class NetworkLoss:
    """A network at its parameters θ, and samples with targets. The network is read, never changed."""

    def __init__(self, model: nn.Module, x: Tensor | np.ndarray, y: Tensor | np.ndarray, device: torch.device | str | None = None) -> None:
        """Check the network and the samples.

        Args:
            model: maps (b, ...) to (b, k), each row from its sample alone (BatchNorm and dropout in eval mode); float32 or float64.
            x: (n, ...).
            y: (n, k).
            device: where to compute; None: where the model is.

        Raises:
            ModelError, DataError: as for :func:`~ntkcore.kernels.ntk_diagonal`; DataError for targets of another shape.
        """
        self.model = placed(model, device)
        self.like = check_model(self.model).detach()
        self.x, self.y = as_samples(x), as_samples(y, "y")
        with exact_gradients(self.like.device):
            self.k = examined(self.model, self.x, self.like).values[0].shape[1]
        if self.y.shape != (len(self.x), self.k):
            raise DataError(f"The targets have the shape {tuple(self.y.shape)}.", f"Give {(len(self.x), self.k)}, a row for each sample.")
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.size = sum(p.numel() for p in self.parameters)
        self._activations = activation_numbers(self.model, as_batch(self.x[:1], self.like))

    def with_samples(self, x: Tensor | np.ndarray, y: Tensor | np.ndarray) -> "NetworkLoss":
        """The same network with other samples."""
        return NetworkLoss(self.model, x, y)

    def side(self) -> int:
        """Vectors worth treating at once. More of them leave room for fewer samples at a time, each time with gradients of size P."""
        return max(1, of_device(BATCH_BYTES, self.like.device) // (_SHARE * self.size * self.like.element_size()))

    def gradients(self, rows: Sequence[int]) -> Tensor:
        """(c, P) ``∇ ½ ‖f(x_i) - y_i‖²`` of c single samples."""
        found = []
        with exact_gradients(self.like.device):
            for row in rows:
                inputs, targets = self._batch(torch.tensor([row]))
                found.append(self._flat(torch.autograd.grad(self._loss(inputs, targets), self.parameters, allow_unused=True), ()))
        return torch.stack(found)

    def gradient(self) -> Tensor:
        """(P,) ∇L."""
        total = torch.zeros(self.size, dtype=self.like.dtype, device=self.like.device)
        with exact_gradients(self.like.device):
            for inputs, targets in self._pieces(1):
                total += self._flat(torch.autograd.grad(self._loss(inputs, targets), self.parameters, allow_unused=True), ())
        return total

    def pulled(self) -> Tensor:
        """(P,) ``J(X)ᵀ y``: the targets pulled back to the parameters."""
        total = torch.zeros(self.size, dtype=self.like.dtype, device=self.like.device)
        with exact_gradients(self.like.device):
            for inputs, seeds in self._pieces(1):
                found = torch.autograd.grad(self.model(inputs), self.parameters, seeds, allow_unused=True)
                total += self._flat(found, ())
        return total

    def errors(self) -> Tensor:
        """(n, k) ``f(x_i) - y_i``."""
        with exact_gradients(self.like.device), torch.no_grad():
            return torch.cat([self.model(inputs) - targets for inputs, targets in self._pieces(1)])

    def along(self, vectors: Tensor) -> Tensor:
        """(c, n, k) how the outputs move along each vector, ``J(x_i) v``."""
        found = []
        with exact_gradients(self.like.device):
            for inputs, _ in self._pieces(len(vectors)):
                found.append(self._moved(self.model(inputs), vectors))
        return torch.cat(found, 1)

    def product(self, vectors: Tensor, curvature: Curvature, chosen: Tensor | None = None) -> Tensor:
        """(c, P) ``H v``: H = ∇²L, or ``Σ_i J(x_i)ᵀ J(x_i)`` for "gauss-newton"; of the samples ``chosen`` alone, where given."""
        total: Tensor | None = None
        with exact_gradients(self.like.device):
            for inputs, targets in self._pieces(len(vectors), chosen):
                outputs = self.model(inputs)
                if curvature == "gauss-newton":
                    found = self._pulled([outputs], [self._moved(outputs, vectors)])
                else:
                    loss = (outputs - targets).square().sum() / 2
                    first = torch.autograd.grad(loss, self.parameters, create_graph=True, allow_unused=True)
                    found = self._pulled(*self._paired(first, vectors))
                total = found if total is None else total.add_(found)
        assert total is not None  # there are samples
        return total

    def _loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        return (self.model(inputs) - targets).square().sum() / 2

    def _moved(self, outputs: Tensor, vectors: Tensor) -> Tensor:
        """(c, b, k) J v: the gradient of ``uᵀ J`` with respect to u, in which it is linear."""
        seeds = torch.zeros_like(outputs, requires_grad=True)
        rows = torch.autograd.grad(outputs, self.parameters, seeds, create_graph=True, allow_unused=True)
        graphs, directions = self._paired(rows, vectors)
        return _differentiated(graphs, [seeds], directions)[0]

    def _pulled(self, outputs: list[Tensor], seeds: list[Tensor]) -> Tensor:
        """(c, P)."""
        return self._flat(_differentiated(outputs, self.parameters, seeds), seeds[0].shape[:1])

    def _paired(self, graphs: Sequence[Tensor | None], vectors: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Gradients that depend on anything, each with its part of the vectors."""
        parts = vectors.split([p.numel() for p in self.parameters], 1)
        shaped = [part.reshape(-1, *p.shape) for part, p in zip(parts, self.parameters, strict=True)]
        used = [(g, part) for g, part in zip(graphs, shaped, strict=True) if g is not None and g.requires_grad]
        return [g for g, _ in used], [part for _, part in used]

    def _flat(self, gradients: Sequence[Tensor | None], lead: Sequence[int]) -> Tensor:
        return torch.cat(
            [
                torch.zeros(*lead, p.numel()).to(self.like) if g is None else g.detach().reshape(*lead, -1)
                for g, p in zip(gradients, self.parameters, strict=True)
            ],
            -1,
        )

    def _pieces(self, count: int, chosen: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Samples and targets, as many at once as BATCH_BYTES holds the layers' outputs of for ``count`` vectors."""
        numbers = HELD * (1 + count) * max(1, self._activations)
        step = max(1, of_device(BATCH_BYTES, self.like.device) // self.like.element_size() // numbers)
        for rows in (torch.arange(len(self.x)) if chosen is None else chosen).split(step):
            yield self._batch(rows)

    def _batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        return (
            as_batch(self.x[rows.to(self.x.device)], self.like),
            self.y[rows.to(self.y.device)].to(self.like.device, self.like.dtype),
        )


def _differentiated(outputs: list[Tensor], inputs: list[Any], seeds: list[Tensor]) -> list[Any]:
    """Gradients (c, ...) of the inputs for c seeds of each output, in one backward pass."""
    options: dict[str, Any] = {"retain_graph": True, "allow_unused": True}
    if len(seeds[0]) == 1:
        found = torch.autograd.grad(outputs, inputs, [seed[0] for seed in seeds], **options)
        return [None if g is None else g.unsqueeze(0) for g in found]
    with quiet_vmap():
        return list(torch.autograd.grad(outputs, inputs, seeds, is_grads_batched=True, **options))
