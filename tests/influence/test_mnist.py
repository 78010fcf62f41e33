"""Leave-one-out on MNIST, 7 and 9 and all ten classes, scalar kernels and full eNTK blocks, against deletion in float64.

A deletion removes the sample's rows and columns from the kernel and begins anew: a fresh eigendecomposition of ``K + λ I`` for the finite
times, a fresh Cholesky solution for τ = ∞. Errors are relative to the root mean square, over training samples, of what is predicted.

The ten-class blocks of 300 images are a matrix of side 3000, of which the suite deletes three images at τ = ∞ and follows 40 images
through training. The soak deletes all 300 at τ = ∞ and fifteen of them at twelve times, at the smallest λ: about six minutes of one core.
"""

from collections.abc import Iterable, Sequence
from math import inf

import numpy as np
import pytest
import torch
from deletion_oracle import TIMES, followed
from numpy.typing import NDArray
from soaked import soaked

from ntkcore.data import load_dataset
from ntkcore.influence import kernel_influence
from ntkcore.kernels import empirical_ntk, two_layer_relu_ntk
from ntkcore.kernels.jax_backend import libraries
from ntkcore.models import build_model
from ntkcore.regression import KernelRegression
from ntkcore.settings import settings
from ntkcore.specs import DatasetSpec, ModelSpec

N, M = 300, 20
RIDGES = [1e-6, 1e-3, 1.0, 16.0]
PAIR, TEN = ("7", "9"), ()
EARLY = TIMES / 10  # a network's kernel is larger than the closed form's, and its training sooner over: six decades all the same

Problem = tuple[NDArray, NDArray, NDArray, NDArray]
pytestmark = pytest.mark.usefixtures("real_data", "cache")


def images(classes: tuple[str, ...], n: int) -> tuple[NDArray, NDArray, NDArray]:
    """Raw images (n + M, 1, 28, 28), targets (n + M, k) and labels."""
    data = load_dataset(DatasetSpec(name="mnist", classes=classes, n=n + M), settings())
    return data.inputs.astype(np.float64), data.targets.astype(np.float64), data.labels


def scalar(classes: tuple[str, ...]) -> Problem:
    """Closed form: kernels (n, n) and (m, n), targets (n, k) and (m, k)."""
    x, y, _ = images(classes, N)
    x = x.reshape(len(x), -1)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return two_layer_relu_ntk(x[:N]), two_layer_relu_ntk(x[N:], x[:N]), y[:N], y[N:]


def blocks(classes: tuple[str, ...], n: int) -> Problem:
    """Full eNTK of a small network with an output for each class: (n, n, k, k) and (m, n, k, k), targets one-hot."""
    x, _, labels = images(classes, n)
    k = len(classes) or 10
    model = build_model(ModelSpec(architecture="fcn", width=64, depth=2), input_shape=x.shape[1:], outputs=k, mean=[0.13], std=[0.31])
    model, x = model.double(), torch.from_numpy(x)
    y = np.eye(k)[labels]
    train, test = (empirical_ntk(model, *pair, outputs="full").values for pair in ((x[:n],), (x[n:], x[:n])))
    assert train.dtype == np.float64 and train.shape == (n, n, k, k)
    return train, test, y[:n], y[n:]


