"""Centred alignment of two kernels against its definition written out, and where it is known."""

import numpy as np
import pytest

from ntkcore.kernels.alikeness import kernels_alike


def psd(seed, n=12, d=4):
    rows = np.random.default_rng(seed).standard_normal((n, d))
    return rows @ rows.T


def test_it_is_the_definition_and_linear_cka():
    """Of products of features, ‖X̃ᵀỸ‖² / (‖X̃ᵀX̃‖ ‖ỸᵀỸ‖) with centred columns (Kornblith et al. 2019): another way to it."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((15, 4)), rng.standard_normal((15, 3))
    found = kernels_alike(x @ x.T, y @ y.T)
    x, y = x - x.mean(0), y - y.mean(0)
    norm = np.linalg.norm
    assert found.alignment == pytest.approx(norm(x.T @ y) ** 2 / (norm(x.T @ x) * norm(y.T @ y)), abs=1e-13)
    h = np.eye(15) - 1 / 15
    a, b = h @ (x @ x.T) @ h, h @ (y @ y.T) @ h
    rows = [np.dot(p, q) / (norm(p) * norm(q)) for p, q in zip(a, b, strict=True)]
    np.testing.assert_allclose(found.rows, rows, atol=1e-12)


def test_factors_and_constants_do_not_count():
    kernel = psd(1)
    found = kernels_alike(kernel.astype(np.float32), 7 * kernel.astype(np.float32).astype(np.float64) + 3)
    assert found.alignment == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(found.rows, 1, atol=1e-12)


def test_kernels_of_orthogonal_features_have_nothing_in_common():
    n = 8
    columns = np.linalg.qr(np.column_stack([np.ones(n), np.random.default_rng(2).standard_normal((n, 2))]))[0][:, 1:]
    found = kernels_alike(np.outer(columns[:, 0], columns[:, 0]), np.outer(columns[:, 1], columns[:, 1]))
    assert found.alignment == pytest.approx(0, abs=1e-14)


def test_a_constant_kernel_has_no_alignment_and_shapes_are_checked():
    found = kernels_alike(np.full((5, 5), 0.1), psd(3, 5))
    assert np.isnan(found.alignment) and np.isnan(found.rows).all()
    with pytest.raises(ValueError, match="same samples"):
        kernels_alike(psd(0, 5), psd(0, 6))
    with pytest.raises(ValueError, match="a kernel"):
        kernels_alike(np.ones((3, 4)), psd(0, 3))
