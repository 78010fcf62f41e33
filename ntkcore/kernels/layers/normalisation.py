"""Normalisation layers: ``y = weight * xhat + bias``; their few parameters' gradients are formed per sample.

BatchNorm uses its running statistics (eval mode), so that xhat of a sample depends on that sample alone.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ntkcore.kernels.features import ExplicitFeatures, Features, Room, squared_norms
from ntkcore.kernels.layout import Layout


class NormalisationRule:
    """``nn.BatchNorm1d/2d`` in eval mode, ``nn.LayerNorm``, ``nn.GroupNorm``, ``nn.InstanceNorm1d/2d`` and ``nn.RMSNorm``."""

    def refusal(self, module: nn.Module, value: Tensor, output: Tensor, batch: int) -> str | None:
        axes = 4 if isinstance(module, nn.BatchNorm2d | nn.InstanceNorm2d) else 3 if isinstance(module, nn.InstanceNorm1d) else None
        trailing = len(module.normalized_shape) if isinstance(module, nn.LayerNorm | nn.RMSNorm) else 1
        if value.ndim < 1 + trailing or (axes is not None and value.ndim != axes) or value.shape[0] != batch:
            return "its input's first axis is not the batch"
        return None

    def prepare(
        self, module: nn.Module, value: Tensor, output_shape: tuple[int, ...], layout: Layout, wanted: frozenset[str]
    ) -> "NormalisationPrepared":
        trailing = isinstance(module, nn.LayerNorm | nn.RMSNorm)
        start = value.ndim - len(module.normalized_shape) if isinstance(module, nn.LayerNorm | nn.RMSNorm) else 2
        summed = tuple(range(1, start)) if trailing else tuple(range(2, value.ndim))
        normalised = _normalise(module, value) if "weight" in wanted else None
        size = sum(parameter.numel() for name, parameter in module.named_parameters(recurse=False) if name in wanted)
        return NormalisationPrepared(normalised, summed, "bias" in wanted, layout.joined, value.shape[0] * layout.count * size)


class NormalisationPrepared:
    """``normalised`` is xhat (b, ...), or None when only the bias is wanted; ``summed`` the axes its parameters are shared over."""

    method = "per-sample gradients of its few parameters, formed directly"

    def __init__(self, normalised: Tensor | None, summed: tuple[int, ...], bias: bool, joined: bool, pair_numbers: int) -> None:
        self._normalised, self._bias, self._joined, self._pair_numbers = normalised, bias, joined, pair_numbers
        self._summed = tuple(axis + 1 for axis in summed)

    def formed(self, gradients: Tensor, rows: slice) -> dict[str, Tensor]:
        found = {}
        if self._normalised is not None:
            found["weight"] = self._reduce(gradients * self._normalised[rows])
        if self._bias:
            found["bias"] = self._reduce(gradients)
        return found

    def _gradients(self, gradients: Tensor) -> Tensor:
        """(c, b, P)."""
        parts = list(self.formed(gradients, slice(None)).values())
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)

    def _reduce(self, gradients: Tensor) -> Tensor:
        return (gradients.sum(self._summed) if self._summed else gradients).flatten(2)

    def squared_norms(self, gradients: Tensor) -> Tensor:
        return squared_norms(self._gradients(gradients))

    def collected(self, gradients: Tensor) -> Tensor:
        return self._gradients(gradients)

    def features(self, collected: Tensor, room: Room) -> list[Features]:
        return [ExplicitFeatures.of(collected, self._joined)]

    def numbers(self) -> int:
        return 0 if self._normalised is None else self._normalised.numel()

    def pair_numbers(self) -> int:
        return self._pair_numbers

    def placed_numbers(self) -> int:
        return 0


def _normalise(module: nn.Module, value: Tensor) -> Tensor:
    """xhat: the layer's output with weight 1 and bias 0."""
    if isinstance(module, nn.LayerNorm):
        return F.layer_norm(value, module.normalized_shape, eps=module.eps)
    if isinstance(module, nn.RMSNorm):
        return F.rms_norm(value, module.normalized_shape, eps=module.eps)
    if isinstance(module, nn.GroupNorm):
        return F.group_norm(value, module.num_groups, eps=module.eps)
    assert isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.InstanceNorm1d | nn.InstanceNorm2d)
    if isinstance(module, nn.InstanceNorm1d | nn.InstanceNorm2d) and module.running_mean is None:
        return F.instance_norm(value, eps=module.eps)
    # one pass over memory, as the layer's own forward takes it
    return F.batch_norm(value, module.running_mean, module.running_var, training=False, eps=module.eps)
