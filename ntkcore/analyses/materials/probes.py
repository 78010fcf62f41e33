"""Rates of work this machine has never done: each timed once on a small sample (:mod:`ntkcore.analyses.rates`)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ntkcore.analyses.materials.network import network, plain_head, rate_name, training_work
from ntkcore.analyses.materials.tiles import TILE, inputs_of, kernel_rate_names, tile_side
from ntkcore.analyses.rates import clocked
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.kernels import Compression, ntk_diagonal
from ntkcore.kernels.engine import Engine
from ntkcore.kernels.features import Block
from ntkcore.linalg import SMALL, eigh, eigvalsh
from ntkcore.models import train
from ntkcore.regression import fit_predict
from ntkcore.specs import ModelSpec, Outputs, TrainingSpec

VALUES_RATE = "eigenvalues cpu"  # remembered rate: seconds per (side of the matrix)³
SOLVE_RATE = "regression cpu"  # the same
START = 0.4  # seconds until a process of its own has begun to decompose a large matrix
_FEW = 16  # images in the first sample on which unknown work is timed
_SECONDS = 0.15  # a sample this slow is large enough
_AGAIN = 3  # times that a sample is timed: others may use the machine meanwhile, which only slows
_WIDE = 2**27  # bytes of the gradients whose products are timed, at most
_SIDE = 400  # of the matrices whose solutions are timed
_DECOMPOSED = 800  # and whose eigenvectors are found: of smaller ones each n³ takes twice as long


def training_rate(training: TrainingSpec, model: ModelSpec, n: int, sample: Dataset, ws: Workspace) -> float:
    """Seconds an image and epoch of training n images, of which ``sample`` are the first."""

    def epoch(count: int) -> float:
        batch = min(training.batch_size or count, count)
        few = TrainingSpec(epochs=3, learning_rate=1e-6, batch_size=max(batch, 2))
        epochs = train(network(plain_head(model), sample, ws), sample.inputs[:count], sample.targets[:count], few, device=ws.device)
        seconds = _timed(lambda _: next(epochs), ws)
        return min([seconds(0) for _ in range(1 + few.epochs)][2:])  # the first epoch warms up

    name = rate_name(training_work(training, n), model, sample, ws.device)
    return _known(ws, name, lambda: _per_unit(epoch, sample.n, lambda count: count))


def diagonal_rate(model: ModelSpec, dtype: str, sample: Dataset, ws: Workspace) -> float:
    """Seconds an image of k(x,x)."""

    def probe() -> float:
        module, inputs = _kernel_sample(model, dtype, sample, ws)
        return _per_unit(_timed(lambda count: ntk_diagonal(module, inputs[:count], device=ws.device), ws), len(inputs), lambda count: count)

    return _known(ws, rate_name(f"diagonal-{dtype}", model, sample, ws.device), probe)


@dataclass(frozen=True, slots=True)
class KernelRates:
    """Seconds an image, for its gradients, and seconds a pair of images of a kernel."""

    image: float
    pair: float

    def seconds(self, images: int, pairs: int) -> float:
        """Of a kernel of so many pairs of so many images."""
        return self.image * images + self.pair * pairs


def kernel_rates(
    outputs: Outputs, model: ModelSpec, dtype: str, sample: Dataset, ws: Workspace, compression: Compression | None = None
) -> KernelRates:
    """The rates of a kernel; when they are unknown, gradients and their products are timed, each by itself."""

    def probe() -> tuple[float, float]:
        module, inputs = _kernel_sample(model, dtype, sample, ws)
        engine = Engine(module, inputs, ws.device, outputs=outputs)
        engine.compress(compression)
        side = min(tile_side(outputs, sample.outputs, dtype), len(inputs))
        made: list[Block] = []

        def gradients(count: int) -> float:
            made[:] = [engine.block(inputs[:count], None)]
            return _products(engine, made[0].part(0, 1), made[0].part(0, 1))  # waits for a GPU

        _timed(gradients, ws)(min(2, side))  # the first run may load libraries and start threads
        image = _per_unit(_timed(gradients, ws), side, lambda count: count)
        times = max(1, min(side, _WIDE // engine.pair_bytes()) // made[0].samples)
        wide = Block(tuple(type(part).stacked([part] * times) for part in made[0].parts), times * made[0].samples, made[0].per_sample)

        def products(rows: Block) -> float:
            again = rows.part(0, rows.samples)  # of a block with itself half the products would do
            return _best(lambda: _products(engine, again, wide), ws) / (rows.samples * wide.samples)

        pair = products(made[0])
        return image, products(wide) if pair * wide.samples**2 < 4 * _SECONDS else pair  # small products are slow

    names = kernel_rate_names(outputs, dtype, model, sample, ws.device, compression is not None)
    found = ws.rates.all_of(names, probe)
    assert found is not None  # a probe was given
    return KernelRates(*found)


def _products(engine: Engine, rows: Block, columns: Block) -> float:
    """A tile of a kernel; its first entry."""
    return float(engine.gram(rows, columns).cpu()[0, 0])


def decomposition(side: int, ws: Workspace) -> float:
    """Seconds of all eigenvalues and eigenvectors of a kernel."""
    return 0.02 + decomposition_rate(ws) * side**3 + (START if side > SMALL else 0.0)


def decomposition_rate(ws: Workspace) -> float:
    """Seconds per n³ of all eigenvalues and eigenvectors, on the device."""

    def probe() -> float:
        matrix = _definite(_DECOMPOSED)
        if ws.device == "cpu":
            return _best(lambda: eigh(matrix), ws) / _DECOMPOSED**3
        there = torch.from_numpy(matrix).to(ws.device)
        return _best(lambda: torch.linalg.eigh(there)[0].cpu(), ws) / _DECOMPOSED**3

    return _known(ws, f"spectrum {ws.device}", probe)


def eigenvalues_rate(ws: Workspace) -> float:
    """Seconds per n³ of all eigenvalues alone."""

    def probe() -> float:
        matrix = _definite()
        return _best(lambda: eigvalsh(matrix), ws) / _SIDE**3

    return _known(ws, VALUES_RATE, probe)


def regression_rate(ws: Workspace) -> float:
    """Seconds per n³ of a kernel regression, n the side of its system."""

    def probe() -> float:
        matrix, y = _definite(), np.ones((_SIDE, 1))
        return _best(lambda: fit_predict(matrix, matrix[:1], y, y, y[:1]), ws) / _SIDE**3

    return _known(ws, SOLVE_RATE, probe)


def product_rate(ws: Workspace) -> float:
    """Seconds per multiplication of a float64 matrix product, as the coupled dynamics do."""

    def probe() -> float:
        matrix = np.random.default_rng(0).standard_normal((_SIDE, _SIDE))
        block = matrix[:, :80] @ matrix[:80, :80]
        return _best(lambda: [matrix @ block for _ in range(10)], ws) / (10 * _SIDE**2 * 80)

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
    again = _AGAIN - 1 if taken < 4 * _SECONDS else 1
    return max(min(taken, *(seconds(count) for _ in range(again))), 1e-6) / units(count)


def _timed(call: Callable[[int], object], ws: Workspace) -> Callable[[int], float]:
    def seconds(count: int) -> float:
        with clocked(ws.device) as taken:
            call(count)
        return taken.alone

    return seconds


def _best(call: Callable[[], object], ws: Workspace) -> float:
    """Seconds of the fastest call of a few, after one that may load libraries; of a slow one there is none to follow."""
    seconds, found = _timed(lambda _: call(), ws), []
    for _ in range(1 + _AGAIN):
        found.append(seconds(0))
        if sum(found) > 8 * _SECONDS:
            break
    return min(found)


def _kernel_sample(model: ModelSpec, dtype: str, sample: Dataset, ws: Workspace) -> tuple[torch.nn.Module, torch.Tensor]:
    return network(plain_head(model), sample, ws).to(ws.device, getattr(torch, dtype)), inputs_of(sample, dtype)[:TILE]


def _definite(side: int = _SIDE) -> np.ndarray:
    """A symmetric positive definite matrix."""
    factor = np.random.default_rng(0).standard_normal((side, side))
    return factor @ factor.T + np.eye(side)
