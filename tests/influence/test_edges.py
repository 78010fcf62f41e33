"""Influence, bounds, complexity and density where numbers are at their ends."""

from math import acos, inf, sqrt

import numpy as np
import pytest
from deletion_oracle import TIMES, brute, outputs, problem

from ntkcore.influence import cluster_bound, group_complexity, ihvp_error, ihvp_influence, kde_density, kernel_influence
from ntkcore.influence.bounds import least_ridge
from ntkcore.influence.sweep import IhvpSweep
from ntkcore.influence.trust import LIGHTS, trust
from ntkcore.kernels import two_layer_relu_ntk
from ntkcore.regression import KernelRegression


@pytest.mark.parametrize(("k", "blocks"), [(1, False), (3, False), (3, True)])
def test_at_the_start_nothing_has_been_learned_from_anyone(k: int, blocks: bool) -> None:
    train, test, y, start, start_test = problem(8, 3, k, blocks)
    regression = KernelRegression(train, y, 0.3, start)
    assert not kernel_influence(regression, test, start_test + 1, 0.0, start_test).any()
    with pytest.raises(ValueError, match="k_test_train"):  # no test sample at all
        kernel_influence(regression, test[:0], start_test[:0], 1.0)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 3), (2, 1), (2, 3)])
def test_one_sample_and_two(n: int, k: int) -> None:
    train, test, y, _, _ = problem(n, 4, k, False)
    targets = np.random.default_rng(5).standard_normal((4, k))
    regression = KernelRegression(train, y, 0.2)
    zero = np.zeros((4, k))
    fitted = outputs(train, test, y, zero, 0.2, inf)
    shift = -fitted[:, None] if n == 1 else brute(train, test, y, 0.2, inf)
    expected = (np.square(fitted[:, None] + shift - targets[:, None]).sum(2) - np.square(fitted - targets).sum(1)[:, None]).T / 2
    np.testing.assert_allclose(kernel_influence(regression, test, targets), expected, rtol=1e-10, atol=1e-13)
    error = ihvp_error(regression, test, targets, float(np.linalg.eigvalsh(train)[0]))
    assert error.satisfied().all()
    found = trust(error, 40)
    assert found.top == n
    if n == 1:  # one sample has no order, which is no reason to trust
        assert np.isnan(found.rank).all() and {LIGHTS[light] for light in found.light} == {"red"}


@pytest.mark.parametrize(("k", "blocks"), [(1, False), (3, False), (3, True)])
@pytest.mark.parametrize("ridge", [0.0, 1e-12, 1e-6, 1e6])
def test_ihvp_of_a_small_ridge_keeps_its_digits(ridge: float, k: int, blocks: bool) -> None:
    """``f(x_i) - y_i = -λ β_i`` is far smaller than either of its terms; at λ = 0 the method sees no influence at all."""
    train, test, y, start, start_test = problem(10, 3, k, blocks)
    targets = np.random.default_rng(5).standard_normal((3, k))
    regression = KernelRegression(train, y, ridge, start)
    found = ihvp_influence(regression, test, targets, start_test)
    errors = regression.predict(test, start_test) - targets
    alpha, beta = regression.weights(test), regression.beta
    expected = -ridge * (np.einsum("xo,xoip,ip->ix", errors, alpha, beta) if blocks else (alpha * (errors @ beta.T)).T)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())
    assert found.any() == (ridge > 0)


def test_theorem_3_at_the_ends_of_the_ridge() -> None:
    """At λ → 0 the lower bound is 1 and Î is 0; at λ → ∞ the bound is 0 and so is the error; the inequality holds for every pair."""
    train, test, y, start, start_test = problem(30, 6, 2, False)
    targets = np.random.default_rng(5).standard_normal((6, 2))
    least = float(np.linalg.eigvalsh(train)[0])
    regression = KernelRegression(train, y, 0.0, start)
    sweep = IhvpSweep(regression, test, targets, start_test)
    for ridge in (0.0, 1e-9, 1e6):
        error = ihvp_error(regression.with_ridge(ridge), test, targets, least, start_test)
        for one in (error, sweep.error(ridge)):
            assert one.satisfied().all()
            assert (one.leverage > -1e-12).all() and (one.leverage < 1 + 1e-12).all()
            np.testing.assert_allclose(one.exact, kernel_influence(regression.with_ridge(ridge), test, targets, inf, start_test), rtol=1e-6)
            if ridge < 1:
                np.testing.assert_allclose(one.rate(), 1.0, rtol=1e-5)
                assert one.lower_bound == pytest.approx(1.0, rel=1e-5)
            else:
                assert np.median(one.rate()) < 1e-2 and one.lower_bound < 1e-6
    assert ihvp_error(regression.with_ridge(1.0), test, targets, -1e-17).lower_bound == 0.0


