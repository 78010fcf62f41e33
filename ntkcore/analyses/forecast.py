"""What a computation will need: seconds, memory and disk, before it starts; and what smaller choice would fit."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import psutil
import torch

from ntkcore.analyses.kernel import TILE, kernel_key, kernel_tiles
from ntkcore.analyses.network import network, rate_name, run_key, training_work
from ntkcore.analyses.progress import DYNAMICS, IMAGES, KERNEL, SCORES, SPECTRUM, STATISTICS, TRAINING, Stage
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, content_hash, load_dataset
from ntkcore.errors import SpecError
from ntkcore.kernels import mean_ntk, ntk_diagonal
from ntkcore.models import describe_model, train
from ntkcore.specs import LearnabilitySpec, RunSpec, TrainingSpec

_PROBE = 16  # images in the first sample on which unknown work is timed
_PROBE_SECONDS = 0.15  # a sample this slow is large enough
_BASE_MEMORY = 600 * 2**20  # a worker with torch loaded and its work buffers
_EIGH_PROBE = 400
REPLICATES = 1000  # bootstrap resamples of Spearman's ρ
_POINTS = 240  # times at which the coupled dynamics are predicted, at most


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
    refusal, largest = _refusal(spec, sample, ws)
    memory, disk = _memory(spec, sample, n), _disk(spec, sample, n)
    limit, free = _limits(ws)
    stages = () if refusal else learnability_stages(spec, sample, ws)  # rates of what cannot run are not measured
    return Forecast(stages, sum(s.seconds for s in stages), memory, disk, limit, free, refusal, largest)


def require_fit(spec: LearnabilitySpec, ws: Workspace) -> None:
    """Refuse what cannot fit on this machine.

    Raises:
        SpecError: with the smaller choice that would fit; another AtlasError when it cannot be had at all.
    """
    sample = _sample(spec, ws)
    if refusal := _refusal(spec, sample, ws)[0]:
        raise SpecError(refusal, "Choose fewer images, a smaller network, or leave out the coupled dynamics.")


def learnability_stages(spec: LearnabilitySpec, sample: Dataset, ws: Workspace) -> tuple[Stage, ...]:
    """The stages of a learnability analysis, with their expected seconds."""
    n, device, epochs = spec.dataset.n, ws.device, spec.training.epochs
    kernel_id = kernel_key(spec.kernel, ws)

    def todo(kind: str, key: str) -> bool:
        return ws.store.state(kind, key) != "ready"

    train_all, train_state = todo("training", run_key(spec.run, ws)), False
    if spec.kernel.training is not None:
        until = RunSpec(dataset=spec.dataset, model=spec.model, training=spec.kernel.training)
        train_state = not train_all and todo("state", run_key(until, ws))
    trained = n * (epochs if train_all else spec.kernel_epoch if train_state else 0)
    training = _rate(training_work(spec.training, n), spec, sample, ws, _probe_training) * trained if trained else 0.0
    score = _rate(f"diagonal-{spec.dtype}", spec, sample, ws, _probe_diagonal) * n if todo("diagonal", kernel_id) else 0.0
    stages = [
        Stage(IMAGES, "images", n, 0.2 + 1e-4 * n),
        Stage(TRAINING, "images", max(epochs, 1) * n, training),
        Stage(SCORES, "images", n, score),
    ]
    if spec.full_kernel:
        area = kernel_tiles(n) * TILE**2 if n > TILE else n * n
        spectrum = todo("spectrum", kernel_id)
        kernel = _rate(f"kernel-{spec.dtype}", spec, sample, ws, _probe_kernel) * area if spectrum and todo("kernel", kernel_id) else 0.0
        cubic = ws.rates.get(f"spectrum {device}", lambda: _probe_eigh(device))
        assert cubic is not None  # a probe was given
        products = ws.rates.get("product cpu", _probe_product)
        assert products is not None  # a probe was given
        stages += [
            Stage(KERNEL, "tiles", kernel_tiles(n), kernel),
            Stage(SPECTRUM, "decompositions", 1, 0.05 + cubic * n**3 if spectrum else 0.0),
            Stage(DYNAMICS, "times", predicted_points(spec), 0.05 + products * predicted_points(spec) * sample.outputs * n * n),
        ]
    stages.append(Stage(STATISTICS, "resamples", REPLICATES, 0.1 + 2e-4 * n))
    return tuple(stages)


def predicted_points(spec: LearnabilitySpec) -> int:
    """Times at which errors are predicted: a few in each epoch from the kernel's on, and not more than a chart can show."""
    epochs = spec.training.epochs - spec.kernel_epoch
    return min(4 * epochs, _POINTS) + 1


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


