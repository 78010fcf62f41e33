"""From a model specification to a network: architecture, normalisation, weights, head.

Every network takes raw inputs (images in [0, 1], or vectors) and normalises them first. Fresh weights are PyTorch's default
initialisation or He's, in standard parameterisation. A head is kept only for the classes it was trained on.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ntkcore.architecture import chain_of
from ntkcore.errors import ModelError
from ntkcore.models.initialise import draw_he
from ntkcore.models.layers import GrayToColour, normaliser
from ntkcore.models.networks import CNN4_SMALLEST, cnn4_side, from_chain
from ntkcore.models.residual import ResNet18, ResNet20, WideResNet16
from ntkcore.models.weights import load_weights, weights_file
from ntkcore.specs import ARCHITECTURES, ModelSpec

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# What the weights files were trained with: normalisation (mean, std per channel), the classes of the head, its name.
_INPUT_STATISTICS: dict[str, tuple[list[float], list[float]]] = {
    "cnn4": ([0.0], [1.0]),
    "resnet20": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
}
_TRAINED_CLASSES: dict[str, tuple[str, ...]] = {"resnet20": CIFAR10_CLASSES}
_TRAINED_ON = {"cnn4": "the letters of EMNIST", "resnet20": "the ten classes of CIFAR-10"}
_HEAD = {"cnn4": "11", "resnet20": "linear"}

_SEEDING = Lock()  # torch's random state is the process's: one network is drawn at a time


@dataclass(frozen=True, slots=True)
class LayerDescription:
    """One layer: its name in the network, what it is, the shape of its output for one sample, its trained numbers."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What :func:`build_model` makes of a specification, without its weights.

    Attributes:
        parameters: trained numbers in all.
        layers: the layers with parameters, in the order in which they act.
        notes: what was decided for these data, in sentences for the user.
        batch_norm: whether it normalises over the batch in training.
    """

    parameters: int
    layers: tuple[LayerDescription, ...]
    notes: tuple[str, ...]
    batch_norm: bool

    def text(self) -> str:
        """The layers as lines of text."""
        return "\n".join(
            f"{layer.name}: {layer.kind} → {' × '.join(map(str, layer.output_shape))} ({layer.parameters:,} parameters)"
            for layer in self.layers
        )


def build_model(
    spec: ModelSpec,
    *,
    input_shape: tuple[int, ...],
    outputs: int,
    class_names: tuple[str, ...] = (),
    mean: ArrayLike | None = None,
    std: ArrayLike | None = None,
    weights_paths: Sequence[Path] = (),
) -> nn.Module:
    """The network of ``spec`` for these data: float32, on CPU, in eval mode. Same arguments, same bytes.

    Args:
        spec: architecture, width, depth, weights, seed.
        input_shape: of one sample: ``(c, h, w)`` for images, ``(d,)`` for vectors.
        outputs: numbers the network gives per sample.
        class_names: the data's classes in order; decides whether a pretrained head is kept.
        mean: ``(c,)`` or ``(d,)``, subtracted from the inputs; ``None``: 0. Pretrained weights bring their own.
        std: like ``mean``, the inputs are divided by it; ``None``: 1.
        weights_paths: folders searched for pretrained weights, first match wins.

    Raises:
        ModelError: the architecture does not fit the shape of the data.
        DataMissing: the pretrained weights are not there.
        DataError: their file is damaged or does not match the network.

    Torch's global random state is left as it was.
    """
    check_fit(spec, input_shape, outputs)
    with _SEEDING, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(spec.seed)  # torch.manual_seed would also reseed the GPUs of the caller
        model = _assemble(spec, input_shape, outputs, mean, std)
    if spec.weights == "pretrained":
        keep_head = _keeps_head(spec, outputs, class_names)
        load_weights(model.get_submodule("network"), weights_file(spec, weights_paths), _HEAD[spec.architecture], keep_head)
    return model.eval()


def describe_model(spec: ModelSpec, *, input_shape: tuple[int, ...], outputs: int, class_names: tuple[str, ...] = ()) -> ModelDescription:
    """What :func:`build_model` builds for the same arguments; costs neither the memory nor the weights file.

    Raises:
        ModelError: the architecture does not fit the shape of the data.
    """
    check_fit(spec, input_shape, outputs)
    with torch.device("meta"):
        model = _assemble(spec, input_shape, outputs, None, None).to("meta").eval()
        shapes: dict[str, tuple[int, ...]] = {}
        layers = [(name, module) for name, module in model.named_modules() if next(module.parameters(recurse=False), None) is not None]
        for name, module in layers:
            module.register_forward_hook(partial(_note_shape, shapes, name))
        with torch.no_grad():
            model(torch.zeros(1, *input_shape))
    modules = dict(layers)
    return ModelDescription(
        parameters=parameter_count(model),
        layers=tuple(
            LayerDescription(name.removeprefix("network."), _kind(modules[name]), shape, parameter_count(modules[name]))
            for name, shape in shapes.items()
        ),
        notes=_notes(spec, input_shape, outputs, class_names),
        batch_norm=has_batch_norm(model),
    )


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


def parameter_count(module: nn.Module) -> int:
    """Number of trained numbers; a parameter used twice counts once."""
    return sum(parameter.numel() for parameter in module.parameters())


def has_batch_norm(module: nn.Module) -> bool:
    """Whether ``module`` normalises over the batch in training."""
    return any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in module.modules())


def _assemble(spec: ModelSpec, input_shape: tuple[int, ...], outputs: int, mean: ArrayLike | None, std: ArrayLike | None) -> nn.Sequential:
    """Normalisation and network, drawn from torch's current random state."""
    parts: list[tuple[str, nn.Module]] = []
    if spec.weights == "pretrained":
        mean, std = _INPUT_STATISTICS[spec.architecture]
        if _repeats_gray(spec, input_shape):
            parts.append(("colour", GrayToColour()))
            input_shape = (3, *input_shape[1:])
    parts.append(("normalise", normaliser(input_shape, mean, std)))
    network = _network(spec, input_shape, outputs)
    if spec.initialisation == "he":
        draw_he(network)
    return nn.Sequential(OrderedDict([*parts, ("network", network)])).float()


