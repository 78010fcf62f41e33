"""Samples laid on a plane that was not made of them, against scikit-learn's kernel PCA and against the plane's own samples."""

import sys

import numpy as np
from sklearn.decomposition import KernelPCA

from ntkcore.embedding import among, outside, principal

MODULE = sys.modules["ntkcore.embedding.outside"]  # its package has the function by that name


def rows_of(n, d, seed):
    return np.random.default_rng(seed).standard_normal((n, d)) * np.arange(d, 0, -1)  # distinct eigenvalues


def test_it_is_the_transform_of_kernel_pca(monkeypatch):
    monkeypatch.setattr(MODULE, "_BAND", 7)
    rows, others = rows_of(60, 9, 0), rows_of(20, 9, 1)
    kernel, k_test = rows @ rows.T + 1.0, others @ rows.T + 1.0
    plane = principal(kernel, 4)
    fitted = KernelPCA(4, kernel="precomputed", eigen_solver="dense").fit(kernel)
    signs = np.sign((plane.coordinates * fitted.transform(kernel)).sum(0))
    found = outside(kernel, k_test, plane.coordinates)
    np.testing.assert_allclose(found.coordinates, fitted.transform(k_test) * signs, atol=1e-9 * np.abs(plane.coordinates).max())
    gaps = np.square(others[:, None] - rows[None]).sum(2)
    np.testing.assert_array_equal(found.near, np.argsort(gaps, axis=1)[:, :10])


def test_the_planes_own_samples_lie_where_they_are():
    rows = rows_of(40, 6, 2)
    kernel = rows @ rows.T
    plane = principal(kernel, 10)  # of which four axes carry nothing
    found = outside(kernel, kernel, plane.coordinates)
    np.testing.assert_allclose(found.coordinates[:, :6], plane.coordinates[:, :6], atol=1e-8)
    np.testing.assert_allclose(found.coordinates[:, 6:], 0.0, atol=1e-6)
    np.testing.assert_array_equal(found.near[:, 0], np.arange(40))


def test_where_a_plane_is_no_projection_the_nearest_stand_for_it():
    plane = np.array([[0.0, 0.0], [2.0, 4.0], [10.0, 2.0], [-5.0, 1.0]])
    np.testing.assert_array_equal(among(plane, np.array([[0, 1, 2], [3, 3, 3]])), [[2.0, 2.0], [-5.0, 1.0]])
