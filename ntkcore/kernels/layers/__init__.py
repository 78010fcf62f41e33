"""The layers whose per-sample gradients are known in closed form from (input, gradient of the output)."""

from torch import nn

from ntkcore.kernels.layers.affine import AffineRule
from ntkcore.kernels.layers.base import LayerRule, Prepared
from ntkcore.kernels.layers.embedding import EmbeddingRule
from ntkcore.kernels.layers.normalisation import NormalisationRule

_AFFINE = (nn.Linear, nn.Conv1d, nn.Conv2d)
_NORMALISATION = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.RMSNorm,
)


def rule_for(module: nn.Module) -> LayerRule | None:
    """The rule for a layer, or None for one without.

    Exact types only: a subclass may compute something else in its forward.
    """
    kind = type(module)
    if kind in _AFFINE:
        return AffineRule()
    if kind in _NORMALISATION:
        return NormalisationRule()
    if kind is nn.Embedding:
        return EmbeddingRule()
    return None


__all__ = ["LayerRule", "Prepared", "rule_for"]
