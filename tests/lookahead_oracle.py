"""Looking ahead the long way: the kernel regression solved anew for each candidate and each label; shares nothing with what is tested."""

from collections.abc import Sequence
from dataclasses import dataclass

import deletion_oracle
import numpy as np
import scipy.linalg
import scipy.special
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

EPS = float(np.finfo(np.float64).eps)
DENSE = 400  # rows up to which all eigenvalues are sooner found than two


@dataclass(frozen=True)
class Problem:
    """Labelled samples first, then the pool: kernel (n, n) or (n, n, k, k) of all, outputs f (n, k), targets (l, k), λ."""

    kernel: NDArray
    outputs: NDArray
    targets: NDArray
    ridge: float

    @property
    def labelled(self) -> int:
        return len(self.targets)

    @property
    def pooled(self) -> int:
        return len(self.outputs) - self.labelled

    @property
    def k(self) -> int:
        return self.targets.shape[1]

    def arguments(self) -> dict:
        """Of LookAhead."""
        n, values = self.labelled, self.kernel
        return {
            "k_labelled": values[:n, :n],
            "k_pool_labelled": values[n:, :n],
            "k_pool": values[n:, n:],
            "f_labelled": self.outputs[:n],
            "f_pool": self.outputs[n:],
            "targets": self.targets,
            "ridge": self.ridge,
        }

    def asked(self, candidates: Sequence[int], targets: NDArray) -> "Problem":
        """The problem in which some of the pool are labelled."""
        gone = self.labelled + np.asarray(candidates, dtype=int)
        order = np.concatenate([np.arange(self.labelled), gone, np.setdiff1d(np.arange(self.labelled, len(self.outputs)), gone)])
        return Problem(self.kernel[np.ix_(order, order)], self.outputs[order], np.concatenate([self.targets, targets]), self.ridge)


def problem(labelled: int, pooled: int, k: int, blocks: bool, ridge: float, *, seed: int = 0, smooth: bool = False) -> Problem:
    """Random outputs near random one-hot targets, or ±1. ``smooth``: a Gaussian kernel, whose condition is that of rounding."""
    generator, n = np.random.default_rng(seed), labelled + pooled
    if smooth:
        x = generator.standard_normal((n, 2))
        kernel = np.exp(-np.square(x[:, None] - x[None]).sum(2) / 2)
        if blocks:
            mixed = generator.standard_normal((k, 2 * k))
            kernel = kernel[:, :, None, None] * (mixed @ mixed.T)
    else:
        kernel = deletion_oracle.kernel(n, 0, k if blocks else 0, seed)[0]
    labels = generator.integers(0, max(k, 2), n)
    coded = 2.0 * labels[:, None] - 1 if k == 1 else np.eye(k)[labels]
    return Problem(kernel, coded + 0.4 * generator.standard_normal(coded.shape), coded[:labelled], ridge)


def codes(k: int) -> NDArray:
    """Targets (classes, k) of each class."""
    return np.array([[-1.0], [1.0]]) if k == 1 else np.eye(k)


def fitted(given: Problem, candidate: int | None = None, targets: NDArray | None = None) -> tuple[NDArray, float]:
    """``f^lin`` (t, u, k) of the pool after a candidate has each of the ``targets`` (t, k), or of nothing more (1, u, k); and κ."""
    chosen = list(range(given.labelled)) + ([] if candidate is None else [given.labelled + candidate])
    wanted = np.stack([given.targets] if targets is None else [np.vstack([given.targets, one]) for one in targets])
    a = deletion_oracle.matrix(given.kernel[np.ix_(chosen, chosen)])
    a = a + given.ridge * np.eye(len(a))
    across = deletion_oracle.matrix(given.kernel[given.labelled :][:, chosen])
    y = wanted - given.outputs[chosen]
    right = y.reshape(len(wanted), -1).T if given.kernel.ndim == 4 else y.transpose(1, 0, 2).reshape(len(chosen), -1)
    solved = across @ scipy.linalg.solve(a, right, assume_a="pos")
    if given.kernel.ndim == 4:
        moved = solved.T.reshape(len(wanted), given.pooled, given.k)
    else:
        moved = solved.reshape(given.pooled, len(wanted), given.k).transpose(1, 0, 2)
    return given.outputs[given.labelled :] + moved, condition(a)


