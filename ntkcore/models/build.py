"""From a model specification to a network: architecture, normalisation, weights, head.

Every network takes raw inputs (images in [0, 1], or vectors) and normalises them first. Fresh weights are PyTorch's default
initialisation or He's, in standard parameterisation, or what a library draws. A head is kept only for the classes it was trained on.
Parameters that are not seen require no gradient.
"""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from ntkcore.architecture import chain_of
from ntkcore.errors import DataError, ModelError
from ntkcore.models import zoo
from ntkcore.models.fit import check_fit
from ntkcore.models.head import Called, called, fit_head, head_of, start_head
from ntkcore.models.initialise import draw_he
from ntkcore.models.layers import GrayToColour, normaliser
from ntkcore.models.networks import from_chain
from ntkcore.models.residual import ResNet18, ResNet20, WideResNet16
from ntkcore.models.seen import see
from ntkcore.models.statistics import freeze_statistics
from ntkcore.models.weights import Weights, load_weights, read_weights, weights_file
from ntkcore.specs import HEAD_SIZE, ModelSpec, by_name

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# What the weights files were trained with: normalisation (mean, std per channel), the classes of the head, its name.
_INPUT_STATISTICS: dict[str, tuple[list[float], list[float]]] = {
    "cnn4": ([0.0], [1.0]),
    "resnet20": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
}
_TRAINED_CLASSES: dict[str, tuple[str, ...]] = {"resnet20": CIFAR10_CLASSES}

SEEDING = Lock()  # torch's random state is the process's: one network is drawn at a time


def build_model(
    spec: ModelSpec,
    *,
    input_shape: tuple[int, ...],
    outputs: int,
    class_names: tuple[str, ...] = (),
    mean: ArrayLike | None = None,
    std: ArrayLike | None = None,
    weights_paths: Sequence[Path] = (),
    examples: tuple[NDArray, NDArray] | None = None,
) -> nn.Module:
    """The network of ``spec`` for these data: float32, on CPU, in eval mode. Same arguments, same bytes.

    Args:
        spec: architecture, width, depth, weights, seed, what is seen, the head's start.
        input_shape: of one sample: ``(c, h, w)`` for images, ``(d,)`` for vectors.
        outputs: numbers the network gives per sample.
        class_names: the data's classes in order; decides whether a pretrained head is kept.
        mean: ``(c,)`` or ``(d,)``, subtracted from the inputs; ``None``: 0. Pretrained weights bring their own.
        std: like ``mean``, the inputs are divided by it; ``None``: 1.
        weights_paths: folders searched for pretrained weights, first match wins.
        examples: inputs (n, ...) and targets (n, k) that a head is fitted on; needed for ``head="ridge"`` alone.

    Raises:
        ModelError: the architecture does not fit the shape of the data, or there is no such network or layer.
        DataMissing: the pretrained weights are not there.
        DataError: their file is damaged or does not match the network.

    Torch's global random state is left as it was.
    """
    check_fit(spec, input_shape, outputs)
    weights = read_weights(weights_file(spec, weights_paths)) if spec.weights == "pretrained" else None
    with SEEDING, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(spec.seed)  # torch.manual_seed would also reseed the GPUs of the caller
        model = assemble(spec, input_shape, outputs, mean, std, weights)
    model.eval()
    network = network_of(model)
    if spec.statistics == "frozen":
        freeze_statistics(model)
    if weights is None and spec.seen == "all" and spec.head_start == "drawn":
        return model
    found = layers_of(spec, model, input_shape, outputs)
    layers, head, start = tuple(layer.name for layer in found), head_of(found, outputs), spec.head_start
    if weights is not None:
        keeps = start == "kept" or (start == "drawn" and keeps_head(spec, outputs, class_names))
        load_weights(network, weights, head, keeps, zoo.unused(spec.architecture))
    start_head(network.get_submodule(head), start, spec.head_size or HEAD_SIZE, spec.seed)
    if start == "ridge":
        if examples is None:
            raise ValueError("examples: a head that is fitted needs inputs and targets")
        fit_head(model, f"network.{head}", *examples)
    see(network, spec.seen, layers, head)
    return model


