"""Looking ahead over a whole pool beside doing it the long way, in one run: seconds, ratios, memory.

    OPENBLAS_NUM_THREADS=2 python benchmarks/active.py [--pool 6000] [--labelled 1000] [--classes 10] [--threads 2] [--repeats 3]

First the scores of every candidate from one factorisation, with a scalar kernel in float64 that is there already, the time of the
factorisation counted in each first one. Then a step of sequential choice: a label's update and the new scores. Then the peers, timed on a
few candidates and scaled: the kernel regression solved anew for each candidate, naive retraining of a small network for 15 epochs, and
scikit-activeml's expected-error reduction on the same features, where it is installed. Exits 1 where a limit in the last column is missed.

The samples are random clusters, the network's outputs near their classes; numpy, scipy and torch are enough.
"""

import argparse
import os
import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import scipy.linalg
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ntkcore.active import LookAhead, simplex, softmax
from ntkcore.kernels import two_layer_relu_ntk

_DIMENSION = 784
_RIDGE = 1e-2
_FEW = 3  # candidates timed of a peer, and scaled
_EPOCHS = 15  # of naive retraining (Thesis §2.4)


@dataclass(frozen=True, slots=True)
class Samples:
    """Labelled samples first, then the pool: x (n, d) of length 1, outputs (n, k), labels (l,), and the kernel's three parts."""

    x: np.ndarray
    outputs: np.ndarray
    labels: np.ndarray
    kernels: tuple[np.ndarray, np.ndarray, np.ndarray]

    def state(self) -> LookAhead:
        """Factorised anew."""
        first = len(self.labels)
        targets = np.eye(self.outputs.shape[1])[self.labels]
        return LookAhead(*self.kernels, self.outputs[:first], self.outputs[first:], targets, _RIDGE)


def samples(labelled: int, pool: int, classes: int) -> Samples:
    """Clusters, two a class."""
    generator, count = np.random.default_rng(0), labelled + pool
    cluster = generator.integers(0, 2 * classes, count)
    x = generator.standard_normal((2 * classes, _DIMENSION))[cluster] + generator.standard_normal((count, _DIMENSION))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    outputs = np.eye(classes)[cluster % classes] + 0.3 * generator.standard_normal((count, classes))
    first, rest = x[:labelled], x[labelled:]
    kernels = two_layer_relu_ntk(first), two_layer_relu_ntk(rest, first), two_layer_relu_ntk(rest)
    return Samples(x, outputs, cluster[:labelled] % classes, kernels)


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
        print(f"{what:86}{took:9.3f} s{most:11.1f} s", flush=True)

    def ratio(self, what: str, times: float, least: float) -> None:
        """A ratio that must be at least ``least``."""
        self.good &= times >= least
        print(f"{what:86}{times:9.0f} x{least:11.0f} x", flush=True)

    def said(self, what: str, took: float) -> None:
        """Seconds without a limit."""
        print(f"{what:86}{took:9.3f} s", flush=True)


def whole_pool(data: Samples, repeats: int, report: Report) -> float:
    """Every score of the whole pool; gives the seconds of MLMOC."""
    p = softmax(data.outputs[len(data.labels) :])
    sure = simplex(data.outputs[len(data.labels) :])
    both = seconds(lambda: (lambda state: (state.change(), state.expected_change(p)))(data.state()), repeats)
    report.limit("factorisation, MLMOC and EMOC", both, 2)
    first = seconds(lambda: data.state().change(), repeats)
    report.said("factorisation and MLMOC", first)
    state = data.state()
    report.limit("flips", seconds(state.flips, repeats), 5)
    report.said("MLMOC as printed, against the trained network", seconds(lambda: state.change(reference="network"), 1))

    asked = state

    def step() -> None:
        nonlocal asked  # each from the one before: what a state has computed is not asked for twice
        asked = asked.with_label(int(asked.change().argmax()), np.eye(data.outputs.shape[1])[0])

    report.limit("a sequential step: the best candidate, and the state after its label", seconds(step, max(5, repeats)), 0.3)
    report.limit("expected error (EER), projected on the simplex", seconds(lambda: state.expected_error(sure), 1), 120)
    report.limit("expected error (EER), softmax", seconds(lambda: state.expected_error(p, of="softmax"), 1), 120)
    return first


