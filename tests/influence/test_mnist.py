"""Leave-one-out on MNIST 7 and 9, and on all ten classes, against deletion with a fresh eigendecomposition, in float64."""

from math import inf

import numpy as np
import pytest
import scipy.linalg
from deletion_oracle import TIMES

from ntkcore.data import load_dataset
from ntkcore.influence import kernel_influence
from ntkcore.kernels import two_layer_relu_ntk
from ntkcore.regression import KernelRegression
from ntkcore.settings import settings
from ntkcore.specs import DatasetSpec

N, M = 300, 20


def mnist(classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Kernels (n, n) and (m, n), targets (n, k) and (m, k)."""
    data = load_dataset(DatasetSpec(name="mnist", classes=classes, n=N + M), settings())
    x = data.inputs.reshape(N + M, -1).astype(np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = data.targets.astype(np.float64)
    return two_layer_relu_ntk(x[:N]), two_layer_relu_ntk(x[N:], x[:N]), y[:N], y[N:]


@pytest.mark.usefixtures("real_data", "cache")
@pytest.mark.parametrize("classes", [("7", "9"), ()], ids=["7 and 9", "all ten"])
@pytest.mark.parametrize("ridge", [1e-6, 1e-3, 1.0, 16.0])
def test_leave_one_out_on_mnist(classes: tuple[str, ...], ridge: float) -> None:
    train, test, y, y_test = mnist(classes)
    regression = KernelRegression(train, y, ridge)
    shifts = {time: regression.loo_shift(test, time) for time in (*TIMES, inf)}
    influences = {time: kernel_influence(regression, test, y_test, time) for time in (*TIMES, inf)}
    wrong: dict[float, list[float]] = {time: [] for time in shifts}

    def solved(rest: np.ndarray) -> dict[float, np.ndarray]:
        values, vectors = scipy.linalg.eigh(train[np.ix_(rest, rest)] + ridge * np.eye(len(rest)))
        turned, across = vectors.T @ y[rest], test[:, rest] @ vectors
        found = {time: across @ ((-np.expm1(-time * values) / values)[:, None] * turned) for time in TIMES}
        return found | {
            inf: test[:, rest] @ scipy.linalg.solve(train[np.ix_(rest, rest)] + ridge * np.eye(len(rest)), y[rest], assume_a="pos")
        }

    whole = solved(np.arange(N))
    scale = {time: np.linalg.norm(shift) / np.sqrt(N) for time, shift in shifts.items()}
    sizes = {time: np.linalg.norm(value) / np.sqrt(N) for time, value in influences.items()}
    for i in range(0, N, 20):  # fifteen deletions, each of the whole size
        without = solved(np.delete(np.arange(N), i))
        for time, shift in shifts.items():
            exact = without[time] - whole[time]
            loss = (np.square(without[time] - y_test).sum(1) - np.square(whole[time] - y_test).sum(1)) / 2
            wrong[time] += [
                float(np.linalg.norm(shift[:, i] - exact)) / scale[time],
                float(np.linalg.norm(influences[time][i] - loss)) / sizes[time],
            ]
    for time, errors in wrong.items():
        assert max(errors) < (1e-9 if time == inf else 1e-8), time
