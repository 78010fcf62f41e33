"""Naive retraining where it is known: of a linear model it is the look-ahead by its kernel."""

import numpy as np
import pytest
import scipy.linalg

from ntkcore.active import LookAhead, class_targets, naive_change, predicted
from ntkcore.errors import ComputationError

RIDGE = 0.3


def test_retraining_a_linear_model_is_looking_ahead_by_its_kernel() -> None:
    """Ridge regression from θ0 on the weights, solved anew for each candidate, beside one factorisation of the kernel."""
    generator = np.random.default_rng(0)
    x, start = generator.standard_normal((30, 6)), generator.standard_normal((6, 3))
    targets = np.eye(3)[generator.integers(0, 3, 12)]
    first, pool = x[:12], x[12:]

    def trained(rows: np.ndarray, y: np.ndarray) -> np.ndarray:
        moved = scipy.linalg.solve(rows.T @ rows + RIDGE * np.eye(6), rows.T @ (y - rows @ start), assume_a="pos")
        return pool @ (start + moved)

    before = trained(first, targets)
    taken = class_targets(3)[predicted(pool @ start)]
    candidates = [3, 0, 17]
    found = naive_change(before, candidates, lambda i: trained(np.vstack([first, pool[i]]), np.vstack([targets, taken[i]])))
    state = LookAhead(first @ first.T, pool @ first.T, pool @ pool.T, first @ start, pool @ start, targets, RIDGE)
    np.testing.assert_allclose(found, state.change()[candidates], rtol=1e-10)


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="before"):
        naive_change(np.ones(3), [0], lambda i: np.ones(3))
    with pytest.raises(ValueError, match="retrained"):
        naive_change(np.ones((3, 2)), [0], lambda i: np.ones((2, 2)))
    with pytest.raises(ComputationError, match="smaller learning rate"):
        naive_change(np.ones((3, 2)), [0], lambda i: np.full((3, 2), np.nan))