def condition(a: NDArray) -> float:
    """λ_max / λ_min; of a large matrix by Lanczos, which never says more than it is."""
    if len(a) <= DENSE:
        values = scipy.linalg.eigvalsh(a)
        return float(values[-1] / max(values[0], EPS * values[-1]))
    factor = scipy.linalg.cho_factor(a)
    inverse = LinearOperator(a.shape, matvec=lambda v: scipy.linalg.cho_solve(factor, v), dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(len(a))
    largest, smallest = (eigsh(of, k=1, which="LA", v0=start, tol=1e-3, return_eigenvectors=False)[0] for of in (a, inverse))
    return float(largest * smallest)


def tolerance(kappa: float) -> float:
    """Relative: a backward stable solve errs by a few ε κ, of which 1e-9 leaves 100 at κ = 5e4."""
    return 1e-9 if kappa <= 1e5 else 100 * EPS * kappa


def scored(outputs: NDArray) -> NDArray:
    """Of one output, one number for each of two classes whose sum is 1."""
    return np.concatenate([1 - outputs, 1 + outputs], axis=-1) / 2 if outputs.shape[-1] == 1 else outputs


def classes(outputs: NDArray) -> NDArray:
    return scored(outputs).argmax(-1)


def simplex(outputs: NDArray) -> NDArray:
    """Euclidean projection by sorting (Held, Wolfe & Crowder 1974)."""
    values = scored(outputs)
    falling = -np.sort(-values, axis=-1)
    excess = (np.cumsum(falling, axis=-1) - 1) / np.arange(1, values.shape[-1] + 1)
    size = (falling > excess).sum(-1, keepdims=True)
    return np.maximum(values - np.take_along_axis(excess, size - 1, -1), 0)


def softmax(outputs: NDArray) -> NDArray:
    return scipy.special.softmax(np.concatenate([-outputs, outputs], -1) if outputs.shape[-1] == 1 else outputs, axis=-1)


@dataclass
class Scores:
    """By refitting for every candidate: each (u,), ``conditions`` of the enlarged matrices.

    ``flips`` come with ``ties``: how many classes are decided by less than what rounding may move.
    """

    change: NDArray
    printed: NDArray
    expected_change: NDArray
    expected_printed: NDArray
    simplex_error: NDArray
    softmax_error: NDArray
    flips: NDArray
    ties: NDArray
    conditions: NDArray


def scores(given: Problem, p: NDArray) -> Scores:
    """For the label that the network takes each candidate for, and in expectation over ``p`` (u, classes)."""
    now, own = fitted(given)[0][0], given.outputs[given.labelled :]
    likely, names = classes(own), codes(given.k)
    rows = []
    for i in range(given.pooled):
        after, kappa = fitted(given, i, names)  # (classes, u, k)
        moved, printed = (np.linalg.norm(after - reference, axis=2).sum(1) for reference in (now, own))
        errors = [scipy.special.entr(way(after)).sum((1, 2)) @ p[i] for way in (simplex, softmax)]
        sure = scored(after[likely[i]])
        gap = np.diff(np.sort(sure, 1)[:, -2:], axis=1)[:, 0]
        near = (gap <= tolerance(kappa) * np.abs(sure).max()).sum()
        changed = (classes(after[likely[i]]) != classes(now)).sum()
        rows.append([moved[likely[i]], printed[likely[i]], moved @ p[i], printed @ p[i], *errors, changed, near, kappa])
    return Scores(*np.array(rows).T)


def require_close(found: NDArray, expected: NDArray, conditions: NDArray) -> None:
    """Relative to each number, by the condition of its matrix."""
    allowed = np.array([tolerance(kappa) for kappa in conditions]) * np.abs(expected)
    worst = np.argmax(np.abs(found - expected) / allowed)
    assert (np.abs(found - expected) <= allowed).all(), (found[worst], expected[worst], conditions[worst])