def test_a_sample_orthogonal_to_all_has_neither_influence_nor_error() -> None:
    train, test, y, _, _ = problem(12, 4, 1, False)
    train[3] = train[:, 3] = test[:, 3] = 0
    targets = np.ones((4, 1))
    regression = KernelRegression(train, y, 0.1)
    for time in (*TIMES[::4], inf):
        found = kernel_influence(regression, test, targets, time)
        assert np.abs(found[3]).max() < 1e-12 * np.abs(found).max()
    error = ihvp_error(KernelRegression(train, y, 0.1), test, targets, 0.0)  # by a factor, which keeps zeros
    assert not error.exact[3].any() and np.isnan(error.rate()[3]).all() and error.satisfied().all()


def test_theorem_4_for_a_radius_below_a_rounding() -> None:
    """``arccos(1 - 2 r²)`` is 0 in floating point below r = 1e-8; the arc is 2 r."""
    for radius in (1e-3, 0.1):
        spread = sqrt(2 * radius**2 + acos(1 - 2 * radius**2))
        assert least_ridge(7.0, radius) == pytest.approx(sqrt(2) * 7 * spread / (1 - sqrt(2) * spread), rel=1e-9)
    assert least_ridge(1.0, 1e-12) == pytest.approx(sqrt(2) * sqrt(2e-12), rel=1e-5)
    assert least_ridge(1.0, 0.0) == 0.0
    assert least_ridge(1.0, 0.3) == inf


def test_theorem_4_of_one_cluster_and_of_single_samples() -> None:
    """γ is at least 1, for one weight is at most the norm of all; a cluster of everything has the smallest factor."""
    x = np.random.default_rng(0).standard_normal((9, 5))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    regression = KernelRegression(two_layer_relu_ntk(x), np.ones((9, 1)), 0.5)
    one = cluster_bound(regression, 1.0, np.zeros(9, int), 0.01)
    many = cluster_bound(regression, 1.0, np.arange(9), 0.01)
    assert one.gamma == many.gamma and 1 <= one.gamma <= 9
    np.testing.assert_allclose(one.factor, np.sqrt(one.gamma) / 9)
    np.testing.assert_allclose(many.factor, np.sqrt(one.gamma / 9))


def test_complexity_of_nothing_of_one_and_of_all_but_one() -> None:
    train, _, y, _, _ = problem(10, 2, 2, False)
    regression = KernelRegression(train, y, 0.1)
    whole = np.sqrt(regression.quadratic())
    nothing, one, most = group_complexity(regression, [[], [4], [i for i in range(10) if i != 4]])
    assert nothing == 0 and one > 0
    assert most == pytest.approx(whole - np.sqrt(np.square(y[4]).sum() / (train[4, 4] + 0.1)), rel=1e-10)
    np.testing.assert_array_equal(group_complexity(KernelRegression(train, np.zeros((10, 1)), 0.1), [[0], [1, 2]]), 0)


def test_complexity_of_a_group_that_asks_for_little_keeps_its_digits() -> None:
    """``√a - √b`` of a and b that agree in all their digits."""
    y = np.array([[1.0], [1e-9]])
    assert group_complexity(KernelRegression(np.eye(2), y), [[1]])[0] == pytest.approx(5e-19, rel=1e-12)


@pytest.mark.parametrize("rule", ["scott", "silverman", "cv", 0.5])
def test_density_of_two_samples_and_of_copies(rule: str | float) -> None:
    pair = kde_density(np.array([[0.0, 1.0], [2.0, 5.0]]), 3, rule)
    assert pair.dimension == 1 and np.isfinite(pair.log_density).all()
    assert pair.log_density[0] == pytest.approx(pair.log_density[1])
    copies = kde_density(np.repeat(np.eye(4), 3, axis=0), 2, rule)
    assert np.isfinite(copies.log_density).all() and copies.bandwidth > 0
    assert copies.log_density.reshape(4, 3).std(1).max() < 1e-6
