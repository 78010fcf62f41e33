"""What retraining will take here: the network, its learning rate and steps, and their measured seconds."""

from math import ceil

import numpy as np
import torch

from ntkcore.analyses.forecast import BASE_MEMORY, Forecast, Needs, reading, sample_of
from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.kernel import prepared
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.materials.memory import activations, parameters
from ntkcore.analyses.materials.network import network, seen_name
from ntkcore.analyses.materials.split import Split
from ntkcore.analyses.progress import RETRAINING, Stage
from ntkcore.analyses.rates import clocked
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.errors import SpecError
from ntkcore.influence import Schedule, retrain_chunks
from ntkcore.influence.descent import bytes_of_replica, samples_of_pass
from ntkcore.models.two_layer import TwoLayerReLU
from ntkcore.specs.influence import AdditionSpec, VerificationSpec

_SAFETY = 8.0  # the largest stable rate over the one that is taken: nearer to it, units of a ReLU layer flip from step to step
_MOST_STEPS = 200_000
_POINTWISE = 200  # products of a hidden unit that take as long as what else is done to it in a step
_LONG = 1.0  # seconds of a probe that are enough


def descent(spec: VerificationSpec, result: InfluenceResult) -> tuple[float, int]:
    """Learning rate and steps for τ: an eighth of what is stable by the kernel's largest eigenvalue.

    Raises:
        SpecError: that would take too many steps.
    """
    grown = 1 + len(spec.added) / len(result.labels)  # as the kernel's largest eigenvalue grows with images like those there
    largest = float(result.regression.eigen[0][-1]) * grown + spec.ridge
    if spec.influence.kernel == "pseudo":
        largest *= result.regression.k  # the full kernel's largest eigenvalue may be k times the pseudo-NTK's
    steps = max(1, ceil(spec.time * largest * _SAFETY / 2))
    if steps > _MOST_STEPS:
        raise SpecError(
            f"Training to τ = {spec.time:g} at this kernel's largest stable rate would take {steps:,} steps.", "Choose an earlier time."
        )
    return spec.time / steps, steps


def forecast_verification(spec: VerificationSpec, ws: Workspace) -> Forecast:
    """What retraining will take here, from a few measured steps the first time.

    Raises:
        SpecError: it would take too many steps.
    """
    sample = sample_of(spec.influence.dataset, ws)
    result = INFLUENCE.open(spec.influence, ws)
    n, m, k = len(result.labels), len(result.test_labels), result.regression.k
    _, steps = descent(spec, result)
    replicas = len(spec.changes) + 1

    def stages() -> tuple[Stage, ...]:
        rate = ws.rates.get(rate_name(spec, sample), lambda: _probe(spec, sample, ws))
        assert rate is not None  # a probe was given
        seconds = rate * replicas * steps * step_work(spec, n + len(spec.added), sample)
        held = AdditionSpec(influence=spec.influence)
        made = not spec.added or ADDITION.ready(held, ws)
        before = (reading(n + m),) if made else ADDITION.forecast(held, ws).stages
        return (*before, Stage(RETRAINING, "steps", replicas * steps, seconds))

    def memory(count: int) -> int:
        held = 8 * 2 * (m * (k if spec.influence.kernel == "full" else 1)) ** 2 if spec.added else 0
        images = count + len(spec.added)
        return BASE_MEMORY + _replicas_memory(spec, images, m, sample, ws) + 8 * 4 * images * (images + m) + held

    return Needs(n, memory, lambda _: 16 * replicas * m * k + 2**16).forecast(stages, ws)


def _replicas_memory(spec: VerificationSpec, n: int, m: int, sample: Dataset, ws: Workspace) -> int:
    """Bytes of the replicas that are trained side by side, and of where they start from; on a GPU they take none here."""
    if ws.device != "cpu":
        return 0
    together = min(len(spec.changes) + 1, side_by_side(spec, ws.device) or 1)
    if spec.width is not None:
        return 4 * spec.width * (together * (min(n, int(np.prod(sample.inputs.shape[1:]))) + 2 * n) + n + m)
    model, like = spec.influence.model, torch.zeros(1)
    assert model is not None
    numbers = activations(model, sample, ws)
    return together * bytes_of_replica(parameters(model, sample, ws), samples_of_pass(max(n, m), numbers, like), numbers, like)


def network_of(
    spec: VerificationSpec, train: Dataset, split: Split | None, ws: Workspace
) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """The network at θ0 with its training and held-out samples; without a split one of the former stands for the latter."""
    test = train.inputs[:1] if split is None else split.test_inputs
    if spec.width is None:
        assert spec.influence.model is not None
        return network(spec.influence.model, train, ws).eval(), torch.from_numpy(train.inputs), torch.from_numpy(np.ascontiguousarray(test))
    x, z = (torch.from_numpy(prepared(spec.influence, inputs, train)).float().flatten(1) for inputs in (train.inputs, test))
    return TwoLayerReLU(x.shape[1], spec.width, spec.kappa, spec.seed, outputs=train.outputs), x, z


def side_by_side(spec: VerificationSpec, device: str) -> int | None:
    """Replicas of a chunk, which is what an interruption costs; None: as many as fit. On a CPU the two-layer network's products are large
    enough for one, and more would pass its cache."""
    if spec.width is None:
        return 4
    return 1 if device == "cpu" else None


def rate_name(spec: VerificationSpec, train: Dataset) -> str:
    """Name of the remembered seconds for a unit of :func:`step_work`."""
    model = spec.influence.model
    what = f"two-layer {spec.width}" if model is None else f"{model.architecture} {model.width} {model.depth}{seen_name(model)}"
    return f"retraining {what} {'x'.join(map(str, train.inputs.shape[1:]))} {train.outputs} work"


def step_work(spec: VerificationSpec, n: int, train: Dataset) -> float:
    """What a step of one replica costs, in units of which the seconds are remembered.

    Images; for the two-layer network, which moves in the images' span, a product with each image or, where they are many, with each pixel
    forth and back, and what is done to each hidden unit.
    """
    return float(n if spec.width is None else n * (min(n, 2 * int(np.prod(train.inputs.shape[1:]))) + _POINTWISE))


def _probe(spec: VerificationSpec, sample: Dataset, ws: Workspace) -> float:
    """Seconds for a unit of work: of some steps more, less those of few, so that what comes before and after them does not count."""
    model, x, z = network_of(spec, sample, None, ws)
    together = min(side_by_side(spec, ws.device) or 2, len(x) - 1)  # as many as in a chunk: more take more of the processor's cache
    changes = [[image] for image in range(max(1, together - 1))]

    def seconds(steps: int) -> float:
        side, y = side_by_side(spec, ws.device), sample.targets.astype(np.float32)
        with clocked(ws.device) as taken:
            list(retrain_chunks(model, x, y, z, changes, Schedule(1e-6, steps), replicas=side, device=ws.device))
        return taken.alone

    seconds(2)  # warms up
    few, unit = seconds(4), (len(changes) + 1) * step_work(spec, len(x), sample)
    if few > _LONG:
        return few / (4 * unit)
    few, many = (min(seconds(steps) for _ in range(3)) for steps in (4, 24))
    return max(many - few, few / 4) / (20 * unit)
