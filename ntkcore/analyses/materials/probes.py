"""Rates of work this machine has never done: each timed once on a small sample (:mod:`ntkcore.analyses.rates`)."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ntkcore.analyses.materials.network import network, rate_name, training_work
from ntkcore.analyses.materials.tiles import TILE, inputs_of, kernel_rate_names
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.kernels import Compression, ntk_diagonal, ntk_tiles
from ntkcore.linalg import eigvalsh
from ntkcore.models import train
from ntkcore.regression import fit_predict
from ntkcore.specs import ModelSpec, Outputs, TrainingSpec

VALUES_RATE = "eigenvalues cpu"  # remembered rate: seconds per (side of the matrix)³
SOLVE_RATE = "regression cpu"  # the same
_FEW = 16  # images in the first sample on which unknown work is timed
_SECONDS = 0.15  # a sample this slow is large enough
_LEAST = 0.05  # share of a sample's time that pairs take at least: gradients alone make no kernel
_SIDE = 400  # of the matrices whose decompositions are timed


def training_rate(training: TrainingSpec, model: ModelSpec, n: int, sample: Dataset, ws: Workspace) -> float:
    """Seconds an image and epoch of training n images, of which ``sample`` are the first."""

    def epoch(count: int) -> float:
        batch = min(training.batch_size or count, count)
        once = TrainingSpec(epochs=2, learning_rate=1e-6, batch_size=max(batch, 2))
        epochs = train(network(model, sample, ws), sample.inputs[:count], sample.targets[:count], once, device=ws.device)
        clocks = [time.monotonic() for _ in epochs]
        return clocks[-1] - clocks[-2]

    name = rate_name(training_work(training, n), model, sample, ws.device)
    return _known(ws, name, lambda: _per_unit(epoch, sample.n, lambda count: count))


def diagonal_rate(model: ModelSpec, dtype: str, sample: Dataset, ws: Workspace) -> float:
    """Seconds an image of k(x,x)."""

    def probe() -> float:
        module, inputs = _kernel_sample(model, dtype, sample, ws)
        return _per_unit(_timed(lambda count: ntk_diagonal(module, inputs[:count], device=ws.device)), len(inputs), lambda count: count)

    return _known(ws, rate_name(f"diagonal-{dtype}", model, sample, ws.device), probe)


@dataclass(frozen=True, slots=True)
class KernelRates:
    """Seconds an image, for its gradients, and seconds a pair of images of a kernel."""

    image: float
    pair: float

    def seconds(self, images: int, pairs: int) -> float:
        """Of a kernel of so many pairs of so many images."""
        return self.image * images + self.pair * pairs


def _known_pair(names: tuple[str, str], ws: Workspace) -> KernelRates | None:
    image, pair = (ws.rates.get(name) for name in names)
    return None if image is None or pair is None else KernelRates(image, pair)


def kernel_rates(
    outputs: Outputs, model: ModelSpec, dtype: str, sample: Dataset, ws: Workspace, compression: Compression | None = None
) -> KernelRates:
    """The rates of a kernel, timed on two samples when they are unknown, one twice as large as the other.

    With t(n) = image · n + pair · n² the two times give both; what neither explains (preparation) goes to the images.
    """
    names = kernel_rate_names(outputs, dtype, model, sample, ws.device, compression is not None)
    if (known := _known_pair(names, ws)) is not None:
        return known
    module, inputs = _kernel_sample(model, dtype, sample, ws)
    seconds = _timed(
        lambda count: list(ntk_tiles(module, inputs[:count], outputs=outputs, tile=count, device=ws.device, compression=compression))
    )
    count = min(_FEW, len(inputs)) // 2
    seconds(2)  # the first run may load libraries and start threads
    small, large = seconds(count), seconds(2 * count)
    while large < _SECONDS and 4 * count <= len(inputs):
        count *= 2
        small, large = large, seconds(2 * count)
    pair = max(large - 2 * small, _LEAST * large) / (2 * count**2)
    found = KernelRates(max(large / (2 * count) - 2 * count * pair, 1e-9), pair)
    for name, rate in zip(names, (found.image, found.pair), strict=True):
        ws.rates.learn(name, rate, 1)
    return found


def decomposition_rate(ws: Workspace) -> float:
    """Seconds per n³ of all eigenvalues and eigenvectors, on the device."""

    def probe() -> float:
        matrix = torch.from_numpy(_definite()).to(ws.device)
        return _warm(lambda: torch.linalg.eigh(matrix)[0].cpu()) / _SIDE**3

    return _known(ws, f"spectrum {ws.device}", probe)


def eigenvalues_rate(ws: Workspace) -> float:
    """Seconds per n³ of all eigenvalues alone."""

    def probe() -> float:
        matrix = _definite()
        return _warm(lambda: eigvalsh(matrix)) / _SIDE**3

    return _known(ws, VALUES_RATE, probe)


def regression_rate(ws: Workspace) -> float:
    """Seconds per n³ of a kernel regression, n the side of its system."""

    def probe() -> float:
        matrix, y = _definite(), np.ones((_SIDE, 1))
        return _warm(lambda: fit_predict(matrix, matrix[:1], y, y, y[:1])) / _SIDE**3

    return _known(ws, SOLVE_RATE, probe)


def product_rate(ws: Workspace) -> float:
    """Seconds per multiplication of a float64 matrix product, as the coupled dynamics do."""

    def probe() -> float:
        matrix = np.random.default_rng(0).standard_normal((_SIDE, _SIDE))
        block = matrix[:, :80] @ matrix[:80, :80]
        started = time.monotonic()
        for _ in range(10):
            matrix @ block
        return (time.monotonic() - started) / (10 * _SIDE**2 * 80)

    return _known(ws, "product cpu", probe)


def _known(ws: Workspace, name: str, probe: Callable[[], float]) -> float:
    rate = ws.rates.get(name, probe)
    assert rate is not None  # a probe was given
    return rate


def _per_unit(seconds: Callable[[int], float], most: int, units: Callable[[int], int]) -> float:
    """Seconds per unit on the largest sample that takes a fraction of a second, so that overheads weigh as in the real run."""
    count = min(_FEW, most)
    taken = seconds(count)
    while taken < _SECONDS and count < min(TILE, most):
        count = min(2 * count, TILE, most)
        taken = seconds(count)
    return max(taken, 1e-6) / units(count)


def _timed(call: Callable[[int], object]) -> Callable[[int], float]:
    def seconds(count: int) -> float:
        started = time.monotonic()
        call(count)
        return time.monotonic() - started

    return seconds


def _warm(call: Callable[[], object]) -> float:
    """Seconds of the fastest of three calls: the first one may load libraries, and others may use the machine meanwhile."""
    seconds = _timed(lambda _: call())
    return min(seconds(0) for _ in range(3))


def _kernel_sample(model: ModelSpec, dtype: str, sample: Dataset, ws: Workspace) -> tuple[torch.nn.Module, torch.Tensor]:
    return network(model, sample, ws).to(ws.device, getattr(torch, dtype)), inputs_of(sample, dtype)[:TILE]


def _definite() -> np.ndarray:
    """A symmetric positive definite matrix."""
    factor = np.random.default_rng(0).standard_normal((_SIDE, _SIDE))
    return factor @ factor.T + np.eye(_SIDE)
