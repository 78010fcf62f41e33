"""Normalisations: ``y = weight * xhat + bias``; their few parameters' gradients are formed per sample.

BatchNorm uses its running statistics (eval mode), so that xhat of a sample depends on that sample alone.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ntkcore.kernels.layers.base import NOT_BY_SAMPLE, Site
from ntkcore.kernels.layers.formed import FormedPrepared
from ntkcore.kernels.layout import Layout
from ntkcore.kernels.uses import REPEATED, TURNED, Way

_BATCH, _BY_ROW = ("NativeBatchNormBackward0", "CudnnBatchNormBackward0"), ("NativeLayerNormBackward0", "FusedRmsNormBackward0")


class NormalisationRule:
    """BatchNorm in eval mode, InstanceNorm (which is BatchNorm of one sample with all samples' channels), LayerNorm, GroupNorm, RMSNorm."""

    axes: tuple[int, ...] = (0, 1)

    def role(self, way: Way) -> str | None:
        if TURNED in way.through or (REPEATED in way.through and way.kind not in _BATCH):
            return None
        return {1: "weight", 2: "bias"}.get(way.place)

    def refusal(self, site: Site) -> str | None:
        shape = site.node._saved_input.shape
        if type(site.node).__name__ in _BY_ROW:
            return NOT_BY_SAMPLE if math.prod(shape[: -len(site.node._saved_normalized_shape)]) % site.batch else None
        repeated = {REPEATED in use.way.through for use in site.uses.values()}
        if len(repeated) > 1 or site.axis:
            return NOT_BY_SAMPLE
        if repeated == {True}:
            whole = all(use.shape == (shape[1],) for use in site.uses.values())
            return None if shape[0] == 1 and shape[1] % site.batch == 0 and whole else NOT_BY_SAMPLE
        if type(site.node).__name__ in _BATCH and site.node._saved_training:
            return "each sample's numbers are normalised with the others'"
        return None if shape[0] == site.batch else NOT_BY_SAMPLE

    def prepare(self, site: Site, layout: Layout) -> "NormalisationPrepared":
        return NormalisationPrepared(site, layout)


class NormalisationPrepared(FormedPrepared):
    """``_normalised`` is xhat (b, ...), or None when only the bias is wanted; ``_summed`` the axes its parameters are shared over."""

    def __init__(self, site: Site, layout: Layout) -> None:
        node, shape = site.node, site.node._saved_input.shape
        if type(node).__name__ in _BY_ROW:
            within = len(node._saved_normalized_shape)
            self._by_sample: Callable[[Tensor], Tensor] = lambda raw: site.rows(raw.flatten(1, -within - 1), 1)
            self._summed: tuple[int, ...] = (2,)
            size = math.prod(shape[-within:])
        else:
            repeated = any(REPEATED in use.way.through for use in site.uses.values())
            self._by_sample = (lambda raw: raw.view(len(raw), site.batch, -1, *shape[2:])) if repeated else (lambda raw: raw)
            self._summed = tuple(range(3, 1 + len(shape)))
            size = shape[1] // (site.batch if repeated else 1)
        super().__init__(site, layout, size * len(site.uses))
        self._inputs = shape.numel()
        self._normalised = self._by_sample(_normalise(node).unsqueeze(0))[0] if "weight" in site.uses else None

    def by_sample(self, raw: Tensor) -> Tensor:
        return self._by_sample(raw)

    def formed(self, gradients: Tensor, rows: slice) -> dict[str, Tensor]:
        found = {}
        if self._normalised is not None:
            found["weight"] = self._reduce(gradients * self._normalised[rows])
        if "bias" in self._site.uses:
            found["bias"] = self._reduce(gradients)
        return found

    def _reduce(self, gradients: Tensor) -> Tensor:
        return (gradients.sum(self._summed) if self._summed else gradients).flatten(2)

    def input_numbers(self) -> int:
        return self._inputs

    def numbers(self) -> int:
        return 0 if self._normalised is None else self._normalised.numel()


def _normalise(node: Any) -> Tensor:
    """xhat: the operation's result with weight 1 and bias 0."""
    kind, value = type(node).__name__, node._saved_input.detach()
    if kind == "NativeGroupNormBackward0":
        return F.group_norm(value, node._saved_group, eps=node._saved_eps)
    if kind == "NativeLayerNormBackward0":
        return (value - node._saved_result1).mul_(node._saved_result2)
    if kind == "FusedRmsNormBackward0":
        return torch.mul(value, node._saved_result1)
    eps = node._saved_eps if kind == "NativeBatchNormBackward0" else node._saved_epsilon
    # one pass over memory, as the operation itself takes it
    return F.batch_norm(value, node._saved_running_mean, node._saved_running_var, training=node._saved_training, eps=eps)
