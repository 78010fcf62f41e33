"""One strategy on one seed: train, measure, choose, learn the labels, and again (Thesis §2.4, algorithm 1).

Everything that is drawn depends on the seed and the cycle alone, a strategy's own draws on its name besides: all strategies begin with the
same labels and the same network, and each cycle's candidates are the first unlabelled ones in the same order.
"""

import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save
from torch import nn

from ntkcore.active import predicted
from ntkcore.analyses.active.cycle import Companion, Cycle, Indices, Rules
from ntkcore.analyses.active.peers import infinite_kernel
from ntkcore.analyses.active.strategies import REGISTRY, Size, Strategy
from ntkcore.analyses.materials.network import network, rate_name
from ntkcore.analyses.materials.split import Split, load_split, targets_of
from ntkcore.analyses.progress import PieceReporter
from ntkcore.analyses.rates import clocked
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, content_hash
from ntkcore.errors import DataError
from ntkcore.kernels import ntk_diagonal
from ntkcore.models import TrainingState, evaluate, train
from ntkcore.specs import ModelSpec, TrainingSpec
from ntkcore.specs.active import ActiveSpec

_START, _POOL, _CHOICE, _BESIDE = 1, 2, 3, 4  # streams of one seed
_QUERY, _TRAINING = 0, 1  # columns of the seconds
_NETWORK = "network/"  # what is kept of a network that is trained on
_TRAINED = 0.7  # share of a cycle that is told when its network is trained

Arrays = dict[str, NDArray]


@dataclass(frozen=True, slots=True)
class Task:
    """A strategy and a seed of a study, on its images."""

    spec: ActiveSpec
    name: str
    seed: int
    split: Split

    @property
    def strategy(self) -> Strategy:
        """How it chooses."""
        return REGISTRY[self.name]

    @property
    def model(self) -> ModelSpec:
        """The network of this seed."""
        return self.spec.model.model_copy(update={"seed": self.spec.model.seed + self.seed})

    @property
    def training(self) -> TrainingSpec:
        """The training of this seed."""
        return self.spec.training.model_copy(update={"seed": self.spec.training.seed + self.seed})

    def generator(self, stream: int, cycle: int = 0, name: str = "") -> np.random.Generator:
        """Of one stream of this seed; with a name, of that strategy alone."""
        return np.random.default_rng([self.spec.dataset.seed, self.seed, stream, cycle, zlib.crc32(name.encode())])


def images(spec: ActiveSpec, ws: Workspace) -> Split:
    """The study's images, kept in memory while they are in use."""
    key = ("active.images", content_hash(spec.dataset, ws.settings), spec.dataset.canonical(), spec.test)
    return ws.hot.get(key, lambda: load_split(spec.dataset, spec.test, ws), _bytes)


def _bytes(split: Split) -> int:
    return split.train.inputs.nbytes + split.train.pixels.nbytes + split.test_inputs.nbytes + split.test_pixels.nbytes


def first_labelled(task: Task) -> Indices:
    """(start,) the images that are labelled at first, the same for every strategy; of each class in turn where they are balanced."""
    labels, start = task.split.train.labels, task.spec.protocol.start
    order = task.generator(_START).permutation(len(labels))
    if not task.spec.balanced:
        return order[:start]
    turn = np.empty(len(labels), dtype=np.intp)
    for of_class in range(len(task.split.train.class_names)):
        own = np.flatnonzero(labels[order] == of_class)
        turn[own] = np.arange(len(own))
    return order[np.argsort(turn, kind="stable")][:start]


def candidates_of(task: Task, labelled: Indices, cycle: int) -> Indices:
    """(u,) the unlabelled images that may be chosen in a cycle, at most the study's pool.

    Raises:
        DataError: fewer than a cycle asks for.
    """
    order = task.generator(_POOL, cycle).permutation(task.split.train.n)
    left = order[~np.isin(order, labelled)][: task.spec.pool]
    if len(left) < (count := task.spec.protocol.query):
        raise DataError(f"{len(left):,} images have no label yet, fewer than the {count:,} a cycle asks for.", "Choose fewer cycles.")
    return left


def shapes(spec: ActiveSpec, classes: int) -> dict[str, tuple[int, ...]]:
    """The arrays of one strategy and seed.

    ``accuracy`` (cycles + 1,): share of the held-out images right; ``picks``, ``picked``, ``norms`` (cycles, query): numbers of the images
    chosen, in that order, their classes, and k(x,x) of the seed's network before training; ``first`` (classes,): labelled at first;
    ``seconds`` (cycles + 1, 2): of the choice, and of the training before it.
    """
    cycles, query = spec.protocol.cycles, spec.protocol.query
    each = dict.fromkeys(("picks", "picked", "norms"), (cycles, query))
    return {"accuracy": (cycles + 1,), **each, "first": (classes,), "seconds": (cycles + 1, 2)}


