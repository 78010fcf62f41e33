"""What an influence analysis will need, and its stages.

Memory at the peak, for N = n rows of the system (n k for the full kernel): images, network, what the kernel's tiles leave behind, and the
N × N float64 matrices of the decomposition, five or more, which are more than the page needs (the kernel and its eigenvectors; G once λ is
chosen), with the test kernel's m N.
"""

from collections.abc import Callable

import numpy as np

from ntkcore.analyses.forecast import BASE_MEMORY, Forecast, Needs, decomposing, reading, sample_of
from ntkcore.analyses.influence.kernel import beginning, chain, closed_rate_name, compression_of, prepared
from ntkcore.analyses.materials.memory import kernel_memory
from ntkcore.analyses.materials.network import has_state
from ntkcore.analyses.materials.probes import decomposition, kernel_rates, training_rate
from ntkcore.analyses.materials.split import check_split
from ntkcore.analyses.materials.tiles import kernel_pairs, tile_side
from ntkcore.analyses.progress import PAIRS, SPECTRUM, TRAINING, Stage
from ntkcore.analyses.rates import clocked
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.kernels import infinite_ntk, two_layer_relu_ntk
from ntkcore.kernels.empirical import EXACT
from ntkcore.models import describe_model
from ntkcore.specs import Outputs, RunSpec
from ntkcore.specs.influence import InfluenceSpec

_FEW = 64  # samples of a probe
_JAX_MEMORY = 200 * 2**20  # of the libraries for infinite width


def forecast_influence(spec: InfluenceSpec, ws: Workspace) -> Forecast:
    """Forecast one influence analysis from this machine's measured rates; measures a rate it has never seen.

    Raises:
        AtlasError: when the data or the network cannot be had at all.
    """
    sample = checked(spec, ws)
    return needs(spec, sample, ws).forecast(lambda: influence_stages(spec, sample, ws), ws)


def influence_refusal(spec: InfluenceSpec, ws: Workspace) -> str:
    """Why it cannot fit on this machine, or "".

    Raises:
        AtlasError: it cannot be had at all.
    """
    return needs(spec, checked(spec, ws), ws).refusal(ws)[0]


def forecast_addition(spec: InfluenceSpec, ws: Workspace) -> Forecast:
    """Forecast the kernel of the held-out images with each other, of an influence analysis that is there.

    Raises:
        AtlasError: when the data or the network cannot be had at all.
    """
    sample = checked(spec, ws)
    n, m, r = spec.dataset.n, spec.test, sample.outputs if spec.kernel == "full" else 1
    network, images = network_memory(spec, sample, ws), int(np.prod(sample.inputs.shape[1:])) * 8 * 3

    def stages() -> tuple[Stage, ...]:
        made = _before(spec, sample, ws)
        if spec.kernel in ("pseudo", "full") and spec.model is not None:
            form: Outputs = "full" if spec.kernel == "full" else "pseudo"
            rates = kernel_rates(form, spec.model, spec.dtype, sample, ws, compression_of(spec))
            kernel = rates.seconds(m, kernel_pairs(m, tile_side(form, sample.outputs, spec.dtype)))
        else:
            begun, pair = _closed_rates(spec, sample, ws)
            kernel = begun + pair * m * m
        return (*made, Stage(PAIRS, "pairs", m * m, kernel))

    def memory(count: int) -> int:
        return BASE_MEMORY + images * (n + count) + network(count, 0) + 8 * 2 * (r * count) ** 2

    return Needs(m, memory, lambda count: 8 * (r * count) ** 2 + 2**16).forecast(stages, ws)


def influence_stages(spec: InfluenceSpec, sample: Dataset, ws: Workspace) -> tuple[Stage, ...]:
    """The stages of the job, with their expected seconds."""
    n, m = spec.dataset.n, spec.test
    stages = _before(spec, sample, ws)
    if spec.kernel in ("pseudo", "full") and spec.model is not None:
        form: Outputs = "full" if spec.kernel == "full" else "pseudo"
        kept = compression_of(spec)
        rates = kernel_rates(form, spec.model, spec.dtype, sample, ws, kept)
        kernel = rates.seconds(2 * n + m, kernel_pairs(n, tile_side(form, sample.outputs, spec.dtype)) + m * n)
        if kept is not None:  # it is judged on an exact block
            kernel += kernel_rates(form, spec.model, spec.dtype, sample, ws).seconds(EXACT, EXACT**2)
    else:
        begun, pair = _closed_rates(spec, sample, ws)
        kernel = begun + pair * (n * n + m * n)
    side = n * (sample.outputs if spec.kernel == "full" else 1)
    stages.append(Stage(PAIRS, "pairs", n * n + m * n, 0.05 + kernel))
    stages.append(Stage(SPECTRUM, "decompositions", 1, decomposition(side, ws)))
    return tuple(stages)


