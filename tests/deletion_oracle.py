"""Kernel regression without a sample, by deleting it and beginning anew: slow, and sharing nothing with what is tested."""

from collections.abc import Sequence
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


def followed(train: NDArray, test: NDArray, residual: NDArray, ridge: float, times: Sequence[float]) -> dict[float, NDArray]:
    """``f_τ - f0`` (m, k) at each time by a matrix function of A itself: nothing shared with what is tested."""
    blocks, k = train.ndim == 4, residual.shape[1]
    a, across = matrix(train) + ridge * np.eye(len(matrix(train))), matrix(test)
    y = residual.reshape(-1, 1) if blocks else residual
    found = {time: across @ scipy.linalg.solve(a, y, assume_a="pos") for time in times if time == inf}
    if finite := [time for time in times if time < inf]:
        values, vectors = scipy.linalg.eigh(a)
        turned, across = vectors.T @ y, across @ vectors
        found |= {time: across @ ((-np.expm1(-time * values) / values)[:, None] * turned) for time in finite}
    return {time: values.reshape(-1, k) for time, values in found.items()}


def outputs(train: NDArray, test: NDArray, residual: NDArray, start: NDArray, ridge: float, time: float) -> NDArray:
    """``f_τ`` (m, k)."""
    return start + followed(train, test, residual, ridge, [time])[time]


def brute(train: NDArray, test: NDArray, residual: NDArray, ridge: float, time: float) -> NDArray:
    """(m, n, k): delete, begin anew, subtract."""
    n, zero = len(train), np.zeros((len(test), residual.shape[1]))
    whole = outputs(train, test, residual, zero, ridge, time)
    found = []
    for i in range(n):
        rest = [j for j in range(n) if j != i]
        found.append(outputs(train[np.ix_(rest, rest)], test[:, rest], residual[rest], zero, ridge, time) - whole)
    return np.stack(found, 1)
