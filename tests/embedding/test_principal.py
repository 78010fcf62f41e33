"""The kernel's plane against scikit-learn's kernel PCA, and against what follows from its definition."""

import sys

import numpy as np
import pytest
from sklearn.decomposition import KernelPCA

from ntkcore.embedding import principal
from ntkcore.errors import ComputationError

MODULE = sys.modules["ntkcore.embedding.principal"]  # its package has the function by that name


def kernel_of(n, d, dtype=np.float64):
    rows = np.random.default_rng(1).standard_normal((n, d)) * np.arange(d, 0, -1)  # distinct eigenvalues
    return (rows @ rows.T + 1.0).astype(dtype)


@pytest.mark.parametrize("lanczos", [False, True])
def test_it_is_kernel_pca(lanczos, monkeypatch):
    if lanczos:
        monkeypatch.setattr(MODULE, "SMALL", 10)
    kernel = kernel_of(80, 12)
    found = principal(kernel, 5)
    expected = KernelPCA(5, kernel="precomputed", eigen_solver="dense").fit_transform(kernel)
    signs = np.sign((found.coordinates * expected).sum(0))
    np.testing.assert_allclose(found.coordinates, expected * signs, atol=1e-5 if lanczos else 1e-9)
    centred = kernel - kernel.mean(0) - kernel.mean(1)[:, None] + kernel.mean()
    np.testing.assert_allclose(found.shares, np.linalg.eigvalsh(centred)[::-1][:5] / np.trace(centred), rtol=1e-6)
    largest = found.coordinates[np.abs(found.coordinates).argmax(0), np.arange(5)]
    assert (largest > 0).all()


def test_all_axes_together_keep_the_kernels_distances():
    kernel = kernel_of(30, 8)
    found = principal(kernel, 29)
    own = np.diagonal(kernel)
    gaps = found.coordinates[:, None] - found.coordinates[None]
    np.testing.assert_allclose(np.square(gaps).sum(2), own[:, None] + own - 2 * kernel, atol=1e-8)
    np.testing.assert_allclose(found.shares.sum(), 1)


def test_single_precision_is_near_double(monkeypatch):
    monkeypatch.setattr(MODULE, "SMALL", 10)
    kernel = kernel_of(80, 12)
    one, other = principal(kernel, 3), principal(kernel.astype(np.float32), 3)
    np.testing.assert_allclose(one.coordinates, other.coordinates, atol=2e-3)  # 1e-7 of k(x,x), over the gaps of the eigenvalues


def test_what_has_no_plane_is_said():
    with pytest.raises(ComputationError, match="the same"):
        principal(np.full((5, 5), 2.0), 2)
    with pytest.raises(ComputationError, match="not finite"):
        principal(np.full((5, 5), np.nan), 2)


def test_it_can_be_given_up(monkeypatch):
    monkeypatch.setattr(MODULE, "SMALL", 10)

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        principal(kernel_of(40, 6), 2, stop)
