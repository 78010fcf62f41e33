"""Whether a network can take samples of a shape; where it cannot, what would fit."""

from ntkcore.errors import ModelError
from ntkcore.models import zoo
from ntkcore.models.networks import CNN4_SMALLEST, cnn4_side
from ntkcore.specs import ARCHITECTURES, ModelSpec, by_name

_RANDOM = "Choose random weights, or other images."


def check_fit(spec: ModelSpec, input_shape: tuple[int, ...], outputs: int = 1) -> None:
    """Does nothing if the network of ``spec`` can take samples of ``input_shape``.

    Raises:
        ModelError: it cannot; says what would fit.
    """
    if outputs < 1:
        raise ValueError(f"outputs: expected at least 1, got {outputs}")
    if len(input_shape) not in (1, 3) or min(input_shape) < 1:
        raise ValueError(f"input_shape: expected (channels, height, width) or (features,), got {input_shape}")
    name = spec.architecture
    if by_name(name):
        _check_named(spec, input_shape)
        return
    if len(input_shape) == 1:
        if name != "fcn":
            raise ModelError(f"{name} needs images, and these data are vectors of {input_shape[0]} numbers.", "Choose the model fcn.")
        return
    channels, *sides = input_shape
    size = " × ".join(map(str, sides))
    if name == "cnn4" and min(sides) < CNN4_SMALLEST:
        others = ", ".join(other for other in ARCHITECTURES if other != "cnn4")
        raise ModelError(
            f"cnn4 needs images of at least {CNN4_SMALLEST} × {CNN4_SMALLEST} pixels; these have {size}.",
            f"Choose a model that fits them: {others}.",
        )
    if spec.weights == "random":
        return
    if name == "cnn4":
        if channels != 1:
            raise ModelError("The pretrained cnn4 reads gray images, and these have colours.", "Choose random weights, or resnet20.")
        if any(cnn4_side(side) != 1 for side in sides):
            largest = max(side for side in range(CNN4_SMALLEST, 2 * CNN4_SMALLEST) if cnn4_side(side) == 1)
            raise ModelError(
                f"The pretrained cnn4 reads images of {CNN4_SMALLEST} to {largest} pixels a side; these have {size}.",
                "Choose random weights, or resnet20.",
            )
    elif channels not in (1, 3):
        raise ModelError(f"The pretrained {name} reads colour or gray images; these have {channels} channels.", "Choose random weights.")


def _check_named(spec: ModelSpec, input_shape: tuple[int, ...]) -> None:
    """As :func:`check_fit`, of a network by name."""
    if spec.architecture.startswith("mine:"):
        zoo.require(spec.architecture)
        return
    if len(input_shape) == 1:
        raise ModelError(
            f"{spec.architecture} needs images, and these data are vectors of {input_shape[0]} numbers.", "Choose the model fcn."
        )
    known = zoo.published(spec.architecture)
    channels, *sides = input_shape
    if spec.weights == "pretrained" and channels not in (1, 3):
        raise ModelError(f"The pretrained {spec.architecture} reads colour or gray images; these have {channels} channels.", _RANDOM)
    if spec.weights == "pretrained" and known.fixed and any(side != known.side for side in sides):
        size = " × ".join(map(str, sides))
        raise ModelError(
            f"The pretrained {spec.architecture} reads images of {known.side} × {known.side} pixels; these have {size}.",
            f"Choose that size for the images, {known.side}, or random weights.",
        )
