"""Unique information of every training image beside computing it removal by removal, in one run: seconds and ratios.

    python benchmarks/information.py [--n 1000] [--test 1000] [--full 200] [--threads 2] [--repeats 3] [--deletions 3]

First what the information page asks for, from a kernel that is there: F-SI of all n images over all held-out ones at one finite time, at
each further time, at the end of training; SI in the weights; and the same of a ten-class full kernel on fewer images. Then the peers: the
authors' way, which for each image powers I - η K without it (their code, in float32; `sample_info/modules/stability.py`) or takes a fresh
eigendecomposition (float64), timed on a few removals and scaled to n; and at the end of training the fairer one that downdates the
inverse (Unique-info §E), timed on all. The peers' scores are held against ours. Exits 1 where a limit in the last column is missed.

MNIST 4 and 9 with the pseudo-NTK of a network with one hidden layer of 1024 units, and ten digits with that of 256, from the data folder
(NTK_DATA_DIR). λ = 0 where a finite time allows it, as in the paper; τ = 0.002 are its 2000 steps at rate 0.001 of the averaged loss.
"""

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import scipy.linalg
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from influence import Report, seconds

from ntkcore.information import functional_course, functional_information, weight_information
from ntkcore.kernels import empirical_ntk
from ntkcore.regression import KernelRegression

STEPS, RATE = 2000, 0.001
RIDGE = 1e-2
"""λ at the end of training, where the kernel's rounding in float32 would be inverted else."""
MORE = 11
"""Further times, over the paper's and two decades on each side."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A kernel (n, n) or (n, n, k, k) on training images, one (m, n) or (m, n, k, k) with held-out ones, targets and outputs (n, k)."""

    said: str
    train: np.ndarray
    test: np.ndarray
    targets: np.ndarray
    start: np.ndarray

    @property
    def time(self) -> float:
        """τ of the paper's training."""
        return STEPS * RATE / len(self.targets)

    def regression(self, ridge: float = 0.0) -> KernelRegression:
        """Begun anew: nothing is decomposed yet."""
        return KernelRegression(self.train, self.targets, ridge, self.start)


def problem(classes: tuple[str, ...], n: int, m: int, width: int, full: bool) -> tuple[Problem, float]:
    """Real images and their kernel, and the seconds that the kernel took."""
    from ntkcore.data import load_dataset
    from ntkcore.models import build_model
    from ntkcore.settings import settings
    from ntkcore.specs import DatasetSpec, ModelSpec

    data = load_dataset(DatasetSpec(name="mnist", classes=classes, n=n + m), settings())
    spec = ModelSpec(architecture="fcn", width=width, depth=1)
    model = build_model(
        spec, input_shape=data.inputs.shape[1:], outputs=data.outputs, class_names=data.class_names, mean=data.mean, std=data.std
    )
    model.eval()
    x = torch.from_numpy(np.ascontiguousarray(data.inputs))
    outputs = "full" if full else "pseudo"
    kernels: list[np.ndarray] = []
    took = seconds(lambda: kernels.extend(empirical_ntk(model, *part, outputs=outputs).values for part in ((x[:n],), (x[n:], x[:n]))), 1)
    with torch.no_grad():
        start = model(x[:n]).double().numpy()
    which, form = (" and ".join(classes) or "ten digits"), ("full kernel" if full else "pseudo-NTK")
    said = f"MNIST {which}, {n:,} + {m:,}, {form}, {width} units"
    train, test = (kernel.astype(np.float64) for kernel in kernels)
    return Problem(said, train, test, data.targets[:n].astype(np.float64), start), took


def page(data: Problem, repeats: int, report: Report, limited: bool) -> None:
    """What the page asks for."""
    time = data.time
    first, other = (partial(report.limit, most=most) if limited else told for most in (10, 2))
    took = seconds(lambda: functional_information(data.regression(), data.test, time), repeats)
    first(f"F-SI of all at τ = {time:.3g}, with the decomposition", took)
    regression = data.regression()
    _ = regression.eigen
    times = [float(t) for t in np.geomspace(time / 100, time * 100, MORE)]
    took = seconds(lambda: functional_information(regression, data.test, 1.7 * time), repeats)
    other("  another time, alone", took)
    took = seconds(lambda: functional_course(regression, data.test, times), repeats) / MORE
    other(f"  each of {MORE} further times, asked for together", took)
    took = seconds(lambda: weight_information(regression, time), repeats)
    other("SI of all in the weights, another time", took)
    told("F-SI of all at τ = ∞, another λ", seconds(lambda: at_the_end(regression, data), repeats))
    told("F-SI of all at τ = ∞, from the kernel", seconds(lambda: at_the_end(data.regression(), data), repeats))


def told(what: str, took: float) -> None:
    """Seconds without a limit."""
    print(f"{what:78}{took:9.3f} s", flush=True)


