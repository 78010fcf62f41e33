"""Leave-one-out at every time and λ against deleting the sample and starting anew, in float64."""

from math import inf

import numpy as np
import pytest
from deletion_oracle import TIMES, brute, outputs, problem
from numpy.typing import NDArray

from ntkcore.errors import Cancelled, ComputationError
from ntkcore.kernels.jax_backend import libraries
from ntkcore.regression import KernelRegression
from ntkcore.regression.contour import windows

RIDGES = (1e-6, 1e-3, 1.0, 16.0)


def relative(found: NDArray, expected: NDArray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


CASES = [(40, 7, 1, False), (40, 7, 3, False), (16, 5, 3, True)]


@pytest.mark.parametrize("ridge", RIDGES)
@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_leave_one_out_equals_deletion(n: int, m: int, k: int, blocks: bool, ridge: float) -> None:
    train, test, y, start, start_test = problem(n, m, k, blocks)
    regression = KernelRegression(train, y, ridge, start)
    assert relative(regression.loo_shift(test), brute(train, test, y - start, ridge, inf)) < 1e-9
    for time in TIMES:
        assert relative(regression.loo_shift(test, time), brute(train, test, y - start, ridge, time)) < 1e-8
        assert relative(regression.predict(test, start_test, time), outputs(train, test, y - start, start_test, ridge, time)) < 1e-10


@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_many_times_share_nodes(n: int, m: int, k: int, blocks: bool) -> None:
    train, test, y, _, _ = problem(n, m, k, blocks, seed=3)
    regression = KernelRegression(train, y, 1e-3)
    times = [0.0, *np.geomspace(0.01, 100, 40), inf]
    found = {time: np.empty((m, n, k)) for time in times}
    for time, rows, shift in regression.shifts(test, times):
        found[time][rows] = shift
    assert sum(len(w.nodes) for w in windows(times[1:-1])) < 40 * 14 / 2
    assert not found[0.0].any()
    for time in times[1:]:
        assert relative(found[time], brute(train, test, y, 1e-3, time)) < 1e-8


@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_residuals_and_the_identity(n: int, m: int, k: int, blocks: bool) -> None:
    train, _, y, start, _ = problem(n, m, k, blocks)
    regression = KernelRegression(train, y, 0.5, start)
    residuals = regression.loo_residuals()
    for i in range(0, n, 5):
        rest = [j for j in range(n) if j != i]
        alone = outputs(train[np.ix_(rest, rest)], train[[i]][:, rest], (y - start)[rest], start[[i]], 0.5, inf)
        np.testing.assert_allclose(residuals[i], alone[0] - y[i], rtol=1e-9, atol=1e-9)
    if not blocks:  # f(x_i) - y_i = (1 - A_i) r_i
        leverage = np.diagonal(train @ np.linalg.inv(train + 0.5 * np.eye(n)))
        np.testing.assert_allclose(regression.fitted() - y, (1 - leverage)[:, None] * residuals, rtol=1e-9, atol=1e-10)
    for time in (0.3, inf):
        np.testing.assert_allclose(regression.fitted(time), outputs(train, train, y - start, start, 0.5, time), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_the_dynamics_are_neural_tangents(ridge: float) -> None:

    train, test, y, start, start_test = problem(25, 6, 2, False)
    regression = KernelRegression(train, y, ridge, start)
    loaded = libraries()
    with loaded.double():
        # its loss is the mean over samples and outputs of ½(f - y)²; its regulariser is scaled by the mean diagonal
        dynamics = loaded.nt.predict.gradient_descent_mse(train, y, learning_rate=1.0, diag_reg=ridge, diag_reg_absolute_scale=True)
        for time in (0.05, 1.0, 20.0):
            fit, predicted = dynamics(y.size * time, start, start_test, test)
            np.testing.assert_allclose(regression.predict(test, start_test, time), predicted, rtol=1e-8, atol=1e-8)
            if not ridge:
                np.testing.assert_allclose(regression.fitted(time), fit, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_groups_are_downdated(n: int, m: int, k: int, blocks: bool) -> None:
    train, test, y, start, _ = problem(n, m, k, blocks)
    regression = KernelRegression(train, y, 0.1, start)
    group = [1, 7, 3, 12]
    rest = [j for j in range(n) if j not in group]
    zero = np.zeros((m, k))
    whole = outputs(train, test, y - start, zero, 0.1, inf)
    without = outputs(train[np.ix_(rest, rest)], test[:, rest], (y - start)[rest], zero, 0.1, inf)
    np.testing.assert_allclose(regression.group_shift(group, test), without - whole, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(regression.group_shift([4], test), regression.loo_shift(test)[:, 4], rtol=1e-9, atol=1e-11)
    other = y.copy()
    other[group] = 2 - other[group]
    changed = outputs(train, test, other - start, zero, 0.1, inf)
    np.testing.assert_allclose(regression.relabel_shift(group, other[group], test), changed - whole, rtol=1e-9, atol=1e-10)


def test_a_new_ridge_shares_the_eigenvectors() -> None:
    train, test, y, _, _ = problem(30, 4, 2, False)
    first = KernelRegression(train, y, 0.1)
    vectors = first.eigen[1]
    second = first.with_ridge(2.0)
    assert second.eigen[1] is vectors
    assert relative(second.loo_shift(test, 0.7), brute(train, test, y, 2.0, 0.7)) < 1e-8
    assert relative(second.loo_shift(test), brute(train, test, y, 2.0, inf)) < 1e-9
    assert relative(first.loo_shift(test), brute(train, test, y, 0.1, inf)) < 1e-9


@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_eigenvectors_answer_as_the_cholesky_factor_does(n: int, m: int, k: int, blocks: bool) -> None:
    train, test, y, start, _ = problem(n, m, k, blocks)
    factor, spectral = (KernelRegression(train, y, 0.05, start) for _ in range(2))
    _ = spectral.eigen
    for ask in (
        lambda r: r.loo_shift(test),
        lambda r: r.fitted(),
        lambda r: r.loo_residuals(),
        lambda r: r.leverages(),
        lambda r: r.group_shift([3, 1, 8], test),
        lambda r: r.relabel_shift([2, 5], 1 - y[[2, 5]], test),
        lambda r: np.asarray([r.quadratic(), r.quadratic_of([0, 4])]),
    ):
        np.testing.assert_allclose(ask(spectral), ask(factor), rtol=1e-9, atol=1e-9)


def test_duplicates_without_a_ridge_are_refused_with_one_that_serves() -> None:
    train, test, y, _, _ = problem(20, 3, 1, False)
    order = [*range(20), 5]
    doubled, targets = train[np.ix_(order, order)], y[order]
    regression = KernelRegression(doubled, targets)
    with pytest.raises(ComputationError, match="singular") as error:
        regression.loo_shift(test[:, order])
    assert regression.predict(test[:, order], time=10.0).shape == (3, 1)  # finite times need no inverse
    _ = regression.eigen
    with pytest.raises(ComputationError, match="singular"):
        regression.with_ridge(0.0).loo_shift(test[:, order])
    suggested = float(str(error.value.remedy).split("at least ")[1].split(",")[0])
    assert np.isfinite(regression.with_ridge(suggested).loo_shift(test[:, order])).all()


def test_what_cannot_be_is_refused() -> None:
    train, test, y, _, _ = problem(10, 3, 2, False)
    with pytest.raises(ValueError, match="ridge"):
        KernelRegression(train, y, -1.0)
    with pytest.raises(ValueError, match="targets"):
        KernelRegression(train, y[:4])
    with pytest.raises(ValueError, match="time"):
        KernelRegression(train, y, 1.0).predict(test, time=-1.0)
    with pytest.raises(ValueError, match="k_test_train"):
        KernelRegression(train, y, 1.0).predict(test[:, :4])
    with pytest.raises(ValueError, match="indices"):
        KernelRegression(train, y, 1.0).group_shift([1, 1], test)
    with pytest.raises(ComputationError, match="any training image"):
        KernelRegression(train, y, 1.0).group_shift(range(10), test)
    with pytest.raises(ComputationError, match="NaN"):
        KernelRegression(train, y, 1.0).predict(np.full_like(test, np.nan))
    with pytest.raises(ComputationError, match="not a kernel"):
        KernelRegression(train - 2 * np.diag(np.diagonal(train)), y, 1.0).predict(test, time=1.0)
    with pytest.raises(ValueError, match="times"):
        windows([0.0])


def test_a_long_computation_can_be_cancelled() -> None:
    train, test, y, _, _ = problem(30, 3, 1, False)

    def stop() -> None:
        raise Cancelled

    regression = KernelRegression(train, y, 1.0, waiting=stop)
    with pytest.raises(Cancelled):
        _ = regression.resolvent
    with pytest.raises(Cancelled):
        regression.loo_shift(test, 1.0)
