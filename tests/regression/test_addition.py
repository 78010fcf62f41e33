"""Samples added at every training time, against beginning anew with them."""

from math import inf

import numpy as np
import pytest
from deletion_oracle import TIMES, matrix, outputs, problem

from ntkcore.errors import ComputationError
from ntkcore.regression import Added, KernelRegression, Steps

CASES = [(24, 5, 1, False), (24, 5, 3, False), (12, 4, 3, True)]
NEW = [1, 7, 3]


def divided(n: int, m: int, k: int, blocks: bool):
    """Of all samples some are added later: the first regression's kernel, the added ones, and the test kernel with both."""
    train, test, y, start, _ = problem(n, m, k, blocks)
    old = [i for i in range(n) if i not in NEW]
    added = Added(train[np.ix_(NEW, NEW)], train[np.ix_(NEW, old)], y[NEW], start[NEW])
    return train, test, y, start, old, added


@pytest.mark.parametrize("ridge", [1e-6, 0.1, 16.0])
@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_samples_enter_at_every_time(n, m, k, blocks, ridge):
    """The contour leaves 1e-11 of the function's size, the oracle's two eigendecompositions more of what cancels."""
    train, test, y, start, old, added = divided(n, m, k, blocks)
    regression, zero = KernelRegression(train[np.ix_(old, old)], y[old], ridge, start[old]), np.zeros((m, k))
    for time in (*TIMES, inf):
        after = outputs(train, test, y - start, zero, ridge, time)
        before = outputs(train[np.ix_(old, old)], test[:, old], (y - start)[old], zero, ridge, time)
        found = regression.addition_shift(added, test[:, old], test[:, NEW], time)
        assert np.linalg.norm(found - (after - before)) < 1e-8 * np.linalg.norm(after - before), time


@pytest.mark.parametrize("share", [0.3, 1.2])
@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_samples_enter_after_a_loop_of_steps(n, m, k, blocks, share):
    train, test, y, start, old, added = divided(n, m, k, blocks)
    rate = share / (np.linalg.eigvalsh(matrix(train))[-1] + 0.1)
    regression = KernelRegression(train[np.ix_(old, old)], y[old], 0.1, start[old]).with_descent(Steps(rate))
    for count in (1, 7, 200):
        after, before = (steps(train, test, y - start, rows, rate, count) for rows in (list(range(n)), old))
        found = regression.addition_shift(added, test[:, old], test[:, NEW], count)
        assert np.linalg.norm(found - (after - before)) < 1e-9 * np.linalg.norm(after), count


def steps(train, test, residual, rows, rate, count):
    """So many steps of gradient descent at λ = 0.1."""
    blocks, k = train.ndim == 4, residual.shape[1]
    kernel, across, y = matrix(train[np.ix_(rows, rows)]), matrix(test[:, rows]), residual[rows]
    y = y.reshape(-1, 1) if blocks else y
    c = np.zeros_like(y)
    for _ in range(count):
        c = c + rate * (y - kernel @ c - 0.1 * c)
    return (across @ c).reshape(-1, k)


@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_what_is_added_and_removed_again_moves_nothing(n, m, k, blocks):
    train, test, y, start, old, added = divided(n, m, k, blocks)
    with_all, without = KernelRegression(train, y, 0.1, start), KernelRegression(train[np.ix_(old, old)], y[old], 0.1, start[old])
    for time in (0.3, inf):
        there, back = without.addition_shift(added, test[:, old], test[:, NEW], time), with_all.group_shift(NEW, test, time)
        np.testing.assert_allclose(there, -back, rtol=1e-8, atol=1e-9)


def test_nothing_moves_before_training_and_a_repeated_sample_is_refused():
    train, test, y, _, _ = problem(10, 3, 2, False)
    regression = KernelRegression(train, y, 0.0)
    again = Added(train[:1, :1], train[:1], y[:1], np.zeros((1, 2)))
    assert not regression.addition_shift(again, test, test[:, :1], 0.0).any()
    with pytest.raises(ComputationError, match="Choose λ"):
        regression.addition_shift(again, test, test[:, :1])
    moved = regression.with_ridge(0.1).addition_shift(again, test, test[:, :1])
    assert np.abs(moved).max() > 0
