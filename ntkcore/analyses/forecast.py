"""What a computation will need: seconds, memory and disk, before it starts; and what smaller choice would fit."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import psutil
import torch

from ntkcore.analyses.kernel import TILE, kernel_tiles
from ntkcore.analyses.network import network, rate_name
from ntkcore.analyses.progress import Stage
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, content_hash, load_dataset
from ntkcore.kernels import mean_ntk, ntk_diagonal
from ntkcore.models import train
from ntkcore.specs import LearnabilitySpec, TrainingSpec

_PROBE = 16  # images in the first sample on which unknown work is timed
_PROBE_SECONDS = 0.15  # a sample this slow is large enough
_BASE_MEMORY = 600 * 2**20  # a worker with torch loaded and its work buffers
_EIGH_PROBE = 400


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a computation is expected to need.

    Attributes:
        stages: the stages with their expected seconds.
        seconds: their sum.
        memory, disk: bytes at the peak, and bytes written.
        memory_limit, disk_free: what there is.
        refusal: why it cannot run here, with the smaller choice that would fit; "" when it can.
        largest_n: the largest number of images that fits; n itself when the request fits.
    """

    stages: tuple[Stage, ...]
    seconds: float
    memory: int
    disk: int
    memory_limit: int
    disk_free: int
    refusal: str
    largest_n: int


def forecast_learnability(spec: LearnabilitySpec, ws: Workspace) -> Forecast:
    """Forecast one learnability analysis from this machine's measured rates; measures a rate it has never seen.

    Raises:
        AtlasError: when the data set or the network cannot be had at all (missing, does not fit, too few images).
    """
    sample = _sample(spec, ws)
    n = spec.dataset.n
    stages = learnability_stages(spec, sample, ws)
    memory, disk = _memory(spec, sample, n), _disk(spec, sample, n)
    limit, free = _memory_limit(ws), ws.store.room()
    largest = n
    refusal = ""
    if memory > limit or disk > free:
        largest = _largest_n(lambda m: _memory(spec, sample, m) <= limit and _disk(spec, sample, m) <= free, n)
        what = (
            f"about {_gib(memory)} of memory (this machine allows {_gib(limit)})"
            if memory > limit
            else f"about {_gib(disk)} of disk ({_gib(free)} are free)"
        )
        instead = f"{largest} images would fit" if largest >= 4 else "no number of images would fit"
        also = ", or leave out the full kernel" if spec.full_kernel else ""
        refusal = f"This needs {what}: {instead}{also}."
    return Forecast(stages, sum(s.seconds for s in stages), memory, disk, limit, free, refusal, largest)


def learnability_stages(spec: LearnabilitySpec, sample: Dataset, ws: Workspace) -> tuple[Stage, ...]:
    """The stages of a learnability analysis, with their expected seconds."""
    n, device = spec.dataset.n, ws.device
    epochs = spec.training.epochs
    training = _rate("training", spec, sample, ws, _probe_training)
    diagonal = _rate(f"diagonal-{spec.dtype}", spec, sample, ws, _probe_diagonal)
    stages = [
        Stage("Reading images", "images", n, 0.2 + 1e-4 * n),
        Stage("Training", "images", epochs * n, training * n * epochs),
        Stage("Scores k(x,x)", "images", n, diagonal * n),
    ]
    if spec.full_kernel:
        area = kernel_tiles(n) * TILE**2 if n > TILE else n * n
        kernel = _rate(f"kernel-{spec.dtype}", spec, sample, ws, _probe_kernel)
        cubic = ws.rates.get(f"spectrum {device}", _probe_eigh)
        assert cubic is not None  # a probe was given
        stages += [
            Stage("Full kernel", "tiles", kernel_tiles(n), kernel * area),
            Stage("Spectrum", "decompositions", 1, 0.05 + cubic * n**3),
        ]
    stages.append(Stage("Statistics", "resamples", 1000, 0.1 + 2e-4 * n))
    return tuple(stages)


def _sample(spec: LearnabilitySpec, ws: Workspace) -> Dataset:
    """The first images of the draw: checks the whole request and costs little, however many images are asked for."""
    content = content_hash(spec.dataset, ws.settings)
    key = ("sample", spec.dataset.canonical(), content)
    return ws.hot.get(key, lambda: load_dataset(spec.dataset, ws.settings, first=TILE), dataset_bytes)


