"""Predicted decay against the matrix exponential, loops and each other."""

import numpy as np
import pytest
from scipy.linalg import expm

from ntkcore.errors import Cancelled, ComputationError
from ntkcore.learnability import decay, diagonal_decay, envelope, full_decay

TIME = np.array([0.0, 0.01, 0.3, 2.0, 50.0])


def problem(n=7, k=3, seed=0, rank=None):
    generator = np.random.default_rng(seed)
    factor = generator.standard_normal((n, rank or n + 2))
    return factor @ factor.T, generator.standard_normal((n, k))


def test_full_decay_is_the_matrix_exponential():
    """Both are accurate to about 1e-15 of the initial error times the condition of the exponential, which is 1."""
    kernel, error0 = problem()
    expected = [np.linalg.norm(expm(-kernel * tau) @ error0, axis=1) for tau in TIME]
    np.testing.assert_allclose(full_decay(*np.linalg.eigh(kernel), error0, TIME), expected, rtol=1e-9, atol=1e-12)


def test_full_decay_of_some_members_and_in_blocks_is_the_same(monkeypatch):
    kernel, error0 = problem()
    spectrum = np.linalg.eigh(kernel)
    whole = full_decay(*spectrum, error0, TIME)
    np.testing.assert_allclose(full_decay(*spectrum, error0, TIME, members=[5, 0]), whole[:, [5, 0]], rtol=1e-12)
    monkeypatch.setattr(decay, "_BLOCK", 2 * error0.size)  # two times a block
    calls = []
    blocks = full_decay(*spectrum, error0, TIME, progress=lambda done, total: calls.append((done, total)))
    np.testing.assert_allclose(blocks, whole, rtol=1e-12)
    assert calls == [(2, 5), (4, 5), (5, 5)]

    def cancel(_done, _total):
        raise Cancelled

    with pytest.raises(Cancelled):
        full_decay(*spectrum, error0, TIME, progress=cancel)


def test_a_singular_kernel_keeps_what_it_cannot_learn():
    kernel, error0 = problem(rank=3)
    values, vectors = np.linalg.eigh(kernel)
    kept = vectors[:, :4] @ vectors[:, :4].T @ error0
    late = full_decay(values, vectors, error0, [1e6])
    np.testing.assert_allclose(late[0], np.linalg.norm(kept, axis=1), rtol=1e-6)


def test_a_diagonal_kernel_makes_both_solutions_one():
    score, error0 = np.array([0.5, 3.0, 0.0, 1.0]), problem(4)[1]
    expected = diagonal_decay(error0, score, TIME)
    np.testing.assert_allclose(full_decay(score, np.eye(4), error0, TIME), expected, rtol=1e-12, atol=0)
    np.testing.assert_allclose(full_decay(*np.linalg.eigh(np.diag(score)), error0, TIME), expected, rtol=1e-12, atol=0)


def test_diagonal_decay_is_the_formula_sample_by_sample():
    score, error0 = np.array([0.5, 3.0, 0.1]), problem(3, 2)[1]
    result = diagonal_decay(error0, score, TIME)
    for t, tau in enumerate(TIME):
        for i in range(3):
            assert result[t, i] == pytest.approx(np.linalg.norm(error0[i] * np.exp(-score[i] * tau)), rel=1e-12)


def test_the_envelope_contains_every_diagonal_decay_and_is_touched_by_the_extremes():
    generator = np.random.default_rng(3)
    score, error0 = generator.random(20) * 4, generator.standard_normal((20, 1))
    middle = diagonal_decay(error0, score, TIME)
    lower, upper = envelope(error0, score, TIME)
    assert (lower <= middle).all()
    assert (middle <= upper).all()
    np.testing.assert_array_equal(lower[:, score.argmax()], middle[:, score.argmax()])
    np.testing.assert_array_equal(upper[:, score.argmin()], middle[:, score.argmin()])


def test_negative_eigenvalues_of_rounding_count_as_zero_and_real_ones_are_refused():
    kernel, error0 = problem()
    values, vectors = np.linalg.eigh(kernel)
    rounded = values.copy()
    rounded[0] = -1e-7 * values.max()
    zero = values.copy()
    zero[0] = 0.0
    np.testing.assert_array_equal(full_decay(rounded, vectors, error0, [1e9]), full_decay(zero, vectors, error0, [1e9]))
    for bad in (-1e-3 * values.max(), np.nan):
        rounded[0] = bad
        with pytest.raises(ComputationError, match="eigenvalues"):
            full_decay(rounded, vectors, error0, TIME)


def test_single_precision_input_is_computed_in_double():
    kernel, error0 = problem()
    values, vectors = np.linalg.eigh(kernel.astype(np.float32))
    assert full_decay(values, vectors, error0.astype(np.float32), TIME.astype(np.float32)).dtype == np.float64
    assert diagonal_decay(error0.astype(np.float32), values, TIME).dtype == np.float64


def test_wrong_input_is_refused():
    kernel, error0 = problem()
    values, vectors = np.linalg.eigh(kernel)
    for score in (np.array([1.0, -1.0]), np.array([1.0, np.nan])):
        with pytest.raises(ComputationError, match=r"k\(x,x\)"):
            diagonal_decay(error0[:2], score, TIME)
    for call, match in (
        (lambda: diagonal_decay(error0[:, 0], values, TIME), "error0"),
        (lambda: envelope(error0, values[:-1], TIME), "score"),
        (lambda: full_decay(values[:-1], vectors, error0, TIME), "eigenvalues"),
        (lambda: full_decay(values, vectors, error0, [-1.0]), "time"),
        (lambda: diagonal_decay(error0, values, 1.0), "time"),
    ):
        with pytest.raises(ValueError, match=match):
            call()
