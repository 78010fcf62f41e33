"""The neighbour embedding keeps who is near whom, is the same twice, and can be given up."""

from itertools import pairwise

import numpy as np
import pytest

from ntkcore.embedding import nearest, neighbour_embedding, principal, share_kept
from ntkcore.embedding.neighbours import neighbours_needed, perplexity_of


def islands():
    """Five islands in twenty dimensions."""
    draw = np.random.default_rng(0)
    rows = np.repeat(10 * draw.standard_normal((5, 20)), 30, axis=0) + draw.standard_normal((150, 20))
    return rows @ rows.T, np.repeat(np.arange(5), 30)


def test_islands_stay_islands_and_the_picture_is_the_same_twice():
    kernel, labels = islands()
    found, start = nearest(kernel, 100), principal(kernel, 2).coordinates
    told = []
    plane = neighbour_embedding(found.near, found.distances, start, progress=lambda done, of: told.append((done, of)))
    again = neighbour_embedding(found.near, found.distances, start)
    np.testing.assert_allclose(plane, again)
    assert plane.shape == (150, 2) and np.isfinite(plane).all()
    near = np.argsort(np.linalg.norm(plane[:, None] - plane, axis=2), axis=1)[:, 1:6]
    assert (labels[near] == labels[:, None]).all()
    assert share_kept(plane, found.near[:, :15]).mean() > share_kept(start, found.near[:, :15]).mean()
    assert told[-1][0] == told[-1][1] and all(a <= b for (a, _), (b, _) in pairwise(told))


@pytest.mark.parametrize("n", [4, 12])
def test_few_images_have_a_plane_too(n):
    rows = np.random.default_rng(0).standard_normal((n, 5))
    found = nearest(rows @ rows.T, 100)
    plane = neighbour_embedding(found.near, found.distances, rows[:, :2], steps=30)
    assert plane.shape == (n, 2) and np.isfinite(plane).all()
    assert neighbours_needed(n) == n - 1 and perplexity_of(n) == (n - 1) / 3


def test_it_can_be_given_up():
    kernel, _ = islands()
    found = nearest(kernel, 100)

    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        neighbour_embedding(found.near, found.distances, principal(kernel, 2).coordinates, progress=stop)