def _before(spec: InfluenceSpec, sample: Dataset, ws: Workspace) -> list[Stage]:
    """What comes before a kernel: the images, and the training up to where it is taken."""
    n = spec.dataset.n
    stages = [reading(n + spec.test)]
    if spec.model is not None and spec.training is not None:
        todo = not has_state(RunSpec(dataset=spec.dataset, model=spec.model, training=spec.training), ws)
        epochs = spec.training.epochs
        seconds = training_rate(spec.training, spec.model, n, sample, ws) * n * epochs if todo else 0.0
        stages.append(Stage(TRAINING, "images", max(epochs, 1) * n, seconds))
    return stages


def _closed_rates(spec: InfluenceSpec, sample: Dataset, ws: Workspace) -> tuple[float, ...]:
    """Seconds until a kernel of infinite width has begun, which libraries are loaded and functions compiled for, and seconds a pair."""

    def probe() -> tuple[float, float]:
        rows, taken = prepared(spec, sample.inputs[:_FEW], sample), []
        for _ in range(4):
            with clocked() as once:
                if spec.model is None:
                    two_layer_relu_ntk(rows)
                else:
                    infinite_ntk(chain(spec.model, sample), rows, initialisation=spec.model.initialisation)
            taken.append(once.alone)
        return max(taken[0] - min(taken), 1e-6), min(taken) / len(rows) ** 2

    name = closed_rate_name(spec, sample)
    found = ws.rates.all_of((beginning(name), name), probe)
    assert found is not None  # a probe was given
    return found


def checked(spec: InfluenceSpec, ws: Workspace) -> Dataset:
    """The first training images, after checking everything that can be checked at once."""
    sample = sample_of(spec.dataset, ws)
    check_split(spec.dataset, spec.test, ws)
    if spec.model is None:
        prepared(spec, sample.inputs, sample)  # an image without a direction is said before anything is computed
    return sample


def needs(spec: InfluenceSpec, sample: Dataset, ws: Workspace) -> Needs:
    """Memory and disk of an analysis on images like these."""
    k, m = sample.outputs, spec.test
    r = k if spec.kernel == "full" else 1
    shape, network = sample.inputs.shape[1:], network_memory(spec, sample, ws)

    def memory(n: int) -> int:
        images = int(np.prod(shape)) * 8 * (n + m) * 3
        return BASE_MEMORY + images + network(n, m) + decomposing(r * n) + 8 * 3 * r * r * m * n

    def disk(n: int) -> int:
        return 8 * r * r * (2 * n * n + m * n) + sample.pixels[0].size * (n + m) + _parameters(spec, sample) * 8 + 2**20

    return Needs(spec.dataset.n, memory, disk, ", or more with a kernel that serves all outputs" if r > 1 else "")


def _parameters(spec: InfluenceSpec, sample: Dataset) -> int:
    """Of the network, also of one whose width goes to infinity; 0 for the two-layer kernel."""
    if spec.model is None:
        return 0
    shape = sample.inputs.shape[1:]
    return describe_model(spec.model, input_shape=shape, outputs=sample.outputs, class_names=sample.class_names).parameters


def network_memory(spec: InfluenceSpec, sample: Dataset, ws: Workspace) -> Callable[[int, int], int]:
    """Bytes of the network, and of what a kernel of it on n images and with m others leaves behind, or of infinite width's libraries."""
    own = _parameters(spec, sample) * 4 * 8
    if spec.kernel in ("pseudo", "full") and spec.model is not None:
        form: Outputs = "full" if spec.kernel == "full" else "pseudo"
        tiles = kernel_memory(form, spec.model, spec.dtype, sample, ws, compression_of(spec))
        return lambda n, m: own + tiles(n, m)
    libraries = _JAX_MEMORY if spec.kernel == "infinite" else 0
    return lambda n, m: own + libraries
