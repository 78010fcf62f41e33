"""Predicted classes, agreement and accuracy."""

import numpy as np
import pytest

from ntkcore.convergence import accuracy, agreement, predictions
from ntkcore.errors import ComputationError
from ntkcore.learnability import predictions as training_predictions


@pytest.mark.parametrize("k", [1, 2, 5])
def test_classes_are_those_of_the_training_curves(k):
    outputs = np.random.default_rng(0).integers(-2, 3, (40, k)).astype(float)  # ties and zeros among them
    np.testing.assert_array_equal(predictions(outputs), training_predictions(outputs))


def test_agreement_and_accuracy_are_counts():
    a = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0], [0.0, 3.0]])
    b = np.array([[5.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    assert agreement(a, b) == 0.5
    assert agreement(a, a) == 1.0
    assert accuracy(a, [0, 1, 1, 1]) == 0.75
    assert accuracy([[0.5], [-0.1], [0.0]], [1, 0, 0]) == pytest.approx(2 / 3)
    assert agreement([[0.5], [-0.1]], [[0.1], [0.3]]) == 0.5


def test_wrong_input():
    for bad in (np.nan, np.inf):
        with pytest.raises(ComputationError, match="no class"):
            predictions([[0.0, bad]])
    with pytest.raises(ValueError, match="one shape"):
        agreement(np.ones((3, 2)), np.ones((4, 2)))
    with pytest.raises(ValueError, match="one shape"):
        agreement(np.ones((3, 2)), np.ones((3, 1)))
    with pytest.raises(ValueError, match="labels"):
        accuracy(np.ones((3, 2)), [0, 1])
    with pytest.raises(ValueError, match="outputs"):
        accuracy(np.ones(3), [0, 1, 1])
    with pytest.raises(ValueError, match="outputs"):
        accuracy(np.ones((0, 3)), [])
