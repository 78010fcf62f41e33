"""Strategies that train or take another kernel, with which looking ahead is compared; and the ceiling (SCIENCE.md §8; Figs. 2.1-2.3)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ntkcore.active import (
    LookAhead,
    LossTraining,
    best_batch,
    class_targets,
    gaussian_process,
    highest,
    naive_change,
    predicted,
    raw_gap,
    step_change,
    train_loss_predictor,
)
from ntkcore.analyses.active.cycle import Cycle, Float, Indices, Kernels
from ntkcore.analyses.influence.kernel import chain, normalised
from ntkcore.data import Dataset
from ntkcore.kernels import infinite_ntk
from ntkcore.kernels.checks import own_copy
from ntkcore.kernels.infinite import TILE_BYTES, tile_bytes
from ntkcore.models import EpochRecord, learn
from ntkcore.specs import ModelSpec

_TILE = 256  # images on a side


def step(cycle: Cycle) -> Indices:
    """One step of SGD on the candidate alone, at the training's learning rate; summed over drawn candidates."""
    points = cycle.order[: cycle.rules.points].tolist()
    rate, tell = cycle.training.learning_rate, lambda *_: cycle.waiting()
    return highest(step_change(cycle.module, cycle.candidates, _guessed(cycle), rate, points, progress=tell), cycle.count)


def infinite(cycle: Cycle) -> LookAhead:
    """The trained network's outputs, looked ahead of by the kernel of infinite width."""
    kernels = _infinite(cycle)
    outputs = cycle.f_labelled, cycle.f_pool
    return LookAhead(*(kernels.labelled, kernels.across, kernels.pool, *outputs, cycle.targets, cycle.rules.ridge), waiting=cycle.waiting)


def process(cycle: Cycle) -> LookAhead:
    """The Gaussian process of that kernel, whose noise is λ: its own mean in place of the network's outputs."""
    kernels = _infinite(cycle)
    return gaussian_process(kernels.labelled, kernels.across, kernels.pool, cycle.targets, cycle.rules.ridge, waiting=cycle.waiting)


def naive(cycle: Cycle) -> Indices:
    """Train with each of some drawn candidates, at least as many as are chosen: no other is."""
    drawn, guessed = cycle.order[: max(cycle.rules.drawn, cycle.count)], _guessed(cycle)

    def retrained(images: Indices) -> Float:
        cycle.waiting()
        x, y = np.concatenate([cycle.inputs, cycle.candidates[images]]), np.concatenate([cycle.targets, guessed[images]])
        return cycle.outputs_of(cycle.train(x, y), cycle.candidates)

    before = retrained(drawn[:0])  # from the same start as the others, also where the network goes on from an earlier one
    scores = naive_change(before, drawn.tolist(), lambda i: retrained(np.array([i])))
    return drawn[highest(scores, cycle.count)]


@dataclass(frozen=True, slots=True)
class Start:
    """The network before its first epoch: where the loss predictor's begins."""

    network: nn.Module

    def epoch(self, record: EpochRecord) -> None:
        """Nothing is trained yet."""


def begin(module: nn.Module, inputs: NDArray, targets: NDArray, generator: np.random.Generator) -> Start:
    """Keep the network as it is."""
    return Start(own_copy(module))


def loss_prediction(cycle: Cycle) -> Indices:
    """The largest predicted losses. The network that the head is trained beside is the study's, trained once more from the same start, so
    that what the head does to it is not in the accuracy."""
    assert isinstance(cycle.beside, Start)
    study = cycle.training
    training = LossTraining(
        epochs=study.epochs,
        rate=study.learning_rate,
        batch=max(2, study.batch_size or len(cycle.inputs)),
        momentum=study.momentum,
        decay=study.weight_decay,
        seed=int(cycle.generator.integers(2**31)),
    )
    start, tell = cycle.beside.network, lambda *_: cycle.waiting()
    found = train_loss_predictor(start.eval(), cycle.inputs, cycle.targets, training, learn=learn, progress=tell)
    return highest(found.losses(cycle.candidates), cycle.count, raw_gap(cycle.f_pool))


def ceiling(cycle: Cycle) -> Indices:
    """The best of some random batches, each judged by the accuracy after training with its true labels."""

    def worth(batch: Indices) -> float:
        cycle.waiting()
        targets = np.stack([cycle.reveal(int(i)) for i in batch])
        module = cycle.train(np.concatenate([cycle.inputs, cycle.candidates[batch]]), np.concatenate([cycle.targets, targets]))
        return cycle.judge(module)

    size = len(cycle.candidates)
    batches = cycle.rules.batches if cycle.count < size else 1  # of all candidates there is one batch
    return best_batch(size, cycle.count, batches, worth, cycle.generator).chosen


def infinite_kernel(model: ModelSpec, images: Dataset, x: NDArray, waiting: Callable[[], None]) -> Float:
    """The kernel (n, n) of a study's network of infinite width.

    Its tiles have one size for any number of images, where that fits: each size is compiled for itself, and every cycle has more labels.

    Raises:
        ModelError: it is not known.
    """
    layers = chain(model, images)
    side = _TILE if tile_bytes(layers, images.inputs.shape[1:], _TILE, _TILE) <= TILE_BYTES else None
    rows = normalised(x, images)
    return infinite_ntk(layers, rows, initialisation=model.initialisation, batch_size=side, progress=lambda *_: waiting())


def _infinite(cycle: Cycle) -> Kernels:
    first, whole = len(cycle.inputs), cycle.infinite(np.concatenate([cycle.inputs, cycle.candidates]))
    return Kernels(whole[:first, :first], whole[first:, :first], whole[first:, first:])


def _guessed(cycle: Cycle) -> Float:
    """(u, k) targets of the classes that the network takes the candidates for."""
    return class_targets(cycle.targets.shape[1])[predicted(cycle.f_pool)]
