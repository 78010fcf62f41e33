"""One forward pass that remembers chosen layers' inputs, and backward passes that stop at their outputs.

No gradient of a weight is ever formed: each layer's output is remembered as an edge of the autograd graph (so that operations that
later change it in place do no harm), and gradients are taken with respect to these edges.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from ntkcore.errors import ModelError
from ntkcore.kernels.general import quiet_vmap


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a layer: its input, the input's version then, and its output's edge and shape (edge None: no gradient)."""

    value: Tensor
    version: int
    output: Tensor
    edge: GradientEdge | None


@dataclass(frozen=True, slots=True)
class Capture:
    """A forward pass: ``outputs`` (b, k) and the calls of each watched layer."""

    outputs: Tensor
    calls: dict[str, list[Call]] = field(repr=False)

    def single(self, name: str) -> Call:
        """The one call of a layer.

        Raises:
            ModelError: the layer was not called exactly once, or its input was changed afterwards.
        """
        calls = self.calls[name]
        if len(calls) != 1:
            raise ModelError(
                f"The layer {name!r} ran {len(calls)} times for some images and once for others.",
                "Use a network whose path does not depend on the images' values or their number.",
            )
        if calls[0].value._version != calls[0].version:
            raise ModelError(
                f"The network changes the input of the layer {name!r} in place after using it.",
                "Replace the in-place operation (such as x += y) by one that makes a new array (x = x + y).",
            )
        return calls[0]

    def gradients(self, names: list[str], seeds: Tensor, batched: bool) -> list[Tensor]:
        """Gradients of the combinations ``seeds`` (s, k) of outputs at the named layers' outputs, each (s, b, *output).

        ``batched`` runs one backward pass for all of these combinations instead of one for each.
        """
        edges = {name: edge for name in names if (edge := self.single(name).edge) is not None}
        batch, count = self.outputs.shape[0], len(seeds)
        found: list[Tensor | None] = [None] * len(edges)
        if edges and self.outputs.requires_grad:
            chosen = seeds[:, None, :].expand(count, batch, -1)
            wanted: Any = tuple(edges.values())
            options: dict[str, Any] = {"retain_graph": True, "allow_unused": True}
            if batched and count > 1:
                with quiet_vmap():
                    found = list(torch.autograd.grad(self.outputs, wanted, chosen, is_grads_batched=True, **options))
            else:
                passes = [torch.autograd.grad(self.outputs, wanted, seed, **options) for seed in chosen]
                found = [None if parts[0] is None else _stacked(parts) for parts in zip(*passes, strict=True)]
        by_name = dict(zip(edges, found, strict=True))
        return [self._or_zeros(by_name.get(name), self.single(name).output, count) for name in names]

    @staticmethod
    def _or_zeros(gradient: Tensor | None, output: Tensor, count: int) -> Tensor:
        return output.new_zeros(count, *output.shape) if gradient is None else gradient


def _stacked(parts: tuple[Tensor, ...]) -> Tensor:
    return parts[0].unsqueeze(0) if len(parts) == 1 else torch.stack(parts)


def capture(model: nn.Module, x: Tensor, layers: Mapping[str, nn.Module]) -> Capture:
    """Run ``model`` on ``x`` (b, ...) and remember every call of the ``layers``."""
    calls: dict[str, list[Call]] = {name: [] for name in layers}
    handles = []

    def watch(name: str) -> Any:
        def remember(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor) -> Tensor | None:
            value = args[0] if args else kwargs["input"]
            edge = get_gradient_edge(output) if output.requires_grad else None
            calls[name].append(Call(value.detach(), value._version, output.detach(), edge))
            # a view changed in place is re-derived from its base, past the remembered edge; a copy is not
            return output.clone() if output._is_view() else None

        return remember

    try:
        for name, module in layers.items():
            handles.append(module.register_forward_hook(watch(name), with_kwargs=True, prepend=True))
        outputs = model(x)
    finally:
        for handle in handles:
            handle.remove()
    return Capture(outputs, calls)


def exact_gradients(device: torch.device, *, tf32: bool = False) -> contextlib.AbstractContextManager[None]:
    """Gradients on, and float32 products in full float32 (or in TF32, when asked), whatever the caller set."""
    if device.type != "cuda" and torch.is_grad_enabled() and not torch.is_inference_mode_enabled():
        return contextlib.nullcontext()  # as it is: a small kernel takes less than a millisecond, and asks several times
    return _exact_gradients(device, tf32)


@contextlib.contextmanager
def _exact_gradients(device: torch.device, tf32: bool) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if device.type == "cuda":
            stack.enter_context(_tf32(tf32))
        yield


@contextlib.contextmanager
def _tf32(allowed: bool) -> Iterator[None]:
    matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn
