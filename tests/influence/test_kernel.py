"""Influence, its IHVP estimate, their bounds and groups' complexity against deletion and direct evaluation."""

from math import inf

import numpy as np
import pytest
import scipy.linalg
from deletion_oracle import TIMES, brute, outputs, problem

from ntkcore.errors import DataError
from ntkcore.influence import cluster_bound, group_complexity, ihvp_error, ihvp_influence, kernel_influence
from ntkcore.kernels import two_layer_relu_ntk
from ntkcore.regression import KernelRegression

CASES = [(30, 6, 1, False), (30, 6, 4, False), (14, 5, 3, True)]


@pytest.mark.parametrize("ridge", [1e-6, 1e-3, 1.0, 16.0])
@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_influence_is_the_change_of_loss(n: int, m: int, k: int, blocks: bool, ridge: float) -> None:
    train, test, y, start, start_test = problem(n, m, k, blocks)
    targets = np.random.default_rng(8).standard_normal((m, k))
    regression = KernelRegression(train, y, ridge, start)
    for time in (inf, *TIMES[::3]):
        fitted = outputs(train, test, y - start, start_test, ridge, time)
        without = fitted[:, None] + brute(train, test, y - start, ridge, time)
        expected = (np.square(without - targets[:, None]).sum(2) - np.square(fitted - targets).sum(1)[:, None]).T / 2
        found = kernel_influence(regression, test, targets, time, start_test)
        assert np.linalg.norm(found - expected) / np.linalg.norm(expected) < (1e-9 if time == inf else 1e-8)


@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_ihvp_is_the_inverse_hessian_product(n: int, m: int, k: int, blocks: bool) -> None:
    """A model linear in its parameters has this kernel; its Hessian is written down."""
    generator = np.random.default_rng(4)
    r = k if blocks else 1
    features = generator.standard_normal(((n + m) * r, 90))
    whole = features @ features.T
    if blocks:
        whole = whole.reshape(n + m, k, n + m, k).transpose(0, 2, 1, 3)
    y, targets = generator.standard_normal((n, k)), generator.standard_normal((m, k))
    regression = KernelRegression(whole[:n, :n], y, 0.7)
    found = ihvp_influence(regression, whole[n:, :n], targets)
    phi, phi_test = features[: n * r], features[n * r :]
    hessian = phi.T @ phi + 0.7 * np.eye(90)
    for i in range(0, n, 7):
        for x in range(m):
            if blocks:
                theta = scipy.linalg.solve(hessian, phi.T @ y.reshape(-1), assume_a="pos")
                own, other = slice(i * k, i * k + k), slice(x * k, x * k + k)
                here = phi[own].T @ (phi[own] @ theta - y[i])
                there = phi_test[other].T @ (phi_test[other] @ theta - targets[x])
                expected = there @ scipy.linalg.solve(hessian, here, assume_a="pos")
            else:
                theta = scipy.linalg.solve(hessian, phi.T @ y, assume_a="pos")  # a column for each output
                here = np.outer(phi[i], phi[i] @ theta - y[i])
                there = np.outer(phi_test[x], phi_test[x] @ theta - targets[x])
                expected = (there * scipy.linalg.solve(hessian, here, assume_a="pos")).sum()
            np.testing.assert_allclose(found[i, x], expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("ridge", [2.0**-4, 1.0, 16.0])
def test_theorem_3_holds_for_every_pair(k: int, ridge: float) -> None:
    train, test, y, _, _ = problem(40, 9, k, False, seed=11)
    targets = np.random.default_rng(2).standard_normal((9, k))
    least = float(np.linalg.eigvalsh(train)[0])
    regression = KernelRegression(train, y, ridge)
    error = ihvp_error(regression, test, targets, least)
    np.testing.assert_allclose(error.exact, kernel_influence(regression, test, targets), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(error.estimate, ihvp_influence(regression, test, targets), rtol=1e-10, atol=1e-12)
    leverage = np.diagonal(train @ np.linalg.inv(train + ridge * np.eye(40)))
    np.testing.assert_allclose(error.leverage, leverage, rtol=1e-9)
    # the proof's own equation: I - Î = A I + (1 - A) ½ α² r²
    difference = leverage[:, None] * error.exact + (1 - leverage)[:, None] * error.remainder
    np.testing.assert_allclose(error.exact - error.estimate, difference, rtol=1e-8, atol=1e-11)
    assert error.satisfied().all()
    assert error.lower_bound == pytest.approx(least / (least + ridge))
    assert error.rate().shape == (40, 9)
    with pytest.raises(DataError, match="one kernel"):
        blocks, block_test, outputs_of, *_ = problem(6, 2, 2, True)
        ihvp_error(KernelRegression(blocks, outputs_of, 1.0), block_test, np.zeros((2, 2)), 0.1)


def test_theorem_4_holds_on_clusters() -> None:
    """Fig. 12's data at a tenth of its size: clusters on the unit sphere of R^100, r = 0.001."""
    generator = np.random.default_rng(0)
    sizes = [5 * 2**c for c in range(5)] * 2
    centres = generator.standard_normal((10, 100))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    members = np.repeat(np.arange(10), sizes)
    x = centres[members] + generator.uniform(-1, 1, (len(members), 100)) * 0.001 / np.sqrt(100) / 2
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    kernel = two_layer_relu_ntk(x)
    y = np.where(members < 5, 1.0, -1.0)[:, None]
    values = np.linalg.eigvalsh(kernel)
    start = KernelRegression(kernel, y, 1.0)
    bound = cluster_bound(start, values[-1], members, 0.001)
    ridge = 1.01 * bound.least_ridge
    regression = start.with_ridge(ridge)
    bound = cluster_bound(regression, values[-1], members, 0.001)
    assert bound.least_ridge < ridge
    error = ihvp_error(regression, kernel[:40] + 0.0, y[:40], values[0])
    assert (np.abs(error.exact - error.estimate) <= bound.upper(error) * (1 + 1e-9)).all()
    # γ is the smallest that satisfies the condition: equality for one sample
    weights = kernel @ np.linalg.inv(kernel + ridge * np.eye(len(kernel)))
    ratio = np.sqrt(bound.gamma / len(kernel)) * np.linalg.norm(weights, axis=0) / np.abs(np.diagonal(weights))
    assert ratio.min() == pytest.approx(1.0, rel=1e-8)


@pytest.mark.parametrize("k", [1, 3])
def test_complexity_is_its_definition(k: int) -> None:
    train, _, y, _, _ = problem(30, 2, k, False)
    regression = KernelRegression(train, y)
    groups = [[0, 1, 2], [29], list(range(3, 20))]
    found = group_complexity(regression, groups)
    for group, value in zip(groups, found, strict=True):
        rest = [i for i in range(30) if i not in group]
        whole = np.sqrt((y * np.linalg.solve(train, y)).sum())
        left = np.sqrt((y[rest] * np.linalg.solve(train[np.ix_(rest, rest)], y[rest])).sum())
        assert value == pytest.approx(whole - left, rel=1e-8)


def test_targets_of_another_shape_are_refused() -> None:
    train, test, y, _, _ = problem(10, 3, 2, False)
    with pytest.raises(ValueError, match="test_targets"):
        kernel_influence(KernelRegression(train, y, 1.0), test, np.zeros((3, 1)))
