"""Leave-one-out influence beside doing it the long way, in one run: seconds, ratios, memory.

    python benchmarks/influence.py [--dataset mnist] [--n 5000] [--test 1000] [--threads 2] [--repeats 3]

First the steps on which the influence page stands, on images scaled to length 1 with the two-layer kernel: kernel, factorisation and all
influences at the end of training, another λ, another τ for one held-out sample and for all of 1000 x 1000. Then the peers, timed on a few
deletions and scaled: a fresh eigendecomposition without each sample, and LiSSA on a two-layer network, pair by pair. Exits 1 where a limit
in the last column is missed.

The images are MNIST 7 and 9, or CIFAR-10 automobile and airplane, from the data folder (NTK_DATA_DIR). Where MNIST is not, random clusters
take their place, and the first line says so; they need numpy, scipy and torch alone.
"""

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import scipy.linalg
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ntkcore.influence import Lissa, System, ihvp_network, kernel_influence
from ntkcore.kernels import two_layer_relu_ntk
from ntkcore.models.two_layer import TwoLayerReLU
from ntkcore.regression import KernelRegression

TIMES = np.geomspace(1e-2, 1e4, 12)
CLASSES = {"mnist": ("7", "9"), "cifar10": ("automobile", "airplane")}
_DIMENSION = 784  # of random samples
_DELETIONS = 5  # timed of the peer, and scaled


@dataclass(frozen=True, slots=True)
class Samples:
    """Training and held-out samples: x (n, d) and z (m, d) of length 1, y (n, 1) and y_test (m, 1) of ±1."""

    x: np.ndarray
    z: np.ndarray
    y: np.ndarray
    y_test: np.ndarray

    def first(self, n: int, m: int) -> "Samples":
        """The first of both."""
        return Samples(self.x[:n], self.z[:m], self.y[:n], self.y_test[:m])


def samples(dataset: str | None, n: int, m: int) -> Samples:
    """Samples of a data set; None: of MNIST where it is there, else random. Says which."""
    x, y, said = random_clusters(n + m) if dataset == "random" else images(dataset, n + m)
    print(f"{said}: {n:,} to train on, {m:,} held out")
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return Samples(x[:n], x[n:], y[:n], y[n:])


def random_clusters(count: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Random samples in clusters, as images are, with random labels."""
    generator = np.random.default_rng(1)
    x = generator.standard_normal((20, _DIMENSION))[generator.integers(0, 20, count)] + 0.7 * generator.standard_normal((count, _DIMENSION))
    return x, np.sign(generator.standard_normal((count, 1))), "random clusters"


def images(dataset: str | None, count: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Images of two classes, drawn at random; random samples instead where none were asked for by name and there are none."""
    from ntkcore.data import load_dataset  # with pydantic, which a bare machine need not have
    from ntkcore.errors import DataMissing
    from ntkcore.settings import settings
    from ntkcore.specs import DatasetSpec

    name = dataset or "mnist"
    try:
        data = load_dataset(DatasetSpec(name=name, classes=CLASSES[name], n=count), settings())
    except DataMissing:
        if dataset is not None:
            raise
        x, y, said = random_clusters(count)
        return x, y, f"{said}, for MNIST is not in the data folder (NTK_DATA_DIR)"
    return data.inputs.reshape(count, -1).astype(np.float64), data.targets.astype(np.float64), f"{name} {' and '.join(CLASSES[name])}"


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median of several runs."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


class Report:
    """Prints a row for each figure and keeps whether all were good."""

    good = True

    def limit(self, what: str, took: float, most: float) -> None:
        """Seconds that must not exceed ``most``."""
        self.good &= took <= most
        print(f"{what:78}{took:9.3f} s{most:11.1f} s", flush=True)

    def ratio(self, what: str, times: float, least: float) -> None:
        """A ratio that must be at least ``least``."""
        self.good &= times >= least
        print(f"{what:78}{times:9.0f} x{least:11.0f} x", flush=True)


def page(data: Samples, repeats: int, report: Report) -> None:
    """What the page asks for."""
    x, z, y, y_test = data.x, data.z, data.y, data.y_test
    n, m = len(x), len(z)
    kernels: list[np.ndarray] = []
    report.limit(f"kernel, {n:,} x {n:,} and {m:,} x {n:,}", seconds(lambda: kernels.extend(_kernels(x, z)), 1), 10)
    train, test = kernels
    regression = KernelRegression(train, y, 1.0)
    took = seconds(lambda: kernel_influence(KernelRegression(train, y, 1.0), test, y_test), repeats)
    report.limit(f"factorisation and all {n:,} x {m:,} influences", took, 15)
    report.limit("eigendecomposition, once", seconds(lambda: regression.eigen, 1), 600)
    report.limit("another λ: all influences", seconds(lambda: kernel_influence(regression.with_ridge(0.3), test, y_test), repeats), 3)
    one = seconds(lambda: kernel_influence(regression, test[:1], y_test[:1], 3.0), repeats)
    report.limit("another τ, one held-out sample", one, 0.3)
    few, some = KernelRegression(train[:1000, :1000], y[:1000], 1.0), test[:1000, :1000]
    _ = few.eigen
    took = seconds(lambda: kernel_influence(few, some, y_test[:1000], 3.0), repeats)
    report.limit(f"another τ, all of {some.shape[1]:,} x {some.shape[0]:,}", took, 2)


def _kernels(x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return two_layer_relu_ntk(x), two_layer_relu_ntk(z, x)


def peers(data: Samples, repeats: int, report: Report) -> None:
    """The long ways."""
    x, z, y, y_test = data.x, data.z, data.y, data.y_test
    n, m = len(x), len(z)
    train, test = _kernels(x, z)

    def ours() -> None:
        for _ in KernelRegression(train, y, 1e-3).shifts(test, list(TIMES)):
            pass

    def theirs() -> None:
        for i in range(_DELETIONS):
            rest = np.delete(np.arange(n), i)
            values, vectors = scipy.linalg.eigh(train[np.ix_(rest, rest)] + 1e-3 * np.eye(n - 1))
            for moment in TIMES:
                test[:, rest] @ (vectors @ ((-np.expm1(-moment * values) / values)[:, None] * (vectors.T @ y[rest])))

    mine, other = seconds(ours, repeats), seconds(theirs, 1) * n / _DELETIONS
    print(f"{f'all {n:,} leave-one-out trajectories, 12 times, {m} samples':78}{mine:9.3f} s   peer {other:.0f} s")
    report.ratio("  over an eigendecomposition for each deletion", other / mine, 100)

    few = 2
    inputs, targets = torch.from_numpy(x).float(), torch.from_numpy(y).float()
    model = TwoLayerReLU(x.shape[1], 1024, kappa=0.1).eval()
    lissa = seconds(
        lambda: ihvp_network(model, inputs, targets, torch.from_numpy(z[:few]).float(), torch.from_numpy(y_test[:few]).float(), LISSA), 1
    ) / (n * few)
    pair = seconds(lambda: kernel_influence(KernelRegression(train, y, 1.0), test, y_test, inf), repeats) / (n * m)
    report.ratio("influence per pair over LiSSA on a two-layer network of 1024 units", lissa / pair, 100)


LISSA = System(1.0, "gauss-newton", Lissa(repeats=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=[*CLASSES, "random"], help="default: mnist, or random where it is not there")
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    report = Report()
    data = samples(options.dataset, options.n, options.test)
    page(data, options.repeats, report)
    print(f"{'peak memory':78}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:9.2f} GiB")
    peers(data.first(1000, 100), options.repeats, report)
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
