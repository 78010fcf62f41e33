"""He's initialisation, for networks of any architecture."""

import torch
from torch import nn

from ntkcore.architecture import variances


def draw_he(network: nn.Module) -> None:
    """Draws the weights of all convolutions and linear layers from ``N(0, 2 / fan-in)`` and sets their biases to 0, in place.

    BatchNorm stays as PyTorch makes it: scale 1, shift 0. The numbers come from torch's current random state.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                variance, _ = variances("he", module.weight[0].numel())
                module.weight.normal_(0.0, variance**0.5)
                if module.bias is not None:
                    module.bias.zero_()