def full_kernel(labelled: int, pool: int, classes: int, repeats: int, report: Report) -> None:
    """The same with k x k blocks, of a kernel that mixes the outputs."""
    data = samples(labelled, pool, classes)
    mixed = np.random.default_rng(1).standard_normal((classes, 2 * classes)) / classes
    blocks = tuple(kernel[:, :, None, None] * (mixed @ mixed.T) for kernel in data.kernels)
    data = Samples(data.x, data.outputs, data.labels, blocks)
    report.said(f"full kernel, u k = {pool * classes:,}, {labelled} labels: factorisation", seconds(data.state, 1))
    state, p = data.state(), softmax(data.outputs[labelled:])
    report.said("  MLMOC", seconds(state.change, repeats))
    report.said("  EMOC", seconds(lambda: state.expected_change(p), 1))
    report.said("  flips", seconds(state.flips, repeats))


def refitted(data: Samples, i: int) -> float:
    """MLMOC of candidate ``i`` against the trained network, with the regression solved anew."""
    square, across, within = data.kernels
    first, outputs = len(data.labels), data.outputs
    a = np.block([[square, across[i][:, None]], [across[i], within[i, i]]]) + _RIDGE * np.eye(first + 1)
    targets = np.eye(outputs.shape[1])[np.r_[data.labels, outputs[first + i].argmax()]]
    solved = scipy.linalg.solve(a, targets - outputs[np.r_[:first, first + i]], assume_a="pos")
    return float(np.linalg.norm(across @ solved[:-1] + within[:, [i]] @ solved[-1:], axis=1).sum())


def peers(data: Samples, mlmoc: float, report: Report) -> None:
    """The long ways, scaled to the whole pool."""
    labelled, pool, classes = len(data.labels), len(data.outputs) - len(data.labels), data.outputs.shape[1]
    took = seconds(lambda: [refitted(data, i) for i in range(_FEW)], 1) * pool / _FEW
    report.said(f"the kernel regression anew for each candidate, from {_FEW}", took)
    report.ratio("  MLMOC over that", took / mlmoc, 1)
    x = torch.from_numpy(data.x).float()
    y = torch.from_numpy(np.eye(classes)[np.r_[data.labels, 0]]).float()

    def retrain() -> None:
        for i in range(_FEW):
            chosen = torch.cat([x[:labelled], x[labelled + i][None]])
            model = torch.nn.Sequential(torch.nn.Linear(_DIMENSION, 512), torch.nn.ReLU(), torch.nn.Linear(512, classes))
            descent = torch.optim.SGD(model.parameters(), 0.1, 0.9)
            for _ in range(_EPOCHS):
                for batch in torch.randperm(labelled + 1).split(64):
                    descent.zero_grad()
                    ((model(chosen[batch]) - y[batch]) ** 2).sum(1).mean().backward()
                    descent.step()
            with torch.no_grad():
                model(x[labelled:]).norm(dim=1).sum()

    took = seconds(retrain, 1) * pool / _FEW
    report.said(f"naive retraining for each candidate, 512 units, {_EPOCHS} epochs, from {_FEW}", took)
    report.ratio("  MLMOC over that", took / mlmoc, 1000)
    other = _peer_error(data)
    if other is None:
        print("scikit-activeml is not installed: it is among the requirements of the tests.")
    else:
        report.said(f"scikit-activeml's expected-error reduction for each candidate, from {_FEW}", other * pool)


def _peer_error(data: Samples) -> float | None:
    """Seconds of MonteCarloEER for a candidate more, for which a Parzen window classifier is refitted; what it takes once is left out."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from skactiveml.classifier import ParzenWindowClassifier
            from skactiveml.pool import MonteCarloEER
    except ImportError:
        return None
    y = np.r_[data.labels.astype(float), np.full(len(data.x) - len(data.labels), np.nan)]
    classifier = ParzenWindowClassifier(classes=range(data.outputs.shape[1]), random_state=0)

    def query(count: int) -> None:
        candidates = np.arange(len(data.labels), len(data.labels) + count)
        MonteCarloEER(random_state=0).query(data.x, y, clf=classifier, candidates=candidates)

    return (seconds(lambda: query(1 + _FEW), 1) - seconds(lambda: query(1), 1)) / _FEW


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=int, default=6000)
    parser.add_argument("--labelled", type=int, default=1000)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    report = Report()
    data = samples(options.labelled, options.pool, options.classes)
    print(f"random clusters: {options.labelled:,} labelled, a pool of {options.pool:,}, {options.classes} classes, float64")
    mlmoc = whole_pool(data, options.repeats, report)
    print(f"{'peak memory':86}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:9.2f} GiB")
    full_kernel(options.labelled // 10, options.pool // 6, options.classes, options.repeats, report)
    peers(data, mlmoc, report)
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
