"""One forward pass that remembers chosen layers' inputs, and backward passes that stop at their outputs.

No gradient of a weight is ever formed: each layer's output is remembered as an edge of the autograd graph (so that operations that
later change it in place do no harm), and gradients are taken with respect to these edges.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.func import vmap

from ntkcore.errors import ModelError
from ntkcore.kernels.general import quiet_vmap


class Call(NamedTuple):
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

    def gradients(self, names: list[str], seeds: Tensor, batched: bool, folded: bool = False) -> list[Tensor]:
        """Gradients of the combinations ``seeds`` (s, k) of outputs at the named layers' outputs, each (s, b, *output).

        ``batched`` runs one backward pass for all of these combinations instead of one for each; ``folded``, too, in which a convolution
        takes those of all combinations as one batch: faster where each is small, but not every operation can be so run.
        """
        watched = [self.single(name) for name in names]
        wanted: Any = tuple(call.edge for call in watched if call.edge is not None)
        batch, count = self.outputs.shape[0], seeds.shape[0]
        found: Iterator[Tensor | None] = iter(())
        if wanted and self.outputs.requires_grad:
            options: dict[str, Any] = {"retain_graph": True, "allow_unused": True}
            if (batched or folded) and count > 1:
                chosen = seeds[:, None, :].expand(count, batch, -1)
                with quiet_vmap():
                    if folded:
                        found = iter(vmap(lambda seed: torch.autograd.grad(self.outputs, wanted, seed, **options))(chosen))
                    else:
                        found = iter(torch.autograd.grad(self.outputs, wanted, chosen, is_grads_batched=True, **options))
            else:
                rows = [seeds] if count == 1 else seeds.split(1)
                passes = [torch.autograd.grad(self.outputs, wanted, seed.expand(batch, -1), **options) for seed in rows]
                found = (None if parts[0] is None else _stacked(parts) for parts in zip(*passes, strict=True))
        gradients = [None if call.edge is None else next(found, None) for call in watched]
        return [
            call.output.new_zeros(count, *call.output.shape) if gradient is None else gradient
            for call, gradient in zip(watched, gradients, strict=True)
        ]

    def collected(self, names: list[str], seeds: Tensor, needed: Sequence[Callable[[Tensor], Tensor]]) -> list[Tensor]:
        """What is ``needed`` of the :meth:`gradients` (1, b, *output) -> (1, b, ...) for each name, after a pass for each of the ``seeds``.

        Each (s, b, ...); of images with the channels last, those of all passes together at each position.
        """
        passes: list[list[Tensor]] = [[] for _ in names]
        for seed in seeds.split(1):
            for parts, keep, gradients in zip(passes, needed, self.gradients(names, seed, batched=False), strict=True):
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


def capture(model: nn.Module, x: Tensor, layers: Mapping[str, nn.Module]) -> Capture:
    """Run ``model`` on ``x`` (b, ...) and remember every call of the ``layers``."""
    calls: dict[str, list[Call]] = {name: [] for name in layers}
    watched: list[tuple[dict[str, Any], _Watching]] = []
    try:
        # while the model runs, each layer has a forward of its own: what a hook before all others does, in a third of its time
        for name, module in layers.items():
            own = vars(module)
            before = own.get("forward")
            if isinstance(before, _Watching):  # of another thread, on the same model: not to be kept
                before = before.before
            watched.append((own, _Watching(before or type(module).forward.__get__(module), before, calls[name])))
            own["forward"] = watched[-1][1]
        outputs = model(x)
    finally:
        for own, watching in watched:
            if watching.before is None:
                own.pop("forward", None)
            else:
                own["forward"] = watching.before
    return Capture(outputs, calls)


class _Watching:
    """A layer's ``forward`` that remembers its calls; ``before`` is what the layer itself had in this place."""

    __slots__ = ("_calls", "_forward", "before")

    def __init__(self, forward: Callable[..., Tensor], before: Callable[..., Tensor] | None, calls: list[Call]) -> None:
        self._forward, self.before, self._calls = forward, before, calls

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        output = self._forward(*args, **kwargs)
        value = args[0] if args else kwargs["input"]
        edge = get_gradient_edge(output) if output.requires_grad else None
        self._calls.append(Call(value.detach(), value._version, output.detach(), edge))
        # a view changed in place is re-derived from its base, past the remembered edge; a copy is not
        return output.clone() if output._is_view() else output


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
