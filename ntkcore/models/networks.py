"""Networks that are chains of layers, built from their descriptions in :mod:`ntkcore.architecture`.

Each builder takes ``input_shape`` ``(c, h, w)`` or ``(d,)`` and draws PyTorch's default initialisation from torch's current
random state, layer after layer; :mod:`ntkcore.models.build` seeds it and adds the normalisation.
"""

from collections.abc import Sequence

from torch import nn

from ntkcore.architecture import Chain, Conv, Dense, Flatten, GlobalAveragePool, Layer, Relu
from ntkcore.models.layers import AveragePixels

CNN4_SMALLEST = 28  # below it the last 3 × 3 convolution has no room


def from_chain(chain: Chain, input_shape: Sequence[int]) -> nn.Sequential:
    """The torch module of ``chain`` for samples of ``input_shape``: one submodule per layer, so its parameters are ``<number>.weight``.

    Raises:
        ModelError: the chain does not fit the samples.
    """
    shape = tuple(input_shape)
    entering = (shape, *chain.shapes(shape))
    return nn.Sequential(*(_module(layer, before[0]) for layer, before in zip(chain.layers, entering, strict=False)))


def cnn4_side(side: int) -> int:
    """Height (or width) of the cnn4's last feature map for images of height (or width) ``side``; ``< 1``: does not fit."""
    return (side // 2 // 2 - 3) // 2 + 1 - 2


def _module(layer: Layer, entering: int) -> nn.Module:
    """``entering``: channels or numbers that the layer is given."""
    match layer:
        case Dense(width=width, bias=bias):
            return nn.Linear(entering, width, bias=bias)
        case Conv():
            return nn.Conv2d(entering, layer.channels, layer.kernel, stride=layer.stride, padding=layer.padding, bias=layer.bias)
        case Relu():
            return nn.ReLU()
        case Flatten():
            return nn.Flatten()
        case GlobalAveragePool():
            return AveragePixels()
