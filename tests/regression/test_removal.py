"""Several samples removed together at a finite training time, against deleting their rows and columns and beginning anew."""

import numpy as np
import pytest
from deletion_oracle import TIMES, outputs, problem

from ntkcore.regression import KernelRegression

CASES = [(24, 5, 1, False), (24, 5, 3, False), (12, 4, 3, True)]
GROUP = [1, 7, 3, 10]


@pytest.mark.parametrize("ridge", [1e-6, 0.1, 16.0])
@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_a_group_is_removed_at_every_time(n, m, k, blocks, ridge):
    """The contour leaves 1e-11 of the function's size (its own text), the oracle's two eigendecompositions more of what cancels."""
    train, test, y, start, _ = problem(n, m, k, blocks)
    regression, zero = KernelRegression(train, y, ridge, start), np.zeros((m, k))
    rest = [j for j in range(n) if j not in GROUP]
    for time in TIMES:
        whole = outputs(train, test, y - start, zero, ridge, time)
        without = outputs(train[np.ix_(rest, rest)], test[:, rest], (y - start)[rest], zero, ridge, time)
        found = regression.group_shift(GROUP, test, time)
        assert np.linalg.norm(found - (without - whole)) < 1e-8 * np.linalg.norm(without - whole), time
        single = regression.loo_shift(test, time)[:, 4]
        assert np.linalg.norm(regression.group_shift([4], test, time) - single) < 1e-8 * np.linalg.norm(single), time


@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_other_targets_at_every_time(n, m, k, blocks):
    train, test, y, start, _ = problem(n, m, k, blocks)
    regression, zero = KernelRegression(train, y, 0.1, start), np.zeros((m, k))
    other = y.copy()
    other[GROUP] = 2 - other[GROUP]
    for time in TIMES:
        moved = outputs(train, test, other - start, zero, 0.1, time) - outputs(train, test, y - start, zero, 0.1, time)
        found = regression.relabel_shift(GROUP, other[GROUP], test, time)
        np.testing.assert_allclose(found, moved, rtol=1e-9, atol=1e-9)


def test_nothing_moves_before_training():
    train, test, y, _, _ = problem(10, 3, 2, False)
    regression = KernelRegression(train, y, 0.1)
    assert not regression.group_shift([1, 2], test, 0.0).any() and not regression.group_shift([], test, 1.0).any()
    assert not regression.relabel_shift([1, 2], 1 - y[[1, 2]], test, 0.0).any()
