"""What a network is, before it is built: its layers, its parameters, which of them are seen, and what was decided for the data."""

from dataclasses import dataclass

import torch
from torch import nn

from ntkcore.errors import ModelError
from ntkcore.models.build import SEEDING, assemble, keeps_head, layers_of, network_of, repeats_gray
from ntkcore.models.fit import check_fit
from ntkcore.models.head import Called, head_of
from ntkcore.models.seen import parts_seen, see
from ntkcore.models.statistics import freeze_statistics, has_batch_norm
from ntkcore.specs import HEAD_SIZE, ModelSpec, by_name

_TRAINED_ON = {"cnn4": "the letters of EMNIST", "resnet20": "the ten classes of CIFAR-10"}

_STARTS = {
    "zero": "The last layer is new and zero: at the start it passes no gradient on, so that the kernel is the last layer's own.",
    "random": "The last layer is new and random, with a deviation of {size:g} (seed {seed}).",
    "ridge": "The last layer is fitted by ridge regression on the features of the training images, with their labels as they are.",
    "kept": "The trained last layer is kept.",
}


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
        parameters: its numbers in all.
        seen: of them those that the kernel is taken over and that training moves.
        sees: the modules that those are in; () for all.
        layers: the layers with parameters, in the order in which they act.
        notes: what was decided for these data, in sentences for the user.
        batch_norm: whether it normalises over the batch in training.
    """

    parameters: int
    seen: int
    sees: tuple[str, ...]
    layers: tuple[LayerDescription, ...]
    notes: tuple[str, ...]
    batch_norm: bool

    def text(self) -> str:
        """The layers as lines of text."""
        return "\n".join(
            f"{layer.name}: {layer.kind} → {' × '.join(map(str, layer.output_shape))} ({layer.parameters:,} parameters)"
            for layer in self.layers
        )


def describe_model(spec: ModelSpec, *, input_shape: tuple[int, ...], outputs: int, class_names: tuple[str, ...] = ()) -> ModelDescription:
    """What :func:`build_model` builds for the same arguments; needs no weights file, and of our own architectures no memory.

    Raises:
        ModelError: the architecture does not fit the shape of the data, or there is no such network or layer.
    """
    check_fit(spec, input_shape, outputs)
    model, found = _outlined(spec, input_shape, outputs)
    network, sees = network_of(model), tuple[str, ...]()
    modules = dict(network.named_modules())
    layers = tuple(
        LayerDescription(
            layer.name,
            _kind(modules[layer.name]),
            layer.shape,
            sum(parameter.numel() for parameter in modules[layer.name].parameters(recurse=False)),
        )
        for layer in found
    )
    if spec.seen != "all":
        names, head = tuple(layer.name for layer in found), head_of(found, outputs)
        sees = parts_seen(network, spec.seen, names, head)
        see(network, spec.seen, names, head)
    if spec.statistics == "frozen":
        freeze_statistics(model)
    return ModelDescription(
        parameters=parameter_count(model),
        seen=sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
        sees=sees,
        layers=layers,
        notes=_notes(spec, input_shape, outputs, class_names, sees),
        batch_norm=has_batch_norm(model),
    )


def parameter_count(module: nn.Module) -> int:
    """Number of trained numbers; a parameter used twice counts once."""
    return sum(parameter.numel() for parameter in module.parameters())


def _outlined(spec: ModelSpec, input_shape: tuple[int, ...], outputs: int) -> tuple[nn.Module, tuple[Called, ...]]:
    """The network without its weights, and its layers; with random ones where it cannot be made without."""
    if not spec.architecture.startswith("mine:"):  # whose function may not know of devices without memory
        try:
            with torch.device("meta"):
                model = assemble(spec, input_shape, outputs, None, None, None).to("meta").eval()
                return model, layers_of(spec, model, input_shape, outputs)
        except ModelError:
            if not by_name(spec.architecture):
                raise
    with SEEDING, torch.random.fork_rng(devices=[]):
        model = assemble(spec, input_shape, outputs, None, None, None).eval()
    return model, layers_of(spec, model, input_shape, outputs)


def _notes(
    spec: ModelSpec, input_shape: tuple[int, ...], outputs: int, class_names: tuple[str, ...], sees: tuple[str, ...]
) -> tuple[str, ...]:
    if spec.weights == "random":
        drawn = "the library's" if by_name(spec.architecture) else "PyTorch's default" if spec.initialisation == "pytorch" else "He's"
        notes = [f"Random weights (seed {spec.seed}), {drawn} initialisation."]
    else:
        trained = _TRAINED_ON.get(spec.architecture)
        notes = [f"Weights trained {f'on {trained}' if trained else 'before'}; inputs are normalised as they were then."]
    if repeats_gray(spec, input_shape):
        notes.append("Gray images are repeated into the three colour channels the network was trained with.")
    start = spec.head_start
    if start == "drawn" and spec.weights == "pretrained":
        if keeps_head(spec, outputs, class_names):
            notes.append("The trained last layer is kept: these are its classes.")
        else:
            notes.append(f"The last layer is new and random (seed {spec.seed}): it was trained for other classes.")
    elif start != "drawn":
        notes.append(_STARTS[start].format(size=spec.head_size or HEAD_SIZE, seed=spec.seed))
    if sees:
        notes.append(f"The kernel sees {', '.join(sees)} alone, which training moves.")
    return tuple(notes)


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
