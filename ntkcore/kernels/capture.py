"""One forward pass with the graph that autograd has of it, and backward passes that stop at chosen operations' results.

No gradient of a weight is ever formed there: gradients are taken at edges of the graph, which are those of the operations' own results
(whatever changes these in place later), and an operation's input is what autograd keeps of it.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.func import vmap

from ntkcore.kernels.general import quiet_vmap
from ntkcore.kernels.uses import Uses, edge_of, shape_of, uses_of


@dataclass(frozen=True, slots=True)
class Capture:
    """A forward pass: ``outputs`` (b, k) and the operations that use each parameter."""

    outputs: Tensor
    uses: Uses = field(repr=False)

    @classmethod
    def of(cls, outputs: Tensor) -> "Capture":
        """The pass that gave the ``outputs``."""
        return cls(outputs, uses_of(outputs))

    def gradients(self, nodes: Sequence[Node], seeds: Tensor, batched: bool, folded: bool = False) -> list[Tensor]:
        """Gradients of the combinations ``seeds`` (s, k) of outputs at the operations' results, each (s, *result).

        ``batched`` runs one backward pass for all of these combinations instead of one for each; ``folded``, too, in which a convolution
        takes those of all combinations as one batch: faster where each is small, but not every operation can be so run.
        """
        wanted: Any = tuple(map(edge_of, nodes))
        batch, count = self.outputs.shape[0], seeds.shape[0]
        found: Sequence[Tensor | None] = [None] * len(nodes)
        if wanted and self.outputs.requires_grad:
            options: dict[str, Any] = {"retain_graph": True, "allow_unused": True}
            if (batched or folded) and count > 1:
                chosen = seeds[:, None, :].expand(count, batch, -1)
                with quiet_vmap():
                    if folded:
                        found = vmap(lambda seed: torch.autograd.grad(self.outputs, wanted, seed, **options))(chosen)
                    else:
                        found = torch.autograd.grad(self.outputs, wanted, chosen, is_grads_batched=True, **options)
            else:
                rows = [seeds] if count == 1 else seeds.split(1)
                passes = [torch.autograd.grad(self.outputs, wanted, seed.expand(batch, -1), **options) for seed in rows]
                found = [None if parts[0] is None else _stacked(parts) for parts in zip(*passes, strict=True)]
        return [
            self.outputs.new_zeros(count, *shape_of(node)) if gradient is None else gradient
            for node, gradient in zip(nodes, found, strict=True)
        ]

    def collected(self, nodes: Sequence[Node], seeds: Tensor, needed: Sequence[Callable[[Tensor], Tensor]]) -> list[Tensor]:
        """What is ``needed`` of the :meth:`gradients` (1, *result) -> (1, b, ...) at each operation, a pass for each of the ``seeds``.

        Each (s, b, ...); of images with the channels last, those of all passes together at each position.
        """
        passes: list[list[Tensor]] = [[] for _ in nodes]
        for seed in seeds.split(1):
            for parts, keep, gradients in zip(passes, needed, self.gradients(nodes, seed, batched=False), strict=True):
                parts.append(keep(gradients))
        found = []
        for number, parts in enumerate(passes):
            if parts[0].ndim == 5 and parts[0][0].is_contiguous(memory_format=torch.channels_last):
                found.append(torch.stack([part[0].permute(0, 2, 3, 1) for part in parts], 3).permute(3, 0, 4, 1, 2))
            else:
                found.append(torch.cat(parts))
            passes[number] = []  # its memory is wanted for the next
        return found


def _stacked(parts: tuple[Tensor, ...]) -> Tensor:
    return parts[0].unsqueeze(0) if len(parts) == 1 else torch.stack(parts)


def capture(model: nn.Module, x: Tensor) -> Capture:
    """Run ``model`` on ``x`` (b, ...)."""
    return Capture.of(model(x))


_CPU = ("mkldnn", "matmul"), ("mkldnn", "conv"), ("mkldnn", "rnn")
_GPU = ("cuda", "matmul"), ("cuda", "conv"), ("cuda", "rnn")
_COARSE = ("tf32", "bf16")


def exact_gradients(device: torch.device, *, tf32: bool = False) -> contextlib.AbstractContextManager[None]:
    """Gradients on, and float32 products in full float32 (or in TF32, when asked), whatever the caller set: autocast, too, is off."""
    plain = torch.is_grad_enabled() and not torch.is_inference_mode_enabled() and not torch.is_autocast_enabled("cpu")
    if device.type == "cpu" and plain and not any(torch._C._get_fp32_precision_getter(*place) in _COARSE for place in _CPU):
        return contextlib.nullcontext()  # as it is: a small kernel takes less than a millisecond, and asks several times
    return _exact_gradients(device, tf32)


@contextlib.contextmanager
def _exact_gradients(device: torch.device, tf32: bool) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in {device.type, "cpu"}:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        stack.enter_context(_products(tf32 and device.type == "cuda"))
        yield


@contextlib.contextmanager
def _products(tf32: bool) -> Iterator[None]:
    """Products of float32 numbers in that precision, or on a GPU in TF32."""
    wanted = [(place, "ieee") for place in _CPU] + [(place, "tf32" if tf32 else "ieee") for place in _GPU]
    before = [(place, torch._C._get_fp32_precision_getter(*place)) for place, _ in wanted]
    changed = [(place, was) for (place, was), (_, wish) in zip(before, wanted, strict=True) if was != wish and (was in _COARSE or tf32)]
    for place, _ in changed:
        torch._C._set_fp32_precision_setter(*place, dict(wanted)[place])
    try:
        yield
    finally:
        for place, was in changed:
            torch._C._set_fp32_precision_setter(*place, was)
