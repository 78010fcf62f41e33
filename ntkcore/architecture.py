"""One description of a network as a chain of layers, from which both its torch module and its infinite-width kernel are built.

So the finite and the infinite network are the same one: :mod:`ntkcore.models.networks` makes the module,
:mod:`ntkcore.kernels.infinite` the kernel. Shapes are of one sample, without the sample axis: images ``(c, h, w)``, vectors ``(d,)``.
"""

from dataclasses import dataclass
from math import prod
from typing import Literal

from ntkcore.errors import ModelError

Initialisation = Literal["pytorch", "he"]
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Dense:
    """Linear layer of ``width`` outputs on vectors."""

    width: int
    bias: bool = True


@dataclass(frozen=True, slots=True)
class Conv:
    """Convolution with a ``kernel × kernel`` filter and ``padding`` zeros on every side; cross-correlation, as in torch."""

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    bias: bool = True


@dataclass(frozen=True, slots=True)
class Relu:
    """``max(x, 0)`` of every number."""


@dataclass(frozen=True, slots=True)
class Flatten:
    """An image to a vector, in the order channels, rows, columns."""


@dataclass(frozen=True, slots=True)
class GlobalAveragePool:
    """The mean of each channel over all pixels: an image to a vector."""


Layer = Dense | Conv | Relu | Flatten | GlobalAveragePool


@dataclass(frozen=True, slots=True)
class Chain:
    """Layers that act one after the other."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise ModelError("The architecture has no layers.", "Give at least a linear layer.")

    def shapes(self, input_shape: Shape) -> tuple[Shape, ...]:
        """The shape of a sample after each layer.

        Raises:
            ModelError: a layer cannot take what it is given; says which and why.
        """
        shapes: list[Shape] = []
        shape = tuple(input_shape)
        for number, layer in enumerate(self.layers, start=1):
            shape = _after(layer, shape, number)
            shapes.append(shape)
        return tuple(shapes)

    def fan_ins(self, input_shape: Shape) -> tuple[int, ...]:
        """Numbers that enter each output of each layer with weights; 0 for a layer without."""
        return tuple(
            shape[0] * layer.kernel**2 if isinstance(layer, Conv) else shape[0] if isinstance(layer, Dense) else 0
            for layer, shape in zip(self.layers, (tuple(input_shape), *self.shapes(input_shape)), strict=False)
        )


def variances(initialisation: Initialisation, fan_in: int) -> tuple[float, float]:
    """Variance of each weight and of each bias of a layer when it is drawn.

    ``pytorch``: both uniform on ``±1/sqrt(fan_in)``, the default of torch's Linear and Conv2d (variance ``1/(3 fan_in)``).
    ``he``: weights ``N(0, 2/fan_in)``, biases 0 (He et al. 2015; Thesis, Setting B, up to the factor that makes ReLU keep the scale).
    """
    match initialisation:
        case "pytorch":
            return 1 / (3 * fan_in), 1 / (3 * fan_in)
        case "he":
            return 2 / fan_in, 0.0
    raise ValueError(f"initialisation: expected 'pytorch' or 'he', got {initialisation!r}")


def fcn(outputs: int, width: int, depth: int) -> Chain:
    """Fully connected: flatten, ``depth`` hidden layers of ``width`` ReLU units, linear head."""
    return Chain((Flatten(), *(Dense(width), Relu()) * depth, Dense(outputs)))


def cnn3(outputs: int, width: int) -> Chain:
    """Three 3 × 3 convolutions of stride 2 with ``width``, ``2 width``, ``2 width`` channels, ReLU, linear head."""
    layers: list[Layer] = []
    for channels in (width, 2 * width, 2 * width):
        layers += [Conv(channels, 3, stride=2, padding=1), Relu()]
    return Chain((*layers, Flatten(), Dense(outputs)))


def cnn4(outputs: int, width: int) -> Chain:
    """The four-convolution CNN of Unique-info's Table 1 (third convolution with stride 2, as in the authors' weights)."""
    return Chain(
        (
            *(Conv(width, 4, stride=2, padding=1), Relu()),
            *(Conv(width, 4, stride=2, padding=1), Relu()),
            *(Conv(2 * width, 3, stride=2), Relu()),
            *(Conv(8 * width, 3), Relu()),
            *(Flatten(), Dense(8 * width), Relu()),
            Dense(outputs),
        )
    )


def convnet(outputs: int, width: int, *, pooling: bool = True) -> Chain:
    """The ConvNet of depth 8 of Thesis ch. 3: seven same-padded 3 × 3 convolutions of ``width`` channels, ReLU, linear head.

    The source gives no strides; here the third and the fifth convolution have stride 2, which on 32 × 32 images saves three quarters of
    the operations and so suits two cores. ``pooling=False`` flattens before the head instead of averaging over the pixels.
    """
    layers: list[Layer] = []
    for number in range(1, 8):
        layers += [Conv(width, 3, stride=2 if number in (3, 5) else 1, padding=1), Relu()]
    return Chain((*layers, GlobalAveragePool() if pooling else Flatten(), Dense(outputs)))


def chain_of(architecture: str, outputs: int, width: int, depth: int | None) -> Chain | None:
    """The chain of a named architecture; None for those with shortcuts or normalisation, which are no chains."""
    match architecture:
        case "fcn":
            return fcn(outputs, width, depth or 1)
        case "cnn3":
            return cnn3(outputs, width)
        case "cnn4":
            return cnn4(outputs, width)
        case "convnet":
            return convnet(outputs, width)
    return None


def _after(layer: Layer, shape: Shape, number: int) -> Shape:
    match layer:
        case Dense(width=width):
            if len(shape) != 1:
                raise ModelError(
                    f"Layer {number} is linear and needs vectors; it is given {_words(shape)}.", "Put a Flatten layer before it."
                )
            return (width,)
        case Conv(channels=channels):
            sides = tuple((side + 2 * layer.padding - layer.kernel) // layer.stride + 1 for side in _image(shape, number)[1:])
            if min(sides) < 1:
                raise ModelError(
                    f"The {layer.kernel} × {layer.kernel} convolution of layer {number} has no room on {_words(shape)}.",
                    "Choose larger images, or a model with less reduction.",
                )
            return (channels, *sides)
        case Flatten():
            return (prod(shape),)
        case GlobalAveragePool():
            return (_image(shape, number)[0],)
    return shape


def _image(shape: Shape, number: int) -> Shape:
    if len(shape) != 3:
        raise ModelError(f"Layer {number} needs images; it is given {_words(shape)}.", "Choose the model fcn.")
    return shape


def _words(shape: Shape) -> str:
    if len(shape) == 1:
        return f"vectors of {shape[0]} numbers"
    return f"images of {' × '.join(map(str, shape))}" if len(shape) == 3 else f"samples of shape {shape}"
