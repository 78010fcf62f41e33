import numpy as np
import pytest

from ntkcore.data.synthetic import CLUSTER_RADIUS, GENERATORS, cluster_of, clusters, drawings, moons, waves


@pytest.mark.parametrize("name", GENERATORS)
def test_the_first_points_do_not_depend_on_how_many(name):
    few, many = GENERATORS[name](7, 5), GENERATORS[name](50, 5)
    np.testing.assert_array_equal(few, many[:7])
    assert few.dtype == np.float32
    assert np.isfinite(many).all()
    assert (GENERATORS[name](50, 6) != many).any()


def test_clusters_are_on_the_sphere_within_their_radius():
    points = clusters(620, 1).astype(np.float64)
    # float32 rounds each of 100 coordinates by at most 3e-8: 3e-7 in length
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=3e-7)
    index = np.arange(620)
    for label in (0, 1):
        for cluster in range(5):
            members = points[(index % 2 == label) & (cluster_of(index) == cluster)]
            spread = np.linalg.norm(members - members.mean(axis=0), axis=1)
            assert spread.max() < CLUSTER_RADIUS * 1.5  # around the sample's mean, which lies within the radius
            assert np.linalg.norm(members[0] - members[-1]) > CLUSTER_RADIUS / 2  # and they are different points
    centres = np.stack([points[(index % 2 == k % 2) & (cluster_of(index) == k // 2)].mean(axis=0) for k in range(10)])
    distance = np.linalg.norm(centres[:, None] - centres, axis=2)[~np.eye(10, dtype=bool)]
    assert distance.min() > 0.5  # random directions in 100 dimensions are nearly orthogonal


def test_cluster_sizes_double():
    index = np.arange(2 * 31 * 4)
    for label in (0, 1):
        counts = np.bincount(cluster_of(index[index % 2 == label]))
        np.testing.assert_array_equal(counts, 4 * 2 ** np.arange(5))


def test_moons_lie_on_their_half_circles():
    points = moons(4000, 0).astype(np.float64) + np.array([0.5, 0.25])
    upper, lower = points[::2], points[1::2]
    for part, centre, sign in ((upper, [0, 0], 1), (lower, [1, 0.5], -1)):
        radius = np.linalg.norm(part - centre, axis=1)
        assert abs(radius.mean() - 1) < 0.02  # noise of 0.1 lifts the mean radius by about 0.005
        assert (sign * (part - centre)[:, 1] > -0.5).all()


def test_waves_have_the_sign_of_the_sine():
    points = waves(3000, 0).astype(np.float64)
    np.testing.assert_array_equal(np.sin(3 * np.pi * points[:, 0]) > 0, np.arange(3000) % 2 == 1)
    assert np.abs(points).max() <= 1


@pytest.mark.parametrize(("name", "shape"), [("clusters", (10, 10)), ("moons", (32, 32)), ("waves", (32, 32))])
@pytest.mark.parametrize("n", [1, 40])
def test_drawings_differ_by_point(name, shape, n):
    pictures = drawings(name, GENERATORS[name](n, 0))
    assert pictures.shape == (n, *shape)
    assert pictures.dtype == np.uint8
    assert len({picture.tobytes() for picture in pictures}) > n // 3
    if name != "clusters":
        assert ((pictures == 255).sum(axis=(1, 2)) == 9).all()  # one bright block each
