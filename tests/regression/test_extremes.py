"""Leave-one-out at the edges: one sample, no influence at all, short and long times, large and small λ, kernels of low rank."""

from math import inf

import numpy as np
import pytest
import scipy.linalg
from deletion_oracle import brute, outputs, problem
from numpy.typing import NDArray

from ntkcore.errors import ComputationError
from ntkcore.regression import KernelRegression
from ntkcore.regression.contour import windows
from ntkcore.regression.resolvent import require_regular


def relative(found: NDArray, expected: NDArray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("time", [1e-2, 1.0, inf])
@pytest.mark.parametrize(("k", "blocks"), [(1, False), (3, False), (1, True), (3, True)])
def test_one_sample_and_two(k: int, blocks: bool, time: float) -> None:
    """Without the only sample the prior remains."""
    for n in (1, 2):
        train, test, y, start, start_test = problem(n, 4, k, blocks)
        regression = KernelRegression(train, y, 0.1, start)
        zero = np.zeros_like(start_test)
        expected = -outputs(train, test, y - start, zero, 0.1, time)[:, None] if n == 1 else brute(train, test, y - start, 0.1, time)
        assert relative(regression.loo_shift(test, time), expected) < (1e-12 if time == inf else 1e-9)
        assert regression.leverages().shape == ((n, k, k) if blocks else (n,))
    np.testing.assert_allclose(KernelRegression(train[:1, :1], y[:1], 0.1, start[:1]).loo_residuals(), (start - y)[:1], rtol=1e-12)


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_the_first_moment_is_the_kernel_times_the_target(ridge: float) -> None:
    """``f_τ ≈ τ K(x, X) y`` for τ ‖A‖ ≪ 1, so that the removal of i takes ``τ K(x, x_i) y_i``."""
    train, test, y, _, _ = problem(12, 4, 2, False)
    regression = KernelRegression(train, y, ridge)
    size = np.linalg.norm(train, 2)
    for time in (1e-9, 1e-30, 1e-100):
        expected = -time * test[:, :, None] * y
        assert relative(regression.loo_shift(test, time), expected) < 1e-9 + 10 * time * size
        assert relative(regression.predict(test, time=time), time * test @ y) < 1e-12 + 10 * time * size
    for time in (1e-101, 5e-324, 1e101):
        with pytest.raises(ValueError, match="from 1e-100 to 1e\\+100"):
            regression.loo_shift(test, time)


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_a_very_long_time_is_the_end(ridge: float) -> None:
    train, test, y, _, _ = problem(12, 4, 2, False)
    regression = KernelRegression(train, y, ridge)
    ended = brute(train, test, y, ridge, inf)
    for time in (1e9, 1e12, 1e100):
        assert relative(regression.loo_shift(test, time), ended) < 1e-10
    assert len(windows([1e-100, 1e100])) == 2


def doubled() -> tuple[NDArray, NDArray, NDArray]:
    """Sample 12 repeats sample 5 with the opposite label."""
    train, test, y, _, _ = problem(12, 4, 1, False)
    order = [*range(12), 5]
    y = y[order]
    y[12] = -y[5]
    return train[np.ix_(order, order)], test[:, order], y


@pytest.mark.parametrize("time", [1.0, 1e3, inf])
@pytest.mark.parametrize("ridge", [1e-6, 1e-3, 1.0, 1e6])
def test_duplicates_with_a_ridge(ridge: float, time: float) -> None:
    """Each of two conflicting copies has a large influence, and the small eigenvalue of their difference is λ alone."""
    train, test, y = doubled()
    found = KernelRegression(train, y, ridge).loo_shift(test, time)
    bound = 1e-10 + 1e-15 * np.linalg.norm(train, 2) / ridge  # the condition, times a few roundings
    assert relative(found, brute(train, test, y, ridge, time)) < bound


def test_duplicates_without_a_ridge_have_finite_times() -> None:
    """What lies in the kernel's null space stays as it began; rounding there grows in proportion to τ."""
    train, test, y = doubled()
    regression = KernelRegression(train, y, 0.0)

    def flowed(rest: list[int], time: float) -> NDArray:
        values, vectors = scipy.linalg.eigh(train[np.ix_(rest, rest)])
        kept = values > 1e-10 * values[-1]
        values, vectors = values[kept], vectors[:, kept]
        return test[:, rest] @ vectors @ ((-np.expm1(-time * values) / values)[:, None] * (vectors.T @ y[rest]))

    for time in (0.1, 1e3, 1e6, 1e9):
        expected = np.stack([flowed([j for j in range(13) if j != i], time) - flowed([*range(13)], time) for i in range(13)], 1)
        assert relative(regression.loo_shift(test, time), expected) < 1e-10 + 1e-16 * time * np.linalg.norm(train, 2)


def test_a_sample_orthogonal_to_all_has_no_influence() -> None:
    """A row of zeros: nothing is learned of it, and nothing from it."""
    train, test, y, start, _ = problem(12, 4, 2, False)
    train[3] = train[:, 3] = test[:, 3] = 0
    regression = KernelRegression(train, y, 0.1, start)
    for time in (0.1, 1e3, inf):
        found = regression.loo_shift(test, time)
        assert np.abs(found[:, 3]).max() < 1e-12 * np.abs(found).max()
        assert relative(found, brute(train, test, y - start, 0.1, time)) < 1e-9
        np.testing.assert_allclose(regression.fitted(time)[3], start[3], atol=1e-13)
    np.testing.assert_allclose(regression.loo_residuals()[3], (start - y)[3], rtol=1e-12)
    condition = 1 + np.linalg.norm(train, 2) / 0.1
    assert abs(regression.leverages()[3]) < len(train) * np.finfo(float).eps * condition  # 1 - λ G_ii, of a solve as exact as that


@pytest.mark.parametrize("known", [False, True], ids=["factor", "eigenvectors"])
def test_a_kernel_of_zeros_asks_for_a_ridge(known: bool) -> None:
    regression = KernelRegression(np.zeros((5, 5)), np.ones((5, 1)))
    if known:
        _ = regression.eigen
    with pytest.raises(ComputationError, match="zero") as error:
        regression.loo_shift(np.zeros((2, 5)))
    assert error.value.remedy == "Choose λ above 0."
    assert not regression.with_ridge(1e-9).loo_shift(np.zeros((2, 5))).any()


@pytest.mark.parametrize("known", [False, True], ids=["factor", "eigenvectors"])
@pytest.mark.parametrize("side", [3, 60, 1000])
def test_the_ridge_that_is_suggested_serves(side: int, known: bool) -> None:
    """Of a kernel of rank one, whose largest eigenvalue is its whole trace."""
    row = np.linspace(1, 2, side)[:, None]
    regression = KernelRegression(row @ row.T, row)
    if known:
        _ = regression.eigen
    with pytest.raises(ComputationError, match="singular") as error:
        regression.loo_shift(row[:2] @ row.T)
    suggested = float(error.value.remedy.split("at least ")[1].split(",")[0])
    assert suggested < 1e-10 * float(np.square(row).sum())
    assert np.isfinite(regression.with_ridge(suggested).loo_shift(row[:2] @ row.T)).all()


@pytest.mark.parametrize("side", [5_000, 100_000])
def test_the_ridge_that_is_suggested_serves_large_kernels(side: int) -> None:
    values = np.r_[np.zeros(side - 1), 1.4]
    with pytest.raises(ComputationError, match="singular") as error:
        require_regular(values, 0.0)
    require_regular(values, float(error.value.remedy.split("at least ")[1].split(",")[0]))