def check(problem: Problem, ridge: float, times: Sequence[float], deleted: Iterable[int]) -> None:
    """Shifts and influences at ``times`` and at τ = ∞, from the factor and from the eigenvectors, against each deletion."""
    train, test, y, y_test = problem
    n = len(y)
    regression = KernelRegression(train, y, ridge)
    found = {"the factor": (inf, regression.loo_shift(test), kernel_influence(regression, test, y_test))}
    if times:
        for time in times:
            found[f"τ = {time:.2g}"] = (time, regression.loo_shift(test, time), kernel_influence(regression, test, y_test, time))
        spectral = regression.with_ridge(ridge)  # which has the eigenvectors, and no factor
        found["the eigenvectors"] = (inf, spectral.loo_shift(test), kernel_influence(spectral, test, y_test))
    asked = [*times, inf]
    whole = followed(train, test, y, ridge, asked)
    wrong: dict[str, float] = dict.fromkeys(found, 0.0)
    for i in deleted:
        rest = np.delete(np.arange(n), i)
        without = followed(train[np.ix_(rest, rest)], test[:, rest], y[rest], ridge, asked)
        for name, (time, shift, influence) in found.items():
            exact = without[time] - whole[time]
            loss = (np.square(without[time] - y_test).sum(1) - np.square(whole[time] - y_test).sum(1)) / 2
            for ours, truth, everything in ((shift[:, i], exact, shift), (influence[i], loss, influence)):
                wrong[name] = max(wrong[name], float(np.linalg.norm(ours - truth) / (np.linalg.norm(everything) / np.sqrt(n))))
    print(f"λ = {ridge:g}, side {y.size if train.ndim == 4 else n}:", {name: f"{error:.1e}" for name, error in wrong.items()})
    for name, (time, _, _) in found.items():
        assert wrong[name] < (1e-9 if time == inf else 1e-8), name


@pytest.mark.parametrize("classes", [PAIR, TEN], ids=["7 and 9", "all ten"])
@pytest.mark.parametrize("ridge", RIDGES)
def test_leave_one_out_of_a_scalar_kernel(classes: tuple[str, ...], ridge: float) -> None:
    check(scalar(classes), ridge, list(TIMES), range(0, N, 20))


@pytest.mark.parametrize(("classes", "n"), [(PAIR, N), (TEN, 40)], ids=["7 and 9", "all ten"])
@pytest.mark.parametrize("ridge", soaked(RIDGES, RIDGES[0], RIDGES[-1]))
def test_leave_one_out_of_a_full_kernel(classes: tuple[str, ...], n: int, ridge: float) -> None:
    check(blocks(classes, n), ridge, list(EARLY), range(0, n, max(n // 15, 3)))


@pytest.mark.parametrize("ridge", soaked([RIDGES[0], RIDGES[-1]], RIDGES[0]))
def test_leave_one_out_of_the_full_kernel_of_all_ten(ridge: float) -> None:
    check(blocks(TEN, N), ridge, [], (0, 123, 299))


@pytest.mark.soak
@pytest.mark.parametrize("ridge", RIDGES[:1])
def test_all_of_the_full_kernel_of_all_ten(ridge: float) -> None:
    problem = blocks(TEN, N)
    check(problem, ridge, [], range(N))
    check(problem, ridge, list(EARLY), range(0, N, 20))


@pytest.mark.parametrize("classes", [PAIR, TEN], ids=["7 and 9", "all ten"])
@pytest.mark.parametrize("ridge", [0.0, 1.0])
def test_the_dynamics_of_a_full_kernel_are_neural_tangents(classes: tuple[str, ...], ridge: float) -> None:
    train, test, y, _ = blocks(classes, 40)
    start, start_test = (np.random.default_rng(seed).standard_normal(shape) for seed, shape in ((1, y.shape), (2, (M, y.shape[1]))))
    regression = KernelRegression(train, y, ridge, start)
    loaded = libraries()
    with loaded.double():
        # its loss is the mean over samples and outputs of ½(f - y)²: n k times as slow
        dynamics = loaded.nt.predict.gradient_descent_mse(
            train, y, learning_rate=1.0, diag_reg=ridge, diag_reg_absolute_scale=True, trace_axes=()
        )
        for time in EARLY[::3]:
            fit, predicted = dynamics(y.size * time, start, start_test, test)
            np.testing.assert_allclose(regression.predict(test, start_test, time), predicted, rtol=1e-8, atol=1e-8)
            if not ridge:  # with λ, neural-tangents' training outputs are those of another function
                np.testing.assert_allclose(regression.fitted(time), fit, rtol=1e-8, atol=1e-8)
