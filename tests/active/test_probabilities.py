"""Projection on the simplex and softmax, beside their definitions."""

import lookahead_oracle as oracle
import numpy as np
import pytest
import scipy.special
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ntkcore.active import class_targets, label_targets, predicted, raw_gap, simplex, softmax
from ntkcore.active.probabilities import entropies

outputs = st.tuples(st.integers(1, 5), st.integers(1, 6)).flatmap(lambda shape: arrays(np.float64, shape, elements=st.floats(-1e3, 1e3)))


@given(outputs)
def test_the_projection_is_the_nearest_point(f):
    """By sorting, to what rounding leaves of numbers up to 1e3; and each row sums to 1."""
    found = simplex(f)
    np.testing.assert_allclose(found, oracle.simplex(f), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-12)
    assert (found >= 0).all()


@given(outputs)
def test_softmax(f):
    np.testing.assert_allclose(softmax(f), oracle.softmax(f), rtol=1e-12)


def test_optimality_of_the_projection():
    """``⟨v - p, q - p⟩ <= 0`` for every q of the simplex, hence for its corners."""
    f = np.random.default_rng(0).standard_normal((200, 7))
    p = simplex(f)
    assert (((f - p)[:, None] * (np.eye(7) - p[:, None])).sum(2) <= 1e-12).all()
    np.testing.assert_allclose(simplex(f - 1 / 7), p, atol=1e-14)  # centred outputs are as near
    assert (p == 0).any()


def test_one_output_is_two_classes():
    f = np.array([[-3.0], [-1.0], [0.0], [0.5], [2.0]])
    np.testing.assert_allclose(simplex(f), [[1, 0], [1, 0], [0.5, 0.5], [0.25, 0.75], [0, 1]])
    np.testing.assert_allclose(softmax(f)[:, 1], scipy.special.expit(2 * f[:, 0]))
    np.testing.assert_array_equal(predicted(f), [0, 0, 0, 1, 1])
    np.testing.assert_allclose(raw_gap(f), np.abs(f[:, 0]))


@given(outputs)
def test_entropies(f):
    for of, way in (("simplex", oracle.simplex), ("softmax", oracle.softmax)):
        expected = scipy.special.entr(way(f)).sum(1)
        np.testing.assert_allclose(entropies(torch.from_numpy(f.T.copy()), of).numpy(), expected, rtol=1e-9, atol=1e-10)


def test_targets():
    np.testing.assert_array_equal(class_targets(1), [[-1], [1]])
    np.testing.assert_array_equal(label_targets([1, -1], 1), [[1], [-1]])
    np.testing.assert_array_equal(label_targets([2, 0], 3), [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_allclose(class_targets(4, "centred").sum(1), 0, atol=1e-15)
    for labels, k in (([0], 1), ([3], 3), ([-1], 3), ([0.5], 3), ([[0]], 3)):
        with pytest.raises(ValueError, match="labels"):
            label_targets(labels, k)
    for bad in (np.ones(3), np.ones((2, 0)), np.array([[np.nan]])):
        with pytest.raises(ValueError, match="outputs"):
            simplex(bad)