def at_the_end(regression: KernelRegression, data: Problem) -> np.ndarray:
    """F-SI (n,) at τ = ∞."""
    return functional_information(regression.with_ridge(RIDGE), data.test)


def peers(data: Problem, repeats: int, deletions: int, report: Report) -> None:
    """The long ways."""
    n, time = len(data.targets), data.time
    few = [int(i) for i in np.linspace(0, n - 1, deletions)]
    mine = seconds(lambda: functional_information(data.regression(), data.test, time), repeats)
    scores = functional_information(data.regression(), data.test, time)
    found: dict[str, tuple[float, np.ndarray]] = {}
    for name, work in (("matrix powers in float32, as the authors' code", powered), ("a fresh eigendecomposition", decomposed)):
        got: list[np.ndarray] = []
        took = seconds(lambda work=work, got=got: got.append(work(data, few, time)), 1) * n / len(few)
        found[name] = took, got[0]
    for name, (took, values) in found.items():
        apart = np.abs(values / scores[few] - 1).max()
        print(f"{f'peer: {name}, {len(few)} removals scaled to {n:,}':78}{took:9.1f} s   scores within {apart:.1e} of ours", flush=True)
    report.ratio("  F-SI at a finite time over the faster of them", min(took for took, _ in found.values()) / mine, 100)

    ours = seconds(lambda: at_the_end(data.regression(), data), repeats)
    got = []
    theirs = seconds(lambda: got.append(downdated(data, RIDGE)), 1)
    apart = np.abs(got[0] / at_the_end(data.regression(), data) - 1).max()
    print(f"{f'peer: the inverse downdated, τ = ∞, all {n:,} removals':78}{theirs:9.1f} s   scores within {apart:.1e} of ours")
    print(f"{'  F-SI at the end of training over it':78}{theirs / ours:9.0f} x", flush=True)


def powered(data: Problem, few: list[int], time: float) -> np.ndarray:
    """F-SI of some images as the authors' code has it, but for the rate, which stays what it was before the removal: the inverse is
    downdated, and ``(I - η K)^t`` taken anew; t and η are the paper's."""
    kernel, test, y = (torch.from_numpy(part).float() for part in (data.train, data.test, data.targets - data.start))
    inverse, rate = torch.inverse(kernel), time / STEPS

    def shift(keep: torch.Tensor | slice, inverted: torch.Tensor) -> torch.Tensor:
        own = kernel[keep][:, keep]
        kept = torch.matrix_power(torch.eye(len(own)) - rate * own, STEPS)
        return test[:, keep] @ (inverted @ (y[keep] - kept @ y[keep]))

    whole, found = shift(slice(None), inverse), []
    for i in few:
        keep = torch.arange(len(kernel)) != i
        column = inverse[keep, i]
        moved = shift(keep, inverse[keep][:, keep] - torch.outer(column, column) / inverse[i, i]) - whole
        found.append(float(moved.square().sum(1).mean()) / 2)
    return np.array(found)


def decomposed(data: Problem, few: list[int], time: float) -> np.ndarray:
    """F-SI of some images, each by an eigendecomposition of the kernel without it."""
    y = data.targets - data.start

    def moved(keep: np.ndarray) -> np.ndarray:
        values, vectors = scipy.linalg.eigh(data.train[np.ix_(keep, keep)], driver="evd")
        safe = np.where(values > 0, values, 1.0)
        grown = np.where(values > 0, -np.expm1(-time * safe) / safe, time)
        return data.test[:, keep] @ (vectors @ (grown[:, None] * (vectors.T @ y[keep])))

    every = np.arange(len(y))
    whole = moved(every)
    return np.array([np.square(moved(np.delete(every, i)) - whole).sum(1).mean() / 2 for i in few])


def downdated(data: Problem, ridge: float) -> np.ndarray:
    """F-SI of all images at τ = ∞, each by a rank-one downdate of the inverse (Unique-info §E)."""
    n, y = len(data.targets), data.targets - data.start
    inverse = scipy.linalg.inv(data.train + ridge * np.eye(n))
    whole, found = data.test @ (inverse @ y), np.empty(n)
    for i in range(n):
        without = inverse - np.outer(inverse[:, i], inverse[i]) / inverse[i, i]  # its row and column i are 0
        found[i] = np.square(data.test @ (without @ y) - whole).sum(1).mean() / 2
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--full", type=int, default=200, help="images of the ten-class full kernel; 0 leaves it out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--deletions", type=int, default=3, help="removals timed of the slow peers")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    report = Report()
    data, took = problem(("4", "9"), options.n, options.test, 1024, False)
    print(data.said)
    told("kernel", took)
    page(data, options.repeats, report, limited=True)
    peers(data, options.repeats, options.deletions, report)
    if options.full:
        data, took = problem((), options.full, options.full, 256, True)
        print(f"\n{data.said}")
        told("kernel", took)
        page(data, options.repeats, report, limited=False)
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