def _probe_eigh(device: str) -> float:
    matrix = torch.from_numpy(np.random.default_rng(0).standard_normal((_EIGH_PROBE, _EIGH_PROBE))).to(device)
    started = time.monotonic()
    torch.linalg.eigh(matrix @ matrix.T)[0].cpu()
    return (time.monotonic() - started) / _EIGH_PROBE**3


def _probe_product() -> float:
    """Seconds per multiplication of a float64 matrix product, as the coupled dynamics do."""
    matrix = np.random.default_rng(0).standard_normal((_EIGH_PROBE, _EIGH_PROBE))
    block = matrix[:, :80] @ matrix[:80, :80]
    started = time.monotonic()
    for _ in range(10):
        matrix @ block
    return (time.monotonic() - started) / (10 * _EIGH_PROBE**2 * 80)


def _memory(spec: LearnabilitySpec, sample: Dataset, n: int) -> int:
    """Bytes at the peak: images, outputs of all epochs, the network, and for the full kernel K, its copy and its vectors."""
    images = int(np.prod(sample.inputs.shape[1:])) * 4 * n * 3
    outputs = (spec.training.epochs + 1) * n * sample.outputs * 4 * 2
    kernel = n * n * 8 * 4 if spec.full_kernel else 0
    # The weights, their gradient, the momentum, the state of an epoch, its checkpoint's bytes, and a copy while loading.
    weights = _parameters(spec, sample) * 4 * 6 + _parameters(spec, sample) * (4 if spec.dtype == "float64" else 0)
    return _BASE_MEMORY + images + outputs + kernel + weights


def _disk(spec: LearnabilitySpec, sample: Dataset, n: int) -> int:
    outputs = (spec.training.epochs + 1) * n * sample.outputs * 4
    padded = -(-n // TILE) * TILE  # tiles at the edge are stored whole
    kernel = padded * padded * (8 if spec.dtype == "float64" else 4) + n * padded * 8 if spec.full_kernel else 0
    state = _parameters(spec, sample) * 4 * (2 if spec.kernel_epoch else 1)  # the checkpoint, and the kernel's own state
    predicted = (predicted_points(spec) * n * 4) if spec.full_kernel else 0
    return outputs + kernel + predicted + state + sample.pixels[0].size * n + 2**20


def _parameters(spec: LearnabilitySpec, sample: Dataset) -> int:
    return describe_model(
        spec.model, input_shape=sample.inputs.shape[1:], outputs=sample.outputs, class_names=sample.class_names
    ).parameters


def _refusal(spec: LearnabilitySpec, sample: Dataset, ws: Workspace) -> tuple[str, int]:
    """Why it cannot run here, or "", and the largest number of images that fits."""
    n = spec.dataset.n
    memory, disk = _memory(spec, sample, n), _disk(spec, sample, n)
    limit, free = _limits(ws)
    if memory <= limit and disk <= free:
        return "", n
    largest = _largest_n(lambda m: _memory(spec, sample, m) <= limit and _disk(spec, sample, m) <= free, n)
    what = (
        f"about {_amount(memory)} of memory, and one job may use {_amount(limit)} here"
        if memory > limit
        else f"about {_amount(disk)} on disk, and {_amount(free)} are free"
    )
    if largest < 4:
        room = "Free some space, or set NTK_CACHE_DIR to a larger disk" if memory <= limit else "Choose a smaller network"
        return f"This needs {what}: no number of images would fit. {room}.", largest
    more = ", or more without the coupled dynamics" if spec.full_kernel else ""
    return f"This needs {what}: {largest:,} images would fit{more}.", largest


def _limits(ws: Workspace) -> tuple[int, int]:
    """Bytes of memory one job may use, and bytes that may be stored."""
    memory = ws.settings.job_memory or psutil.virtual_memory().total * 3 // 4
    return memory, min(ws.store.room(), ws.settings.disk_budget)


def _largest_n(fits: Callable[[int], bool], n: int) -> int:
    low, high = 0, n
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
