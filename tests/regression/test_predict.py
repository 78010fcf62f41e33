"""Kernel regression against dense inverses, Kronecker products and closed forms.

A backward stable solve is off by a few N eps cond(A) relative; the kernels here have conditions below 1e3 unless a test is about that.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntkcore.errors import Cancelled, ComputationError
from ntkcore.kernels import matrices
from ntkcore.regression import fit_predict, fit_predict_blocks, solve

EPS = np.finfo(float).eps


def problem(n=7, m=4, k=3, seed=0):
    """A full kernel (with its test rows) of random Jacobians, its scalar sibling, targets and prior outputs."""
    generator = np.random.default_rng(seed)
    jacobian = generator.standard_normal((n + m, k, 4 * (n + m) * k))
    whole = np.einsum("iop,jqp->ijoq", jacobian, jacobian)
    scalar = np.einsum("ijoo->ij", whole) / k
    outputs, targets = generator.standard_normal((n + m, k)), generator.standard_normal((n, k))
    return whole[:n, :n], whole[n:, :n], scalar[:n, :n], scalar[n:, :n], targets, outputs[:n], outputs[n:]


@given(st.integers(1, 8), st.integers(1, 5), st.integers(1, 4), st.sampled_from([0.0, 0.3, 50.0]), st.integers(0, 99))
def test_one_kernel_for_all_outputs_is_the_formula(n, m, k, ridge, seed):
    """Thesis eq. 3.5 with lambda, inverses and all."""
    _, _, kernel, cross, targets, f_train, f_test = problem(n, m, k, seed)
    expected = f_test + cross @ np.linalg.inv(kernel + ridge * np.eye(n)) @ (targets - f_train)
    found = fit_predict(kernel, cross, targets, f_train, f_test, ridge)
    np.testing.assert_allclose(found.outputs, expected, rtol=1e-9, atol=1e-10)
    assert found.outputs.dtype == np.float64
    assert (found.jitter, found.ridge) == (0.0, ridge)
    assert found.residual < 1e-12


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.sampled_from([0.0, 0.3]), st.integers(0, 99))
def test_full_kernel_is_the_formula_entry_by_entry(n, m, k, ridge, seed):
    """Thesis eq. 3.4: the (n k) × (n k) matrix written out by loops in the order (sample, output)."""
    full, cross, _, _, targets, f_train, f_test = problem(n, m, k, seed)
    matrix, rows = np.empty((n * k, n * k)), np.empty((m * k, n * k))
    for i in range(n):
        for o in range(k):
            for p in range(k):
                for j in range(n):
                    matrix[j * k + p, i * k + o] = full[j, i, p, o]
                for j in range(m):
                    rows[j * k + p, i * k + o] = cross[j, i, p, o]
    beta = np.linalg.solve(matrix + ridge * np.eye(n * k), (targets - f_train).ravel())
    found = fit_predict_blocks(full, cross, targets, f_train, f_test, ridge)
    np.testing.assert_allclose(found.outputs, f_test + (rows @ beta).reshape(m, k), rtol=1e-9, atol=1e-10)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 99), st.sampled_from([0.0, 2.0]))
def test_a_kernel_times_the_identity_makes_both_forms_one(n, k, seed, ridge):
    _, _, kernel, cross, targets, f_train, f_test = problem(n, 3, k, seed)
    identity = np.eye(k)
    blocks = fit_predict_blocks(kernel[:, :, None, None] * identity, cross[:, :, None, None] * identity, targets, f_train, f_test, ridge)
    one = fit_predict(kernel, cross, targets, f_train, f_test, ridge)
    np.testing.assert_allclose(blocks.outputs, one.outputs, rtol=1e-9, atol=1e-11)


def test_without_ridge_training_outputs_reach_their_targets_and_with_it_they_do_not():
    full, _, kernel, _, targets, f_train, _ = problem()
    np.testing.assert_allclose(fit_predict(kernel, kernel, targets, f_train, f_train).outputs, targets, atol=1e-10)
    np.testing.assert_allclose(fit_predict_blocks(full, full, targets, f_train, f_train).outputs, targets, atol=1e-10)
    assert np.abs(fit_predict(kernel, kernel, targets, f_train, f_train, 5.0).outputs - targets).max() > 0.01


def test_targets_that_the_network_reaches_already_change_nothing():
    _, _, kernel, cross, _, f_train, f_test = problem()
    found = fit_predict(kernel, cross, f_train, f_train, f_test)
    np.testing.assert_array_equal(found.outputs, f_test)
    assert found.residual == 0.0


def test_identity_and_scalar_closed_forms():
    targets, zero = np.array([[1.0], [-2.0]]), np.zeros((2, 1))
    found = fit_predict(np.eye(2), [[0.5, 0.25]], targets, zero, [[3.0]], ridge=1.0)
    assert found.outputs == pytest.approx(np.array([[3.0 + (0.5 * 1.0 - 0.25 * 2.0) / 2.0]]))
    assert found.reciprocal_condition == pytest.approx(1.0)
    one = fit_predict([[4.0]], [[2.0], [1.0]], [[3.0]], [[1.0]], [[0.0], [0.0]])
    np.testing.assert_allclose(one.outputs, [[1.0], [0.5]])


def test_no_test_samples_give_no_outputs():
    full, _, kernel, _, targets, f_train, _ = problem(k=3)
    assert fit_predict(kernel, np.empty((0, 7)), targets, f_train, np.empty((0, 3))).outputs.shape == (0, 3)
    assert fit_predict_blocks(full, np.empty((0, 7, 3, 3)), targets, f_train, np.empty((0, 3))).outputs.shape == (0, 3)


def test_panels_and_pieces_change_nothing(monkeypatch):
    """Blocked and unblocked factorisations differ by rounding times the condition (1e2 here)."""
    full, cross, kernel, k_test, targets, f_train, f_test = problem()
    whole = fit_predict(kernel, k_test, targets, f_train, f_test, 0.1), fit_predict_blocks(full, cross, targets, f_train, f_test, 0.1)
    monkeypatch.setattr(solve, "_PANEL", 2)
    monkeypatch.setattr(matrices, "_TILE", 3)
    monkeypatch.setattr(matrices, "BLOCK", 20)
    parts = fit_predict(kernel, k_test, targets, f_train, f_test, 0.1), fit_predict_blocks(full, cross, targets, f_train, f_test, 0.1)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(other.outputs, one.outputs, rtol=1e-10, atol=1e-12)
        assert other.reciprocal_condition == pytest.approx(one.reciprocal_condition, rel=1e-9)


def test_single_precision_kernels_are_solved_in_double():
    _, _, kernel, cross, targets, f_train, f_test = problem()
    kernel, cross = kernel.astype(np.float32), cross.astype(np.float32)
    exact = f_test + cross.astype(float) @ np.linalg.inv(kernel.astype(float)) @ (targets - f_train)
    np.testing.assert_allclose(fit_predict(kernel, cross, targets, f_train, f_test).outputs, exact, rtol=1e-9, atol=1e-10)


def test_an_asymmetric_kernel_counts_by_its_symmetric_part_and_no_argument_changes():
    full, cross, kernel, k_test, targets, f_train, f_test = problem()
    skew = np.random.default_rng(1).standard_normal((7, 7))
    given_kernel = kernel + skew - skew.T
    before = given_kernel.copy()
    found = fit_predict(given_kernel, k_test, targets, f_train, f_test)
    np.testing.assert_allclose(found.outputs, fit_predict(kernel, k_test, targets, f_train, f_test).outputs, rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(given_kernel, before)
    turned = full.transpose(1, 0, 3, 2)
    both = fit_predict_blocks(0.5 * full + 0.5 * turned, cross, targets, f_train, f_test)
    np.testing.assert_allclose(both.outputs, fit_predict_blocks(full, cross, targets, f_train, f_test).outputs, rtol=1e-9, atol=1e-10)


def test_the_condition_estimate_is_lapacks():
    """dpocon is a lower bound of the condition in the 1-norm, within a factor of ten in all but constructed cases."""
    _, _, kernel, cross, targets, f_train, f_test = problem()
    found = fit_predict(kernel, cross, targets, f_train, f_test, 0.5).reciprocal_condition
    exact = 1 / np.linalg.cond(kernel + 0.5 * np.eye(7), 1)
    assert exact * (1 - 1e-9) <= found <= 10 * exact


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_duplicate_images_get_the_smallest_jitter_of_the_ladder_and_it_is_said(dtype):
    """A duplicated row makes K singular: with a small jitter the solution is the minimum-norm one to O(jitter / smallest eigenvalue)."""
    generator = np.random.default_rng(2)
    factor = generator.integers(-3, 4, (5, 9)).astype(float)  # whole numbers: exact in both precisions, hence exactly singular
    factor = np.vstack([factor, factor[:1]])
    kernel, targets, zero = (factor @ factor.T).astype(dtype), generator.standard_normal((6, 2)), np.zeros((6, 2))
    targets[5] = targets[0]
    found = fit_predict(kernel, kernel[:4], targets, zero, zero[:4])
    unit = np.finfo(dtype).eps * np.trace(kernel.astype(float)) / 6
    rung = np.log10(found.jitter / unit)
    assert rung == pytest.approx(round(rung), abs=1e-9)
    assert 0 <= rung <= 3
    assert 0 < found.residual < 1e-4
    expected = kernel[:4].astype(float) @ np.linalg.lstsq(kernel.astype(float), targets)[0]
    np.testing.assert_allclose(found.outputs, expected, atol=1e3 * found.jitter + 1e-9)
    assert found.reciprocal_condition >= EPS
    # one rung less is not enough
    smaller = kernel.astype(float) + (found.jitter / 10 if round(rung) else 0.0) * np.eye(6)
    assert 1 / np.linalg.cond(smaller, 1) < 10 * EPS


def test_the_residual_tells_what_the_jitter_cost():
    """Conflicting labels on duplicates cannot both be reached: half of their difference remains."""
    kernel, targets, zero = np.ones((2, 2)), np.array([[1.0], [-1.0]]), np.zeros((2, 1))
    found = fit_predict(kernel, kernel, targets, zero, zero)
    assert found.jitter > 0
    assert found.residual == pytest.approx(1.0)
    np.testing.assert_allclose(found.outputs, 0.0, atol=1e-6)


def test_a_ridge_makes_jitter_unnecessary_also_for_a_zero_kernel():
    targets, zero = np.array([[1.0], [-1.0]]), np.zeros((2, 1))
    assert fit_predict(np.ones((2, 2)), np.ones((1, 2)), targets, zero, [[0.0]], 1e-3).jitter == 0.0
    np.testing.assert_array_equal(fit_predict(np.zeros((2, 2)), np.zeros((1, 2)), targets, zero, [[7.0]], 1e-3).outputs, [[7.0]])


@pytest.mark.parametrize(
    ("kernel", "said"), [(np.zeros((2, 2)), "zero"), (np.diag([1.0, -1.0]), "positive definite"), (-np.eye(2), "positive")]
)
def test_kernels_without_a_regression_are_refused(kernel, said):
    zero = np.zeros((2, 1))
    with pytest.raises(ComputationError, match=said):
        fit_predict(kernel, kernel, zero + 1, zero, zero)


def test_values_that_are_not_finite_are_refused_wherever_they_are():
    arguments = [np.eye(2), np.ones((1, 2)), np.ones((2, 1)), np.zeros((2, 1)), np.zeros((1, 1))]
    for position in range(5):
        for bad in (np.nan, np.inf):
            broken = [a.copy() for a in arguments]
            broken[position][0, 0] = bad
            with pytest.raises(ComputationError, match=r"finite|NaN"):
                fit_predict(*broken)


def test_shapes_and_ridge_are_checked_by_name():
    full, cross, kernel, k_test, targets, f_train, f_test = problem()
    good = [kernel, k_test, targets, f_train, f_test]
    for position, name in enumerate(["k_train", "k_test_train", "targets", "f_train", "f_test"]):
        broken = list(good)
        broken[position] = broken[position][:-1]
        with pytest.raises(ValueError, match=name if name != "f_test" else "k_test_train"):
            fit_predict(*broken)
    for call in (fit_predict_blocks, lambda *a: fit_predict(full, cross, *a[2:])):
        with pytest.raises(ValueError, match="k_train"):
            call(*good)
    for ridge in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="ridge"):
            fit_predict(*good, ridge)
    with pytest.raises(ValueError, match="targets"):
        fit_predict(kernel, k_test, targets[:, 0], f_train, f_test)


def test_waiting_is_called_between_panels_and_may_cancel(monkeypatch):
    _, _, kernel, cross, targets, f_train, f_test = problem()
    monkeypatch.setattr(solve, "_PANEL", 2)
    calls = []
    fit_predict(kernel, cross, targets, f_train, f_test, waiting=lambda: calls.append(1))
    assert len(calls) == 4

    def cancel():
        raise Cancelled

    with pytest.raises(Cancelled):
        fit_predict(kernel, cross, targets, f_train, f_test, waiting=cancel)
