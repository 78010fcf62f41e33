"""Self-influence and the outputs on images that were not seen, against deleting each and beginning anew."""

from math import inf

import numpy as np
import pytest
from deletion_oracle import brute, outputs, problem

from ntkcore.errors import ComputationError
from ntkcore.influence.self_influence import held_out_outputs, held_out_residuals, self_influence
from ntkcore.regression import KernelRegression

CASES = [(24, 1, False), (18, 3, False), (9, 3, True)]
each = pytest.mark.parametrize(("n", "k", "blocks"), CASES, ids=["binary", "shared", "full"])


@each
@pytest.mark.parametrize("ridge", [1e-3, 0.7])
@pytest.mark.parametrize("time", [1e-3, 0.4, 30.0, inf])
def test_it_is_the_rise_of_the_own_loss_by_deletion(n: int, k: int, blocks: bool, ridge: float, time: float) -> None:
    train, _, y, start, _ = problem(n, 2, k, blocks)
    regression = KernelRegression(train, y, ridge, start)
    whole = outputs(train, train, y - start, start, ridge, time)
    moved = brute(train, train, y - start, ridge, time)[np.arange(n), np.arange(n)]
    # At a finite time a contour integral, good to 1e-11 of the function; at the end a system of condition up to 1e5, solved in float64
    tolerance = 1e-9
    scale = np.abs(whole).max()
    np.testing.assert_allclose(regression.own_shift(time), moved, rtol=0, atol=tolerance * np.abs(moved).max())
    np.testing.assert_allclose(regression.own_errors(time), whole - y, rtol=0, atol=tolerance * scale)
    np.testing.assert_allclose(held_out_outputs(regression, time), whole + moved, rtol=0, atol=tolerance * np.abs(whole + moved).max())
    off = whole + moved - y
    np.testing.assert_allclose(held_out_residuals(regression, time), off, rtol=0, atol=tolerance * np.abs(off).max())
    expected = (np.square(whole + moved - y) - np.square(whole - y)).sum(1) / 2
    np.testing.assert_allclose(self_influence(regression, time), expected, rtol=0, atol=tolerance * np.abs(expected).max())


def test_of_all_shifts_it_is_the_diagonal() -> None:
    train, _, y, start, _ = problem(15, 2, 2, False)
    regression = KernelRegression(train, y, 0.1, start)
    rows = np.arange(15)
    for time in (0.0, 0.05, 8.0, inf):
        shift = regression.loo_shift(train, time)[rows, rows]
        np.testing.assert_allclose(regression.own_shift(time), shift, rtol=1e-9, atol=1e-10 * (1 + np.abs(shift).max()))


def test_what_is_small_keeps_its_digits() -> None:
    """Long after the end, nothing but λ's pull is left of the error: a subtraction of outputs near 1 would leave rounding of 1e-16."""
    train, _, y, start, _ = problem(12, 2, 1, False)
    regression = KernelRegression(train, y, 1e-12, start)
    expected = -1e-12 * np.linalg.solve(train + 1e-12 * np.eye(12), y - start)
    np.testing.assert_allclose(regression.own_errors(1e12), expected, rtol=1e-6)
    np.testing.assert_allclose(regression.own_errors(inf), expected, rtol=1e-6)


def test_a_singular_kernel_is_refused_at_the_end_and_only_there() -> None:
    train = np.ones((6, 6))  # six times the same image
    y = np.array([[1.0], [1.0], [1.0], [-1.0], [1.0], [1.0]])
    regression = KernelRegression(train, y, 0.0)
    with pytest.raises(ComputationError, match="singular"):
        self_influence(regression)
    found = self_influence(regression, 0.5)
    assert np.isfinite(found).all() and found.argmax() == 3  # the odd one alone speaks for its label
