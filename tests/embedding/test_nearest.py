"""Nearest images by brute force, and the share of them that a plane keeps."""

import sys

import numpy as np
import pytest

from ntkcore.embedding import nearest, share_kept

MODULE = sys.modules["ntkcore.embedding.nearest"]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_against_all_pairs(monkeypatch, dtype):
    monkeypatch.setattr(MODULE, "_BAND", 7)
    rows = np.random.default_rng(0).standard_normal((40, 6))
    kernel = (rows @ rows.T).astype(dtype)
    told = []
    found = nearest(kernel, 5, lambda done, of: told.append((done, of)))
    gaps = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    norms = np.linalg.norm(rows, axis=1)
    cosine = rows @ rows.T / norms[:, None] / norms
    np.fill_diagonal(gaps, np.inf)
    np.fill_diagonal(cosine, -np.inf)
    np.testing.assert_array_equal(found.near, np.argsort(gaps, axis=1)[:, :5])
    np.testing.assert_array_equal(found.alike, np.argsort(-cosine, axis=1)[:, :5])
    tolerance = 1e-12 if dtype is np.float64 else 2e-3  # a distance is the root of a difference of products rounded to 1e-7
    np.testing.assert_allclose(found.distances, np.sort(gaps, axis=1)[:, :5], atol=tolerance)
    np.testing.assert_allclose(found.cosines, -np.sort(-cosine, axis=1)[:, :5], atol=1e-6)
    assert told[0] == (7, 40) and told[-1] == (40, 40)


def test_copies_are_nearest_and_none_is_its_own_neighbour():
    rows = np.repeat(np.random.default_rng(0).standard_normal((6, 3)), 2, axis=0)
    found = nearest(rows @ rows.T, 50)
    assert found.near.shape == (12, 11)
    assert (found.near != np.arange(12)[:, None]).all() and (found.alike != np.arange(12)[:, None]).all()
    np.testing.assert_array_equal(found.near[:, 0], np.arange(12) ^ 1)
    np.testing.assert_allclose(found.distances[:, 0], 0, atol=1e-7)


def test_a_plane_that_is_the_truth_keeps_all_and_a_random_one_as_much_as_chance():
    points = np.random.default_rng(0).standard_normal((300, 2))
    near = nearest(points @ points.T, 15).near
    np.testing.assert_array_equal(share_kept(points, near), 1)
    other = np.random.default_rng(1).standard_normal((300, 2))
    kept = share_kept(other, near)
    slow = [len(set(near[i]) & set(np.argsort(np.linalg.norm(other - other[i], axis=1))[1:16])) / 15 for i in range(300)]
    np.testing.assert_allclose(kept, slow)
    assert abs(kept.mean() - 15 / 299) < 0.02


def test_coincident_points_count_once():
    plane = np.zeros((10, 2))
    near = nearest(np.eye(10), 3).near
    kept = share_kept(plane, near)
    assert ((kept >= 0) & (kept <= 1)).all()
