"""The strategies by name: how each chooses the next images to label (SCIENCE.md §8).

To add one: its title in :data:`ntkcore.specs.active.STRATEGIES`, and a line in :data:`REGISTRY` here. A choice is of candidates by their
numbers; what it may look at is :class:`~ntkcore.analyses.active.cycle.Cycle`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ntkcore.active import (
    LookAhead,
    at_random,
    badge,
    calibrated_temperature,
    core_set,
    entropy,
    highest,
    least_confident,
    margin,
    max_herding,
    one_by_one,
    process_change,
    raw_gap,
    smallest_distance,
    unsure_weights,
)
from ntkcore.analyses.active import peers
from ntkcore.analyses.active.cycle import Begin, Cycle, Float, Indices
from ntkcore.errors import ComputationError
from ntkcore.influence.retraining import CHUNK_BYTES
from ntkcore.kernels import Outputs
from ntkcore.models.training import STEP_WORK

_SHARE = 5  # one of so many labelled images calibrates UHerding's temperature
_INFINITE = 1.25 * 2**30  # bytes of a tile of such a kernel, and of its libraries
_BYTES = 32  # for each entry of a kernel: as it is computed, symmetric, as S, and as S after a label


@dataclass(frozen=True, slots=True)
class Size:
    """How large a choice is: ``labelled`` images, ``pool`` candidates, ``count`` chosen, ``outputs`` of the network, ``epochs`` of a
    training, ``points`` that are summed over, ``drawn`` candidates of naive retraining, ``batches`` of the ceiling."""

    labelled: int
    pool: int
    count: int
    outputs: int
    epochs: int
    points: int
    drawn: int
    batches: int


def _each(size: Size) -> float:
    return size.pool


def _pairs(size: Size) -> float:
    return float(size.labelled + size.pool) ** 2


def _nothing(size: Size) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way of choosing.

    Attributes:
        choose: the numbers of ``cycle.count`` different candidates, in the order chosen.
        units: what its time grows with: a choice's seconds are this times a rate, which is measured on a small choice and corrected by
            every one that is made.
        memory: bytes beside the network, the images, and the gradients of the network's kernel.
        beside: begins what is trained beside the network; None: nothing is.
        probed: candidates of the small choice on which its rate is measured, fewer where each takes long; ``most`` of the largest such.
        compiled: whether something is compiled for its first choice, whose seconds say little of the others'.
        sequential: whether it is told each label before it chooses the next, where the study is sequential.
        kernel: of the network, whose gradients it takes memory for; None: none.
    """

    choose: Callable[[Cycle], Indices]
    units: Callable[[Size], float] = _each
    memory: Callable[[Size], float] = _nothing
    beside: Begin | None = None
    probed: int = 200
    most: int = 1600
    compiled: bool = False
    sequential: bool = False
    kernel: Outputs | None = None


def _random(cycle: Cycle) -> Indices:
    return at_random(len(cycle.candidates), cycle.count, cycle.generator)


def _unsure(score: Callable[[Float], Float]) -> Callable[[Cycle], Indices]:
    """Those of which the network is least sure; exact zeros among projected probabilities make ties, which the raw gap decides."""
    return lambda cycle: highest(score(cycle.p), cycle.count, raw_gap(cycle.f_pool))


def _badge(cycle: Cycle) -> Indices:
    return badge(cycle.p, cycle.h_pool, cycle.count, cycle.generator)


def _core_set(cycle: Cycle) -> Indices:
    return core_set(cycle.h_pool, cycle.h_labelled, cycle.count)


def _max_herding(cycle: Cycle) -> Indices:
    return max_herding(cycle.h_pool, cycle.h_labelled, cycle.count)


