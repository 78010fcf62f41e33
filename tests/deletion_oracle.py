"""Kernel regression without a sample, by deleting it and beginning anew: slow, and sharing nothing with what is tested."""

from math import inf

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

TIMES = np.geomspace(1e-3, 1e3, 12)
"""Six decades of τ."""


def kernel(n: int, m: int, k: int = 0, seed: int = 0) -> tuple[NDArray, NDArray]:
    """Positive definite, of a spectrum that spans five decades: (n, n) and (m, n), or with k × k blocks."""
    generator = np.random.default_rng(seed)
    size, rows = (n + m) * max(k, 1), 3 * (n + m) * max(k, 1)
    features = generator.standard_normal((size, rows)) * np.geomspace(1, 10**-2.5, rows)
    whole = features @ features.T
    if k:
        whole = whole.reshape(n + m, k, n + m, k).transpose(0, 2, 1, 3)
    return whole[:n, :n], whole[n:, :n]


def problem(n: int, m: int, k: int, blocks: bool, seed: int = 0) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    train, test = kernel(n, m, k if blocks else 0, seed)
    generator = np.random.default_rng(seed + 1)
    return train, test, *(generator.standard_normal(shape) for shape in ((n, k), (n, k), (m, k)))


def matrix(values: NDArray) -> NDArray:
    if values.ndim == 2:
        return values
    a, b, k, _ = values.shape
    return values.transpose(0, 2, 1, 3).reshape(a * k, b * k)


def outputs(train: NDArray, test: NDArray, residual: NDArray, start: NDArray, ridge: float, time: float) -> NDArray:
    """``f_τ`` by a matrix function of A itself: nothing shared with what is tested."""
    k = residual.shape[1]
    blocks = train.ndim == 4
    a = matrix(train) + ridge * np.eye(len(matrix(train)))
    y = residual.reshape(-1, 1) if blocks else residual
    if time == inf:
        solved = scipy.linalg.solve(a, y, assume_a="pos")
    else:
        values, vectors = scipy.linalg.eigh(a)
        solved = vectors @ ((-np.expm1(-time * values) / values)[:, None] * (vectors.T @ y))
    return start + (matrix(test) @ solved).reshape(-1, k)


def brute(train: NDArray, test: NDArray, residual: NDArray, ridge: float, time: float) -> NDArray:
    """(m, n, k): delete, begin anew, subtract."""
    n, zero = len(train), np.zeros((len(test), residual.shape[1]))
    whole = outputs(train, test, residual, zero, ridge, time)
    found = []
    for i in range(n):
        rest = [j for j in range(n) if j != i]
        found.append(outputs(train[np.ix_(rest, rest)], test[:, rest], residual[rest], zero, ridge, time) - whole)
    return np.stack(found, 1)
