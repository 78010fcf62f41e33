"""Training in discrete steps: outputs, weights and every removal against a loop of explicit steps of gradient descent, in float64."""

from math import inf

import numpy as np
import pytest
from deletion_oracle import matrix, problem

from ntkcore.errors import ComputationError
from ntkcore.regression import KernelRegression, Steps
from ntkcore.regression.descent import FEW

CASES = [(24, 5, 1, False), (24, 5, 3, False), (9, 4, 3, True)]
COUNTS = [0, 1, 2, 7, FEW, FEW + 1, 90, 1000]


def steps(train, test, residual, ridge, rate, count):
    """``f_t - f0`` (m, k) by gradient descent on ``½ ‖f - y‖² + λ/2 ‖w - w0‖²`` in w = J(X)ᵀ c: ``c ← c + η (y - K c - λ c)``."""
    kernel, across = matrix(train), matrix(test)
    y = residual.reshape(-1, 1) if train.ndim == 4 else residual
    c = np.zeros_like(y)
    for _ in range(count):
        c = c + rate * (y - kernel @ c - ridge * c)
    return (across @ c).reshape(-1, residual.shape[1])


@pytest.mark.parametrize("share", [0.3, 1.9])
@pytest.mark.parametrize("ridge", [0.0, 0.1])
@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_every_removal_is_that_of_a_loop_of_steps(n, m, k, blocks, ridge, share):
    """Rates of a share of 1 / λ_max and of nearly twice it, where the steepest directions oscillate. The contour leaves 1e-11 of the
    function's size, of which a removal is a hundredth or less."""
    train, test, y, start, begin = problem(n, m, k, blocks)
    rate = share / (np.linalg.eigvalsh(matrix(train))[-1] + ridge)
    regression = KernelRegression(train, y, ridge, start).with_descent(Steps(rate))
    group, rest = [1, 4], [i for i in range(n) if i not in (1, 4)]
    for count in COUNTS:
        whole = steps(train, test, y - start, ridge, rate, count)
        size = max(np.linalg.norm(whole), 1e-12)
        assert np.linalg.norm(regression.predict(test, begin, count) - begin - whole) < 1e-11 * size
        own = steps(train, train, y - start, ridge, rate, count)
        np.testing.assert_allclose(regression.fitted(count), start + own, atol=1e-10)
        np.testing.assert_allclose(regression.own_errors(count), start + own - y, atol=1e-10)
        found, diagonal = regression.loo_shift(test, count), regression.own_shift(count)
        for i in (0, 3, n - 1):
            kept = [j for j in range(n) if j != i]
            without = steps(train[np.ix_(kept, kept)], test[:, kept], (y - start)[kept], ridge, rate, count)
            assert np.linalg.norm(found[:, i] - (without - whole)) < 1e-9 * size, (count, i)
            itself = steps(train[np.ix_(kept, kept)], train[i : i + 1, kept], (y - start)[kept], ridge, rate, count)
            np.testing.assert_allclose(diagonal[i], itself[0] - own[i], atol=1e-9 * np.abs(own).max(initial=1e-12))
        both = steps(train[np.ix_(rest, rest)], test[:, rest], (y - start)[rest], ridge, rate, count)
        assert np.linalg.norm(regression.group_shift(group, test, count) - (both - whole)) < 1e-9 * size


def test_small_steps_are_the_flow_and_the_end_is_the_same():
    train, test, y, start, _ = problem(24, 5, 1, False)
    regression = KernelRegression(train, y, 0.1, start)
    small = regression.with_descent(Steps(1e-6 / np.linalg.eigvalsh(train)[-1]))
    flow = regression.loo_shift(test, 1e5 * small.descent.rate)
    assert np.linalg.norm(small.loo_shift(test, 100_000) - flow) < 1e-5 * np.linalg.norm(flow)  # η a / 2, relative
    np.testing.assert_array_equal(small.loo_shift(test, inf), regression.loo_shift(test, inf))


def test_what_is_no_descent_is_refused():
    train, test, y, _, _ = problem(24, 5, 1, False)
    regression = KernelRegression(train, y, 0.1)
    with pytest.raises(ComputationError, match=r"diverges here: the steepest direction allows less than"):
        regression.with_descent(Steps(2.1 / np.linalg.eigvalsh(train)[-1])).loo_shift(test, 5)
    with pytest.raises(ValueError, match="whole number of steps"):
        regression.with_descent(Steps(1e-4)).predict(test, time=1.5)
    for rate in (0.0, -1.0, inf):
        with pytest.raises(ValueError, match="rate"):
            Steps(rate)