@dataclass(frozen=True, slots=True)
class Run:
    """A task at work; each cycle that is finished is left with the reporter, and an interrupted run goes on after the last of them."""

    task: Task
    ws: Workspace
    reporter: PieceReporter

    def arrays(self) -> Mapping[str, NDArray]:
        """The arrays of :func:`shapes`.

        Raises:
            AtlasError: a training that diverged, a kernel that is singular.
            Cancelled: asked to stop.
        """
        task, images = self.task, self.task.split.train
        found, state = self._resumed()
        start, cycles = first_labelled(task), task.spec.protocol.cycles
        found["first"] = np.bincount(images.labels[start], minlength=len(images.class_names)).astype(np.float64)
        for number in range(int(np.isfinite(found["accuracy"]).sum()), cycles + 1):
            labelled = np.concatenate([start, found["picks"][:number].astype(np.intp).ravel()])
            began = time.perf_counter()
            trained = self._trained(labelled, number, state)
            found["seconds"][number, _TRAINING] = time.perf_counter() - began
            found["accuracy"][number] = accuracy(trained.module, task.split.test_inputs, task.split.test_labels, self.reporter.device)
            state = trained.state if task.spec.warm else None
            if number < cycles:
                self._choose(found, number, labelled, trained)
                self._keep(found, state)
            self.reporter.tell((number + 1) / (cycles + 1))
        return found

    def _trained(self, labelled: Indices, number: int, state: TrainingState | None) -> "Trained":
        """The network trained on the labelled images, from a state or anew."""
        task, images = self.task, self.task.split.train
        module = network(task.model, images, self.ws)
        if state is not None:
            state.load_into(module)
        begin, cycles = task.strategy.beside, task.spec.protocol.cycles + 1
        beside = None if begin is None else partial(begin, generator=task.generator(_BESIDE, number, task.name))
        tell = self.reporter.share(number / cycles, (number + _TRAINED) / cycles)
        return fit(module, images.inputs[labelled], images.targets[labelled], task.training, self.reporter.device, beside, tell)

    def _choose(self, found: Arrays, number: int, labelled: Indices, trained: "Trained") -> None:
        """Let the strategy choose, and write down what it chose."""
        task, spec, images, device = self.task, self.task.spec, self.task.split.train, self.reporter.device
        pool = candidates_of(task, labelled, number)
        targets = targets_of(images.labels, images.outputs)
        cycle = Cycle(
            module=trained.module,
            inputs=images.inputs[labelled],
            candidates=images.inputs[pool],
            labels=images.labels[labelled],
            targets=targets[labelled],
            count=spec.protocol.query,
            generator=task.generator(_CHOICE, number, task.name),
            rules=rules_of(spec),
            reveal=lambda candidate: targets[pool[candidate]],
            train=lambda x, y: fit(network(task.model, images, self.ws), x, y, task.training, device, tell=self._wait).module,
            training=task.training,
            judge=lambda module: accuracy(module, task.split.test_inputs, task.split.test_labels, device),
            infinite=lambda x: infinite_kernel(task.model, images, x, self._wait),
            waiting=self._wait,
            beside=trained.beside,
        )
        began = time.perf_counter()
        with clocked(device) as taken:
            picks = pool[task.strategy.choose(cycle)]
        found["seconds"][number, _QUERY] = time.perf_counter() - began
        units = task.strategy.units(size_of(spec, len(labelled), len(pool), images.outputs))
        self.ws.rates.learn(choice_name(task.name, spec, images, device), taken.alone, units, taken.others)
        norms = ntk_diagonal(network(task.model, images, self.ws), images.inputs[picks], device=device)
        for name, values in (("picks", picks), ("picked", images.labels[picks]), ("norms", norms)):
            found[name][number] = values

    def _wait(self, *_: object) -> None:
        """Go on, or raise ``Cancelled``."""
        self.reporter.tell(0.0)

    def _keep(self, found: Arrays, state: TrainingState | None) -> None:
        """Leave what is finished, and the network where training goes on from it."""
        if self.reporter.kept is not None:
            kept = {} if state is None else {f"{_NETWORK}{name}": values for name, values in state.arrays.items()}
            self.reporter.kept.put(save({**found, **kept}))

    def _resumed(self) -> tuple[Arrays, TrainingState | None]:
        """What an interrupted run had finished, NaN where something is missing; and its network, if training goes on from that."""
        classes = len(self.task.split.train.class_names)
        found = {name: np.full(shape, np.nan) for name, shape in shapes(self.task.spec, classes).items()}
        data = None if self.reporter.kept is None else self.reporter.kept.get()
        if data is None:
            return found, None
        kept = load(data)
        weights = {name.removeprefix(_NETWORK): values for name, values in kept.items() if name.startswith(_NETWORK)}
        return {name: kept[name] for name in found}, TrainingState(0, weights) if weights else None


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained network in eval mode, what was trained beside it, and its weights without momentum."""

    module: nn.Module
    beside: Companion | None
    state: TrainingState


def fit(
    module: nn.Module,
    x: NDArray,
    y: NDArray,
    training: TrainingSpec,
    device: str,
    begin: Callable[[nn.Module, NDArray, NDArray], Companion] | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train a network from where it stands on images (n, ...) and targets (n, k)."""
    beside = None if begin is None else begin(module.to(device), x, y)
    for record in train(module, x, y, training, device=device, progress=tell):
        if beside is not None:
            beside.epoch(record)
    weights = {name: values for name, values in record.state.arrays.items() if not name.startswith("momentum/")}
    return Trained(module.eval(), beside, TrainingState(record.epoch, weights))


def accuracy(module: nn.Module, inputs: NDArray, labels: NDArray, device: str) -> float:
    """Share of images whose class a network says."""
    return float((predicted(evaluate(module, inputs, device=device)) == labels).mean())


def rules_of(spec: ActiveSpec) -> Rules:
    """The study's rules of choice."""
    told = spec.drawn, spec.batches
    return Rules(spec.ridge, spec.reference, spec.probabilities, spec.points, spec.sequential, spec.dtype, *told)


def size_of(spec: ActiveSpec, labelled: int, pool: int, outputs: int) -> Size:
    """How large a choice is."""
    return Size(labelled, pool, spec.protocol.query, outputs, spec.training.epochs, spec.points, spec.drawn, spec.batches)


def choice_name(name: str, spec: ActiveSpec, images: Dataset, device: str) -> str:
    """Name of the remembered rate of a strategy's choices: seconds per unit."""
    told = "-sequential" if spec.sequential and REGISTRY[name].sequential else ""
    return rate_name(f"choice-{name}-{spec.dtype}{told}", spec.model, images, device)