def _uherding(cycle: Cycle) -> Indices:
    """Its temperature is calibrated on a fifth of the labelled images by a network that was trained on the others alone."""
    order = cycle.generator.permutation(len(cycle.labels))
    few = max(1, len(order) // _SHARE)
    held, rest = order[:few], order[few:]
    judged = cycle.outputs_of(cycle.train(cycle.inputs[rest], cycle.targets[rest]), cycle.inputs[held])
    signs = 2 * cycle.labels[held] - 1 if judged.shape[1] == 1 else cycle.labels[held]
    weights = unsure_weights(cycle.f_pool, calibrated_temperature(judged, signs))
    if not np.ptp(cycle.h_labelled, axis=0).any():
        raise ComputationError("The network's last layer sees the same in all labelled images.", "Train with a smaller learning rate.")
    return max_herding(cycle.h_pool, cycle.h_labelled, cycle.count, smallest_distance(cycle.h_labelled), weights)


def _retrained_pairs(size: Size) -> float:
    return _pairs(size) + size.labelled * size.epochs


Score = Callable[[Cycle, LookAhead], Float]


def _change(cycle: Cycle, state: LookAhead) -> Float:
    return state.change(reference=cycle.rules.reference)


def _expected_change(cycle: Cycle, state: LookAhead) -> Float:
    return state.expected_change(cycle.p[state.pool], cycle.rules.reference)


def _expected_error(cycle: Cycle, state: LookAhead) -> Float:
    """Summed over drawn candidates, of whom those that were labelled since are passed over."""
    places = {int(number): place for place, number in enumerate(state.pool)}
    points = [places[int(number)] for number in cycle.order if int(number) in places][: cycle.rules.points]
    return -state.expected_error(cycle.p[state.pool], cycle.rules.probabilities, points)


def _flips(cycle: Cycle, state: LookAhead) -> Float:
    return state.flips(reference=cycle.rules.reference).astype(np.float64)


def _look_ahead(
    score: Score,
    outputs: Outputs = "pseudo",
    units: Callable[[Size], float] = _pairs,
    state_of: Callable[[Cycle], LookAhead] | None = None,
) -> Strategy:
    """Those whose label would do most to what the network says of all candidates; ``state_of`` with another kernel."""

    def choose(cycle: Cycle) -> Indices:
        state = cycle.look_ahead(outputs) if state_of is None else state_of(cycle)
        if cycle.rules.sequential:
            return one_by_one(state, lambda now: score(cycle, now), cycle.reveal, cycle.count)[0]
        return highest(score(cycle, state), cycle.count, raw_gap(cycle.f_pool))

    def memory(size: Size) -> float:
        side = size.outputs if outputs == "full" else 1
        return _BYTES * _pairs(size) * side**2 + (0 if state_of is None else _INFINITE)

    kernel = outputs if state_of is None else None
    return Strategy(choose, units, memory, compiled=state_of is not None, sequential=True, kernel=kernel)


def _summed(size: Size) -> float:
    return _pairs(size) + float(size.pool) * min(size.points, size.pool) * size.outputs**2


def _blocks(size: Size) -> float:
    return _pairs(size) * size.outputs**2


def _steps(size: Size) -> float:
    return float(size.pool) * (1 + min(size.points, size.pool))


def _trainings(size: Size, count: int, more: int) -> float:
    """Passes of so many trainings with ``more`` labels each, and of the pool after each."""
    return float(count) * ((size.labelled + more) * size.epochs * (1 + STEP_WORK) + size.pool)


def _naive(size: Size) -> float:
    return _trainings(size, 1 + min(max(size.drawn, size.count), size.pool), 1)


def _predicted(size: Size) -> float:
    return _trainings(size, 1, 0)


def _ceiling(size: Size) -> float:
    return _trainings(size, size.batches if size.count < size.pool else 1, size.count)


REGISTRY: dict[str, Strategy] = {
    "random": Strategy(_random),
    "entropy": Strategy(_unsure(entropy)),
    "margin": Strategy(_unsure(lambda p: -margin(p))),
    "least-confident": Strategy(_unsure(least_confident)),
    "badge": Strategy(_badge, lambda size: float(size.pool) * size.count),
    "core-set": Strategy(_core_set, lambda size: float(size.pool) * (size.labelled + size.count)),
    "max-herding": Strategy(_max_herding, _pairs),
    "uherding": Strategy(_uherding, _retrained_pairs),
    "lookahead": _look_ahead(_change),
    "lookahead-emoc": _look_ahead(_expected_change),
    "lookahead-eer": _look_ahead(_expected_error, units=_summed),
    "lookahead-flips": _look_ahead(_flips),
    "lookahead-first": _look_ahead(_change, "first"),
    "lookahead-full": _look_ahead(_change, "full", _blocks),
    "step": Strategy(peers.step, _steps, lambda size: float(CHUNK_BYTES["cpu"])),
    "infinite": _look_ahead(_change, state_of=peers.infinite),
    "gp": _look_ahead(lambda cycle, state: process_change(state), state_of=peers.process),
    "naive": Strategy(peers.naive, _naive, probed=2),
    "loss-prediction": Strategy(peers.loss_prediction, _predicted, beside=peers.begin),
    "oracle": Strategy(peers.ceiling, _ceiling, probed=2, most=2),
}
"""How each of :data:`ntkcore.specs.active.STRATEGIES` chooses."""
