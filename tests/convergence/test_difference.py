"""Differences against dense Kronecker products and loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntkcore.convergence import pair_errors, prediction_difference, relative_difference, relative_frobenius
from ntkcore.kernels import matrices

SIZES = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(0, 99))


def kernels(n, m, k, seed):
    generator = np.random.default_rng(seed)
    return generator.standard_normal((n, m, k, k)), generator.standard_normal((n, m))


@given(SIZES)
def test_the_frobenius_difference_is_that_of_the_dense_kronecker_product(sizes):
    full, cheap = kernels(*sizes)
    n, m, k, _ = sizes
    matrix = full.transpose(0, 2, 1, 3).reshape(n * k, m * k)
    expected = np.linalg.norm(np.kron(cheap, np.eye(k)) - matrix) / np.linalg.norm(matrix)
    assert relative_frobenius(full, cheap) == pytest.approx(expected, rel=1e-12)


@given(SIZES)
def test_pair_errors_are_those_of_every_block(sizes):
    full, cheap = kernels(*sizes)
    n, m, k, _ = sizes
    found = pair_errors(full, cheap)
    assert found.shape == (n, m)
    for i in range(n):
        for j in range(m):
            expected = np.linalg.norm(cheap[i, j] * np.eye(k) - full[i, j]) / np.linalg.norm(full[i, j])
            assert found[i, j] == pytest.approx(expected, rel=1e-12)


def test_pieces_change_nothing_and_no_argument_changes(monkeypatch):
    full, cheap = kernels(6, 5, 3, 0)
    before = full.copy(), cheap.copy()
    whole = relative_frobenius(full, cheap), pair_errors(full, cheap)
    monkeypatch.setattr(matrices, "BLOCK", 50)
    assert relative_frobenius(full, cheap) == pytest.approx(whole[0], rel=1e-14)
    np.testing.assert_array_equal(pair_errors(full, cheap), whole[1])
    np.testing.assert_array_equal(full, before[0])
    np.testing.assert_array_equal(cheap, before[1])


def test_small_differences_keep_their_digits():
    """1e-12 of the kernel, which squares expanded in float64 (unit 2e-16) would lose."""
    cheap = np.random.default_rng(0).random((4, 4)) + 1
    full = cheap[:, :, None, None] * np.eye(3)
    assert relative_frobenius(full, cheap) == 0.0
    np.testing.assert_array_equal(pair_errors(full, cheap), 0.0)
    near = full.copy()
    near[..., 0, 1] += 1e-12 * cheap
    assert relative_frobenius(near, cheap) == pytest.approx(1e-12 / np.sqrt(3), rel=1e-6)


def test_single_precision_is_summed_in_double():
    full, cheap = kernels(5, 5, 3, 1)
    full32, cheap32 = full.astype(np.float32), cheap.astype(np.float32)
    exact = relative_frobenius(full32.astype(float), cheap32.astype(float))
    assert relative_frobenius(full32, cheap32) == pytest.approx(exact, rel=1e-14)


def test_zero_blocks_agree_or_are_infinitely_off():
    full, cheap = np.zeros((2, 2, 2, 2)), np.zeros((2, 2))
    full[0, 0] = np.eye(2)
    cheap[0, 0], cheap[0, 1] = 1.0, 1.0
    np.testing.assert_array_equal(pair_errors(full, cheap), [[0.0, np.inf], [0.0, 0.0]])
    assert relative_frobenius(np.zeros((1, 1, 2, 2)), [[0.0]]) == 0.0
    assert relative_frobenius(np.zeros((1, 1, 2, 2)), [[1.0]]) == np.inf
    full[1, 1, 0, 0] = np.nan
    assert np.isnan(relative_frobenius(full, cheap))
    assert np.isnan(pair_errors(full, cheap)[1, 1])


def test_kernels_of_different_shapes_are_refused():
    for full, cheap in (
        (np.ones((2, 3, 2, 2)), np.ones((2, 2))),
        (np.ones((2, 2)), np.ones((2, 2))),
        (np.ones((2, 2, 2, 3)), np.ones((2, 2))),
    ):
        with pytest.raises(ValueError, match="full"):
            relative_frobenius(full, cheap)


def test_the_difference_of_predictions_is_of_frobenius_norms():
    a, b = np.random.default_rng(0).standard_normal((2, 6, 3))
    assert prediction_difference(a, b) == pytest.approx(np.linalg.norm(a - b, "fro") / np.linalg.norm(b, "fro"))
    assert prediction_difference(b, b) == 0.0
    assert prediction_difference(a, 0 * a) == np.inf
    with pytest.raises(ValueError, match="one shape"):
        prediction_difference(a, b[:5])


def test_relative_differences_of_numbers():
    assert relative_difference(3.0, 2.0) == 0.5
    assert relative_difference(3.0, -2.0) == 2.5
    assert isinstance(relative_difference(3.0, 2.0), float)
    for cheap, full in ((1.0, 0.0), (np.inf, 1.0), (1.0, np.inf), (np.inf, np.inf), (np.nan, 1.0), (1.0, np.nan)):
        assert np.isnan(relative_difference(cheap, full))
    np.testing.assert_array_equal(relative_difference(np.array([1.0, 2.0, np.inf]), np.array([2.0, 0.0, 1.0])), [0.5, np.nan, np.nan])
