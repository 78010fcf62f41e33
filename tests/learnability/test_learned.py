"""The epoch from which a sample stays correct."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntkcore.learnability import first_learned_epoch


def test_cases_by_hand():
    correct = np.array([[1, 0, 0, 1, 1], [1, 1, 0, 0, 1], [1, 1, 0, 1, 0]], dtype=bool)
    assert first_learned_epoch(correct, [0, 5, 10]).tolist() == [0.0, 5.0, np.inf, 10.0, np.inf]


@given(st.integers(1, 6), st.integers(0, 5), st.integers(0, 10**6))
def test_against_the_definition(t, n, seed):
    generator = np.random.default_rng(seed)
    correct = generator.random((t, n)) < 0.7
    epochs = np.cumsum(generator.integers(1, 4, size=t))
    result = first_learned_epoch(correct, epochs)
    for i in range(n):
        stays = [epochs[s] for s in range(t) if correct[s:, i].all()]
        assert result[i] == (stays[0] if stays else np.inf)


@pytest.mark.parametrize(
    ("correct", "epochs"), [(np.ones((3, 2)), [0, 1]), (np.ones(3), [0, 1, 2]), (np.ones((0, 2)), []), (np.ones((2, 2)), [1, 1])]
)
def test_wrong_shapes(correct, epochs):
    with pytest.raises(ValueError, match="epochs"):
        first_learned_epoch(correct, epochs)
