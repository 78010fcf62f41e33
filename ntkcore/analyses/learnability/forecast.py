"""What a learnability analysis will need, and its stages."""

import numpy as np

from ntkcore.analyses.forecast import BASE_MEMORY, Forecast, Needs, decomposing, reading, sample_of
from ntkcore.analyses.materials.kernel import kernel_key
from ntkcore.analyses.materials.memory import kernel_memory, norms_memory
from ntkcore.analyses.materials.network import has_state, run_key
from ntkcore.analyses.materials.probes import decomposition, diagonal_rate, kernel_rates, product_rate, training_rate
from ntkcore.analyses.materials.tiles import TILE, kernel_pairs, kernel_tiles
from ntkcore.analyses.progress import DYNAMICS, KERNEL, SCORES, SPECTRUM, STATISTICS, TRAINING, Stage
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.models import describe_model
from ntkcore.specs import RunSpec
from ntkcore.specs.learnability import LearnabilitySpec

REPLICATES = 1000  # bootstrap resamples of Spearman's ρ
_POINTS = 240  # times at which the coupled dynamics are predicted, at most


def forecast_learnability(spec: LearnabilitySpec, ws: Workspace) -> Forecast:
    """Forecast one learnability analysis from this machine's measured rates; measures a rate it has never seen.

    Raises:
        AtlasError: when the data set or the network cannot be had at all (missing, does not fit, too few images).
    """
    sample = sample_of(spec.dataset, ws)
    return _needs(spec, sample, ws).forecast(lambda: learnability_stages(spec, sample, ws), ws)


def learnability_refusal(spec: LearnabilitySpec, ws: Workspace) -> str:
    """Why it cannot fit on this machine, or "".

    Raises:
        AtlasError: it cannot be had at all.
    """
    return _needs(spec, sample_of(spec.dataset, ws), ws).refusal(ws)[0]


def learnability_stages(spec: LearnabilitySpec, sample: Dataset, ws: Workspace) -> tuple[Stage, ...]:
    """The stages of a learnability analysis, with their expected seconds."""
    n, epochs = spec.dataset.n, spec.training.epochs
    kernel_id = kernel_key(spec.kernel, ws)

    def todo(kind: str, key: str) -> bool:
        return ws.store.state(kind, key) != "ready"

    train_all, train_state = todo("training", run_key(spec.run, ws)), False
    if spec.kernel.training is not None:
        until = RunSpec(dataset=spec.dataset, model=spec.model, training=spec.kernel.training)
        train_state = not train_all and not has_state(until, ws)
    trained = n * (epochs if train_all else spec.kernel_epoch if train_state else 0)
    training = training_rate(spec.training, spec.model, n, sample, ws) * trained if trained else 0.0
    score = diagonal_rate(spec.model, spec.dtype, sample, ws) * n if todo("diagonal", kernel_id) else 0.0
    stages = [
        reading(n),
        Stage(TRAINING, "images", max(epochs, 1) * n, training),
        Stage(SCORES, "images", n, score),
    ]
    if spec.full_kernel:
        spectrum = todo("spectrum", kernel_id)
        todo_kernel = spectrum and todo("kernel", kernel_id)
        rates = kernel_rates("mean", spec.model, spec.dtype, sample, ws) if todo_kernel else None
        kernel = rates.seconds(n, kernel_pairs(n)) if rates else 0.0
        predicted = product_rate(ws) * predicted_points(spec) * sample.outputs * n * n
        stages += [
            Stage(KERNEL, "tiles", kernel_tiles(n), kernel),
            Stage(SPECTRUM, "decompositions", 1, decomposition(n, ws) if spectrum else 0.0),
            Stage(DYNAMICS, "times", predicted_points(spec), 0.05 + predicted),
        ]
    stages.append(Stage(STATISTICS, "resamples", REPLICATES, 0.02 + 3e-5 * n))
    return tuple(stages)


def predicted_points(spec: LearnabilitySpec) -> int:
    """Times at which errors are predicted: a few in each epoch from the kernel's on, and not more than a chart can show."""
    epochs = spec.training.epochs - spec.kernel_epoch
    return min(4 * epochs, _POINTS) + 1


def _needs(spec: LearnabilitySpec, sample: Dataset, ws: Workspace) -> Needs:
    parameters = describe_model(
        spec.model, input_shape=sample.inputs.shape[1:], outputs=sample.outputs, class_names=sample.class_names
    ).parameters

    norms = norms_memory(spec.model, spec.dtype, sample, ws)
    tiles = kernel_memory("mean", spec.model, spec.dtype, sample, ws) if spec.full_kernel else None

    def memory(n: int) -> int:
        """Images, outputs of all epochs, the network, a moment's gradients, and for the full kernel its decomposition."""
        images = int(np.prod(sample.inputs.shape[1:])) * 4 * n * 3
        outputs = (spec.training.epochs + 1) * n * sample.outputs * 4 * 2
        kernel = norms if tiles is None else max(norms, tiles(n)) + decomposing(n)
        # The weights, their gradient, the momentum, the state of an epoch, its checkpoint's bytes, and a copy while loading.
        weights = parameters * 4 * 6 + parameters * (4 if spec.dtype == "float64" else 0)
        return BASE_MEMORY + images + outputs + kernel + weights

    def disk(n: int) -> int:
        outputs = (spec.training.epochs + 1) * n * sample.outputs * 4
        padded = -(-n // TILE) * TILE  # tiles at the edge are stored whole
        side = n if n < TILE else padded
        kernel = side * side * (8 if spec.dtype == "float64" else 4) + n * padded * 8 if spec.full_kernel else 0
        state = parameters * 4 * (2 if spec.kernel_epoch else 1)  # the checkpoint, and the kernel's own state
        predicted = (predicted_points(spec) * n * 4) if spec.full_kernel else 0
        return outputs + kernel + predicted + state + sample.pixels[0].size * n + 2**20

    return Needs(spec.dataset.n, memory, disk, ", or more without the coupled dynamics" if spec.full_kernel else "")