def dataset_bytes(dataset: Dataset) -> int:
    """Bytes a data set takes in memory."""
    return sum(a.nbytes for a in (dataset.inputs, dataset.pixels, dataset.labels, dataset.true_labels))


def _rate(work: str, spec: LearnabilitySpec, sample: Dataset, ws: Workspace, probe: Callable[..., float]) -> float:
    rate = ws.rates.get(rate_name(work, spec.model, sample, ws.device), lambda: probe(spec, sample, ws))
    assert rate is not None  # a probe was given
    return rate


def _probe_training(spec: LearnabilitySpec, sample: Dataset, ws: Workspace) -> float:
    def epoch(count: int) -> float:
        batch = min(spec.training.batch_size or count, count)
        once = TrainingSpec(epochs=2, learning_rate=1e-6, batch_size=max(batch, 2))
        epochs = train(network(spec.model, sample, ws), sample.inputs[:count], sample.targets[:count], once, device=ws.device)
        clocks = [time.monotonic() for _ in epochs]
        return clocks[-1] - clocks[-2]

    return _per_unit(epoch, sample.n, lambda count: count)


def _probe_diagonal(spec: LearnabilitySpec, sample: Dataset, ws: Workspace) -> float:
    module, inputs = _kernel_sample(spec, sample, ws)
    return _per_unit(_timed(lambda count: ntk_diagonal(module, inputs[:count], device=ws.device)), len(inputs), lambda count: count)


def _probe_kernel(spec: LearnabilitySpec, sample: Dataset, ws: Workspace) -> float:
    module, inputs = _kernel_sample(spec, sample, ws)
    return _per_unit(_timed(lambda count: mean_ntk(module, inputs[:count], device=ws.device)), len(inputs), lambda count: count**2)


def _per_unit(seconds: Callable[[int], float], most: int, units: Callable[[int], int]) -> float:
    """Seconds per unit on the largest sample that takes a fraction of a second, so that overheads weigh as in the real run."""
    count = min(_PROBE, most)
    taken = seconds(count)
    while taken < _PROBE_SECONDS and count < min(TILE, most):
        count = min(2 * count, TILE, most)
        taken = seconds(count)
    return max(taken, 1e-6) / units(count)


def _timed(call: Callable[[int], object]) -> Callable[[int], float]:
    def seconds(count: int) -> float:
        started = time.monotonic()
        call(count)
        return time.monotonic() - started

    return seconds


def _kernel_sample(spec: LearnabilitySpec, sample: Dataset, ws: Workspace) -> tuple[torch.nn.Module, torch.Tensor]:
    dtype = torch.float64 if spec.dtype == "float64" else torch.float32
    return network(spec.model, sample, ws).to(ws.device, dtype), torch.from_numpy(sample.inputs[:TILE]).to(dtype)


def _probe_eigh() -> float:
    matrix = np.random.default_rng(0).standard_normal((_EIGH_PROBE, _EIGH_PROBE))
    started = time.monotonic()
    np.linalg.eigh(matrix @ matrix.T)
    return (time.monotonic() - started) / _EIGH_PROBE**3


def _memory(spec: LearnabilitySpec, sample: Dataset, n: int) -> int:
    """Bytes at the peak: the images, the outputs of all epochs, and, for the full kernel, K, its copy and its vectors."""
    images = int(np.prod(sample.inputs.shape[1:])) * 4 * n * 3
    outputs = (spec.training.epochs + 1) * n * sample.outputs * 4 * 2
    kernel = n * n * 8 * 4 if spec.full_kernel else 0
    return _BASE_MEMORY + images + outputs + kernel


def _disk(spec: LearnabilitySpec, sample: Dataset, n: int) -> int:
    outputs = (spec.training.epochs + 1) * n * sample.outputs * 4
    padded = -(-n // TILE) * TILE  # tiles at the edge are stored whole
    kernel = padded * padded * (8 if spec.dtype == "float64" else 4) + n * padded * 8 if spec.full_kernel else 0
    return outputs + kernel + sample.pixels[0].size * n + 2**20


def _memory_limit(ws: Workspace) -> int:
    return ws.settings.job_memory or psutil.virtual_memory().total * 3 // 4


def _largest_n(fits: Callable[[int], bool], n: int) -> int:
    low, high = 0, n
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