def network_of(model: nn.Module) -> nn.Module:
    """The network within a model that normalises its inputs first."""
    return model.get_submodule("network")


def assemble(
    spec: ModelSpec,
    input_shape: tuple[int, ...],
    outputs: int,
    mean: ArrayLike | None,
    std: ArrayLike | None,
    weights: Weights | None,
) -> nn.Sequential:
    """Normalisation and network, drawn from torch's current random state."""
    parts: list[tuple[str, nn.Module]] = []
    gray = repeats_gray(spec, input_shape)
    if gray:
        parts.append(("colour", GrayToColour()))
        input_shape = (3, *input_shape[1:])
    if spec.weights == "pretrained":
        mean, std = _prepared(spec, weights) or (mean, std)
    elif gray and mean is not None and std is not None:  # those of the one channel
        mean, std = np.repeat(np.asarray(mean), 3), np.repeat(np.asarray(std), 3)
    if weights is not None and mean is not None and std is not None and np.size(mean) == np.size(std) == 1:  # one number for all channels
        mean, std = (np.full(input_shape[0], np.asarray(value, dtype=float).reshape(())) for value in (mean, std))
    if weights is not None and mean is not None and np.size(mean) != input_shape[0]:
        said = f"The weights of {spec.architecture} were trained on images of {np.size(mean)} channels; these have {input_shape[0]}."
        raise DataError(said, "Choose random weights, or other images.")
    parts.append(("normalise", normaliser(input_shape, mean, std)))
    network = zoo.assembled(spec.architecture, input_shape, outputs) if by_name(spec.architecture) else _network(spec, input_shape, outputs)
    if spec.initialisation == "he":
        draw_he(network)
    return nn.Sequential(OrderedDict([*parts, ("network", network)])).float()


def _prepared(spec: ModelSpec, weights: Weights | None) -> tuple[Sequence[float], Sequence[float]] | None:
    """By what mean and deviation inputs were normalised when the weights were trained: what their file says, or else what is published."""
    if not by_name(spec.architecture):
        return _INPUT_STATISTICS[spec.architecture]
    if weights is not None and weights.mean and len(weights.mean) == len(weights.std):
        return weights.mean, weights.std
    known = zoo.published(spec.architecture)
    return (known.mean, known.std) if known.mean else None


def layers_of(spec: ModelSpec, model: nn.Module, input_shape: tuple[int, ...], outputs: int) -> tuple[Called, ...]:
    """The network's layers in the order of a pass.

    Raises:
        ModelError: it cannot take these images.
    """
    try:
        return called(network_of(model), model, torch.zeros(1, *input_shape))
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        size = " × ".join(map(str, input_shape))
        raise ModelError(f"{spec.architecture} cannot take images of {size} ({str(error)[:200]}).", "Choose larger images.") from error


def _network(spec: ModelSpec, input_shape: tuple[int, ...], outputs: int) -> nn.Module:
    chain = chain_of(spec.architecture, outputs, spec.width, spec.depth)
    if chain is not None:
        return from_chain(chain, input_shape)
    residual = {"resnet20": ResNet20, "resnet18": ResNet18, "wrn16": WideResNet16}[spec.architecture]
    return residual(input_shape[0], outputs, spec.width)


def repeats_gray(spec: ModelSpec, input_shape: tuple[int, ...]) -> bool:
    """Whether gray images are shown to the network in three equal channels."""
    if input_shape[0] != 1 or len(input_shape) != 3:
        return False
    if spec.architecture.startswith("torchvision:"):
        return True
    return spec.weights == "pretrained" and (spec.architecture == "resnet20" or spec.architecture.startswith("timm:"))


def keeps_head(spec: ModelSpec, outputs: int, class_names: tuple[str, ...]) -> bool:
    """Whether the weights' own head is for these classes."""
    trained = _TRAINED_CLASSES.get(spec.architecture)
    return trained is not None and tuple(class_names) == trained and outputs == len(trained)
