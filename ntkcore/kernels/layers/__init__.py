"""The operations whose parameters' per-sample gradients are known in closed form from (input, gradient of the result).

They are those of autograd's graph: a layer is what its forward computes, whatever its class; of two operations in one layer, each is
known by itself.
"""

from ntkcore.kernels.layers.affine import AffineRule
from ntkcore.kernels.layers.base import OperationRule, Prepared, Site
from ntkcore.kernels.layers.broadcast import BroadcastRule
from ntkcore.kernels.layers.embedding import EmbeddingRule
from ntkcore.kernels.layers.normalisation import NormalisationRule
from ntkcore.kernels.uses import Way

_RULES: dict[str, OperationRule] = {
    **dict.fromkeys(("ConvolutionBackward0", "AddmmBackward0", "MmBackward0"), AffineRule()),
    **dict.fromkeys(
        (
            "NativeBatchNormBackward0",
            "CudnnBatchNormBackward0",
            "NativeLayerNormBackward0",
            "NativeGroupNormBackward0",
            "FusedRmsNormBackward0",
        ),
        NormalisationRule(),
    ),
    "EmbeddingBackward0": EmbeddingRule(),
    **dict.fromkeys(("MulBackward0", "DivBackward0", "AddBackward0", "SubBackward0", "ExpandBackward0"), BroadcastRule()),
}


def rule_for(way: Way) -> OperationRule | None:
    """The rule for an operation that takes a parameter, or None for one without."""
    rule = _RULES.get(way.kind)  # no function of a user's own has such a name: theirs end without a number
    return None if rule is None or rule.role(way) is None else rule


__all__ = ["OperationRule", "Prepared", "Site", "rule_for"]
