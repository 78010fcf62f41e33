"""What an active learning study will take: trainings and choices at this machine's measured rates."""

import time
from dataclasses import replace
from functools import partial
from math import prod

import numpy as np

from ntkcore.analyses.active.cycle import Cycle
from ntkcore.analyses.active.peers import infinite_kernel
from ntkcore.analyses.active.run import accuracy, choice_name, fit, rules_of, shapes, size_of
from ntkcore.analyses.active.strategies import REGISTRY, Size
from ntkcore.analyses.forecast import BASE_MEMORY, Forecast, Needs, sample_of
from ntkcore.analyses.materials.memory import kernel_memory
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.materials.probes import training_rate
from ntkcore.analyses.materials.split import check_split, targets_of
from ntkcore.analyses.progress import STUDY, Stage
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.errors import SpecError
from ntkcore.models import describe_model
from ntkcore.models.training import STEP_WORK
from ntkcore.specs.active import ActiveSpec

_LABELLED = 32  # images of the small choice on which a rate is measured
_SECONDS, _MOST = 0.15, 1600  # a choice this slow, or of so many candidates, is large enough


def forecast_active(spec: ActiveSpec, ws: Workspace) -> Forecast:
    """Its forecast; a strategy that this machine has never seen is timed on a small choice.

    Raises:
        SpecError: numbers that contradict each other.
        AtlasError: the images or the network cannot be had.
    """
    if spec.fault:
        raise SpecError(spec.fault, "Change one of these numbers.")
    check_split(spec.dataset, spec.test, ws)
    sample = sample_of(spec.dataset, ws)
    described = describe_model(spec.model, input_shape=sample.inputs.shape[1:], outputs=sample.outputs, class_names=sample.class_names)
    runs, protocol = spec.seeds * len(spec.strategies), spec.protocol
    numbers = sum(prod(shape) for shape in shapes(spec, len(sample.class_names)).values())
    image = 3 * (sample.inputs[0].nbytes + sample.pixels[0].nbytes)  # as they are read, kept, and put together for a choice

    def memory(n: int) -> int:
        size = size_of(spec, protocol.labels[-1], max(2, min(spec.pool, n - protocol.start)), sample.outputs)
        choices = max(_memory(name, spec, size, sample, ws) for name in spec.strategies)
        return int(BASE_MEMORY + image * (n + spec.test) + 24 * described.parameters + choices)

    def disk(n: int) -> int:
        return 8 * numbers * (runs + 1) + 4 * described.parameters * spec.warm + sample.pixels[0].nbytes * n

    def stages() -> tuple[Stage, ...]:
        rate = training_rate(spec.training, spec.model, protocol.labels[-1], sample, ws)
        seconds = sum(_choices(name, spec, sample, ws) for name in spec.strategies)
        seconds += len(spec.strategies) * sum(protocol.labels) * spec.training.epochs * rate
        seconds += len(spec.strategies) * len(protocol.labels) * spec.test * rate / (1 + STEP_WORK)
        return (Stage(STUDY, "pieces", runs, spec.seeds * seconds),)

    return Needs(spec.dataset.n, memory, disk, " (fewer candidates take less, too)").forecast(stages, ws)


def _memory(name: str, spec: ActiveSpec, size: Size, sample: Dataset, ws: Workspace) -> float:
    """Bytes of a strategy's choice, those of its kernel's gradients included."""
    strategy = REGISTRY[name]
    if strategy.kernel is None:
        return strategy.memory(size)
    gradients = kernel_memory(strategy.kernel, spec.model, spec.dtype, sample, ws)(size.labelled + size.pool)
    return strategy.memory(size) + gradients


def _choices(name: str, spec: ActiveSpec, sample: Dataset, ws: Workspace) -> float:
    """Seconds of a strategy's choices on one seed."""
    rate = ws.rates.get(choice_name(name, spec, sample, ws.device), partial(_probe, name, spec, sample, ws))
    assert rate is not None  # a probe was given
    strategy, n = REGISTRY[name], spec.dataset.n
    sizes = (size_of(spec, labels, min(spec.pool, n - labels), sample.outputs) for labels in spec.protocol.labels[:-1])
    return rate * sum(strategy.units(size) for size in sizes)


def _probe(name: str, spec: ActiveSpec, sample: Dataset, ws: Workspace) -> float:
    """Seconds per unit of a strategy, on choices that grow until they take a while."""
    strategy = REGISTRY[name]
    first = min(_LABELLED, sample.n // 2)
    targets = targets_of(sample.labels, sample.outputs)
    pool = strategy.probed
    while True:
        picked = np.resize(np.arange(first, sample.n), pool)
        shown = targets[picked]
        module = network(spec.model, sample, ws).to(ws.device)
        x, y = sample.inputs[:first], targets[:first].astype(np.float32)
        once = spec.training.model_copy(update={"epochs": 1, "learning_rate": 1e-6})
        begin = strategy.beside
        beside = None if begin is None else partial(begin, generator=np.random.default_rng(0))
        trained = fit(module, x, y, once, ws.device, beside)
        cycle = Cycle(
            module=trained.module,
            inputs=x,
            candidates=sample.inputs[picked],
            labels=sample.labels[:first],
            targets=targets[:first],
            count=min(spec.protocol.query, pool),
            generator=np.random.default_rng(0),
            rules=rules_of(spec),
            reveal=shown.__getitem__,
            train=lambda x, y: fit(network(spec.model, sample, ws), x, y, spec.training, ws.device).module,
            training=spec.training,
            judge=lambda module: accuracy(module, sample.inputs[:first], sample.labels[:first], ws.device),
            infinite=lambda x: infinite_kernel(spec.model, sample, x, lambda: None),
            waiting=lambda: None,
            beside=trained.beside,
        )
        if strategy.compiled:
            strategy.choose(cycle)
        began = time.perf_counter()
        strategy.choose(cycle)
        seconds = time.perf_counter() - began
        if seconds >= _SECONDS or pool >= min(_MOST, strategy.most):
            break
        pool = min(2 * pool, _MOST, strategy.most)
    size = replace(size_of(spec, first, pool, sample.outputs), count=cycle.count)
    return max(seconds, 1e-6) / strategy.units(size)
