"""Alignment against the dense definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntkcore.convergence import alignment
from ntkcore.kernels import matrices

SIZES = st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(0, 99))


def drawn(n, k, seed):
    generator = np.random.default_rng(seed)
    jacobian = generator.standard_normal((n, k, 30))
    return np.einsum("iop,jqp->ijoq", jacobian, jacobian), generator.standard_normal((n, k))


def dense(matrix, y):
    return np.sum(matrix * np.outer(y, y)) / (np.linalg.norm(matrix) * np.linalg.norm(np.outer(y, y)))


@given(SIZES)
def test_the_full_kernels_alignment_is_the_dense_one(sizes):
    full, y = drawn(*sizes)
    n, k, _ = sizes
    found = alignment(full, y)
    assert found == pytest.approx(dense(full.transpose(0, 2, 1, 3).reshape(n * k, n * k), y.ravel()), rel=1e-10)
    assert -1e-12 <= found <= 1 + 1e-12


@given(SIZES)
def test_a_cheap_kernel_has_the_alignment_of_its_kronecker_product(sizes):
    full, y = drawn(*sizes)
    k = sizes[1]
    cheap = np.einsum("ijoo->ij", full) / k
    found = alignment(cheap, y)
    assert found == pytest.approx(dense(np.kron(cheap, np.eye(k)), y.ravel()), rel=1e-10)
    assert found == pytest.approx(alignment(cheap[:, :, None, None] * np.eye(k), y), rel=1e-10)


def test_it_is_the_sources_up_to_a_constant_of_the_targets():
    full, y = drawn(6, 3, 0)
    cheap, outer = full[:, :, 0, 0], y @ y.T
    source = np.sum(cheap * outer) / (np.linalg.norm(cheap) * np.linalg.norm(outer))
    assert alignment(cheap, y) * np.sqrt(3) * np.sum(y**2) / np.linalg.norm(outer) == pytest.approx(source)
    one = y[:, :1]
    assert alignment(cheap, one) == pytest.approx(np.sum(cheap * (one @ one.T)) / (np.linalg.norm(cheap) * np.linalg.norm(one @ one.T)))


def test_known_values_and_pieces(monkeypatch):
    y = np.array([[1.0], [-1.0], [1.0]])
    assert alignment(y @ y.T, y) == pytest.approx(1.0)
    assert alignment(np.eye(3), y) == pytest.approx(1 / np.sqrt(3))
    assert alignment(-(y @ y.T), y) == pytest.approx(-1.0)
    full, targets = drawn(5, 3, 1)
    whole = alignment(full.astype(np.float32), targets)
    monkeypatch.setattr(matrices, "BLOCK", 50)
    assert alignment(full.astype(np.float32), targets) == pytest.approx(whole, rel=1e-12)


def test_undefined_and_wrong():
    for kernel, y in ((np.zeros((2, 2)), np.ones((2, 1))), (np.eye(2), np.zeros((2, 1))), (np.full((2, 2), np.nan), np.ones((2, 1)))):
        assert np.isnan(alignment(kernel, y))
    for kernel, y in ((np.eye(2), np.ones(2)), (np.eye(2), np.ones((3, 1))), (np.ones((2, 2, 3, 3)), np.ones((2, 2)))):
        with pytest.raises(ValueError, match="targets"):
            alignment(kernel, y)
