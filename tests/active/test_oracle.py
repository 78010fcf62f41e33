"""The best of random batches beside all batches, where there are few."""

from itertools import combinations

import numpy as np
import pytest

from ntkcore.active import at_random, best_batch
from ntkcore.errors import DataError


def test_of_enough_draws_it_is_the_best_of_all_batches() -> None:
    """15 batches of 2 of 6: 300 draws miss one with the probability of (14/15)^300 = 1e-9."""
    values = np.random.default_rng(0).standard_normal((6, 6))

    def worth(batch: np.ndarray) -> float:
        return float(values[min(batch), max(batch)])

    found = best_batch(6, 2, 300, worth, np.random.default_rng(1))
    assert set(found.chosen) == set(max(combinations(range(6), 2), key=lambda pair: values[pair]))
    assert found.worth[found.best] == found.worth.max() == worth(found.chosen)


def test_batches_are_the_draws_whatever_they_are_worth() -> None:
    generator = np.random.default_rng(3)
    drawn = [at_random(9, 4, generator) for _ in range(5)]
    found = best_batch(9, 4, 5, lambda batch: 0.0, np.random.default_rng(3))
    np.testing.assert_array_equal(found.batches, drawn)
    assert found.best == 0


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="batches"):
        best_batch(5, 2, 0, lambda batch: 0.0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="worth"):
        best_batch(5, 2, 1, lambda batch: np.nan, np.random.default_rng(0))
    with pytest.raises(DataError, match="fewer than the 6"):
        best_batch(5, 6, 1, lambda batch: 0.0, np.random.default_rng(0))
