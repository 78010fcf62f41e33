"""Generated sets: the clusters of IF-NTK's Theorem 4 and two toy sets, with drawings to show their points.

Point ``i`` belongs to class ``i % 2``, and the first points do not depend on how many are generated.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

GENERATOR_VERSION = 1  # raise it when the points change: it is part of the sets' content hash

CLUSTERS = 5  # per class
CLUSTER_DIMENSION = 100
CLUSTER_RADIUS = 0.001
MOON_NOISE = 0.1
WAVE_PERIODS = 3

_SIDE = 32  # of a drawing of a toy point
_DIM, _BRIGHT = 90, 255


def cluster_of(index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cluster 0 .. 4 within its class of each point, by the point's position; sizes are as 1 : 2 : 4 : 8 : 16.

    IF-NTK (Fig. 12) has n_k = 50·2ᵏ points in cluster k. The ruler sequence (how often 2 divides 1, 2, 3, …) has the same
    proportions in every 31 terms, for any number of points.
    """
    turn = (np.asarray(index) // 2) % 31 + 1
    low_bit = turn & -turn
    return CLUSTERS - 1 - np.log2(low_bit).astype(np.int64)


def clusters(n: int, seed: int) -> NDArray[np.float32]:
    """``(n, 100)`` points on the unit sphere, within 0.001 of the centre of their cluster (IF-NTK, Definition 1 and Fig. 12).

    Centres are uniform on the sphere. The source does not say how a point is placed within its cluster: here the distance
    to the centre is that of a uniform point of a ball, in a uniform direction along the sphere.
    """
    centres = _unit(np.random.default_rng([seed, 0]).standard_normal((2 * CLUSTERS, CLUSTER_DIMENSION)))
    index = np.arange(n)
    centre = centres[(index % 2) * CLUSTERS + cluster_of(index)]
    direction = np.random.default_rng([seed, 1]).standard_normal((n, CLUSTER_DIMENSION))
    direction -= np.sum(direction * centre, axis=1, keepdims=True) * centre
    distance = CLUSTER_RADIUS * np.random.default_rng([seed, 2]).random((n, 1)) ** (1 / (CLUSTER_DIMENSION - 1))
    cosine = 1 - distance**2 / 2  # of the angle whose chord is the distance
    return (cosine * centre + np.sqrt(1 - cosine**2) * _unit(direction)).astype(np.float32)


def moons(n: int, seed: int) -> NDArray[np.float32]:
    """``(n, 2)`` points of two interleaved half circles of radius 1, centred at the origin, with Gaussian noise of 0.1."""
    angle = np.pi * np.random.default_rng([seed, 0]).random(n)
    noise = MOON_NOISE * np.random.default_rng([seed, 1]).standard_normal((n, 2))
    lower = np.arange(n) % 2 == 1
    x = np.where(lower, 1 - np.cos(angle), np.cos(angle)) - 0.5
    y = np.where(lower, 0.5 - np.sin(angle), np.sin(angle)) - 0.25
    return (np.stack([x, y], axis=1) + noise).astype(np.float32)


def waves(n: int, seed: int) -> NDArray[np.float32]:
    """``(n, 1)`` points of [-1, 1]; class 1 where sin(3πx) is positive, class 0 where it is negative, uniform within each class."""
    generator = np.random.default_rng([seed, 0])
    place = generator.random((n, 2))
    period = np.floor(place[:, 0] * WAVE_PERIODS)
    half = 0.5 * (np.arange(n) % 2 == 1)  # from x = -1 on the wave is first below zero, then above
    inside = half + 0.5 * np.clip(place[:, 1], 1e-4, 1 - 1e-4)  # clear of the zeros, whose sign rounding would decide
    return (2 * (period + inside) / WAVE_PERIODS - 1).astype(np.float32)[:, None]


GENERATORS: dict[str, Callable[[int, int], NDArray[np.float32]]] = {"clusters": clusters, "moons": moons, "waves": waves}


def drawings(name: str, points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A gray drawing of each point, for display.

    Args:
        name: ``"clusters"``, ``"moons"`` or ``"waves"``.
        points: ``(n, d)``.

    Returns:
        ``(n, 10, 10)`` for clusters: the coordinates in reading order, 0 at middle gray, one scale for all. ``(n, 32, 32)``
        for the toy sets: all points (moons) or the wave (waves) dim, this point bright.
    """
    if name == "clusters":
        scale = max(float(np.abs(points).max()), 1e-12)
        return np.rint(127.5 + 127.5 * points / scale).astype(np.uint8).reshape(len(points), 10, 10)
    if name == "waves":
        curve = np.linspace(-1, 1, 8 * _SIDE)
        dim = np.stack([curve, np.sin(WAVE_PERIODS * np.pi * curve)], axis=1)
        shown = np.stack([points[:, 0], np.sin(WAVE_PERIODS * np.pi * points[:, 0])], axis=1)
        low, high = np.array([-1.0, -1.0]), np.array([1.0, 1.0])
    else:
        dim = shown = points.astype(np.float64)
        low, high = points.min(axis=0), points.max(axis=0)
    background = np.zeros((_SIDE, _SIDE), np.uint8)
    row, column = _cells(dim, low, high)
    background[row, column] = _DIM
    canvas = np.repeat(background[None], len(points), axis=0)
    row, column = _cells(shown, low, high)
    image = np.arange(len(points))
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            canvas[image, row + down, column + right] = _BRIGHT
    return canvas


def _cells(points: NDArray, low: NDArray, high: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of each point, at least one pixel inside the drawing; up is up."""
    place = np.rint(1 + (points - low) / np.maximum(high - low, 1e-12) * (_SIDE - 3)).astype(np.int64)
    return _SIDE - 1 - place[:, 1], place[:, 0]


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