def _network(spec: ModelSpec, input_shape: tuple[int, ...], outputs: int) -> nn.Module:
    chain = chain_of(spec.architecture, outputs, spec.width, spec.depth)
    if chain is not None:
        return from_chain(chain, input_shape)
    residual = {"resnet20": ResNet20, "resnet18": ResNet18, "wrn16": WideResNet16}[spec.architecture]
    return residual(input_shape[0], outputs, spec.width)


def _repeats_gray(spec: ModelSpec, input_shape: tuple[int, ...]) -> bool:
    return spec.weights == "pretrained" and spec.architecture == "resnet20" and input_shape[0] == 1


def _keeps_head(spec: ModelSpec, outputs: int, class_names: tuple[str, ...]) -> bool:
    trained = _TRAINED_CLASSES.get(spec.architecture)
    return trained is not None and tuple(class_names) == trained and outputs == len(trained)


def _notes(spec: ModelSpec, input_shape: tuple[int, ...], outputs: int, class_names: tuple[str, ...]) -> tuple[str, ...]:
    if spec.weights == "random":
        drawn = "PyTorch's default" if spec.initialisation == "pytorch" else "He's"
        return (f"Random weights (seed {spec.seed}), {drawn} initialisation.",)
    notes = [f"Weights trained on {_TRAINED_ON[spec.architecture]}; inputs are normalised as they were then."]
    if _repeats_gray(spec, input_shape):
        notes.append("Gray images are repeated into the three colour channels the network was trained with.")
    if _keeps_head(spec, outputs, class_names):
        notes.append("The trained last layer is kept: these are its classes.")
    else:
        notes.append(f"The last layer is new and random (seed {spec.seed}): it was trained for other classes.")
    return tuple(notes)


def _note_shape(shapes: dict[str, tuple[int, ...]], name: str, _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
    shapes[name] = tuple(output.shape[1:])


def _kind(module: nn.Module) -> str:
    if isinstance(module, nn.Conv2d):
        return (
            f"convolution {module.kernel_size[0]} × {module.kernel_size[1]}, stride {module.stride[0]}, "
            f"{module.in_channels} to {module.out_channels} channels"
        )
    if isinstance(module, nn.Linear):
        return f"linear {module.in_features} to {module.out_features}"
    if isinstance(module, nn.BatchNorm2d):
        return f"batch normalisation of {module.num_features} channels"
    return type(module).__name__
