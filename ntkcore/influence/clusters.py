"""Theorem 4 on simulated data: tight clusters on the unit sphere, the bound and the actual error of each (IF-NTK Fig. 12; SCIENCE.md §4).

Each of two classes has five clusters, the k-th of ``scale · 2^k`` training samples, k = 1 … 5; the source's scale is 50. A centre is
uniform on the unit sphere of R^100. A sample is its centre moved by a uniform vector of the tangent space's ball of radius r and scaled
back to length 1, which brings it no further than r from the cluster's mean.
"""

from dataclasses import dataclass
from math import isinf

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import eigsh

from ntkcore.errors import DataError
from ntkcore.influence.bounds import cluster_bound, ihvp_error, least_ridge
from ntkcore.kernels.relu import two_layer_relu_ntk
from ntkcore.regression import KernelRegression

CLUSTERS = 5
DIMENSION = 100
RADIUS = 0.001
_ABOVE = 1.01  # λ over the least that the theorem allows
_TESTS = 200

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Training and held-out samples: x (n, d) and (m, d) of length 1, y (n, 1) and (m, 1) of ±1, clusters (n,) and (m,) from 0."""

    x: Float
    y: Float
    clusters: NDArray[np.int64]
    x_test: Float
    y_test: Float
    test_clusters: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClusterErrors:
    """Bound and error per cluster.

    Attributes:
        sizes: (c,) training samples of each cluster.
        labels: (c,) its class, ±1.
        upper, actual: (c,) mean over the cluster's training samples and all held-out ones of the bound and of ``|I - Î|``.
        rate, rate_upper: (c,) the sums of ``|I - Î|`` and of the bound over the sum of ``|I|``, as a size without unit.
        held: pairs for which the bound holds, to rounding; ``pairs`` of all.
        ridge, least_ridge: λ used, and the theorem's least.
        gamma, largest_eigenvalue: the theorem's γ on these data, and λ_max.
        radius: r.
    """

    sizes: NDArray[np.int64]
    labels: Float
    upper: Float
    actual: Float
    rate: Float
    rate_upper: Float
    held: int
    pairs: int
    ridge: float
    least_ridge: float
    gamma: float
    largest_eigenvalue: float
    radius: float


def mixture(scale: int, tests: int = _TESTS, radius: float = RADIUS, dimension: int = DIMENSION, seed: int = 0) -> Mixture:
    """Draw the data set.

    Args:
        scale: cluster k has ``scale · 2^k`` training samples, k = 1 … 5, in each class.
        tests: held-out samples, drawn from the same mixture.
        radius: r, between 0 and 1.
        dimension: d, at least 2.
        seed: of the draw.

    Raises:
        DataError: a number out of its range.
    """
    if scale < 1 or tests < 1 or dimension < 2 or not 0 < radius < 1:
        raise DataError("The clusters need at least one sample, two dimensions and a radius between 0 and 1.", "Choose such numbers.")
    generator = np.random.default_rng(seed)
    sizes = np.tile(scale * 2 ** np.arange(1, CLUSTERS + 1), 2)
    centres = generator.standard_normal((2 * CLUSTERS, dimension))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    clusters = np.repeat(np.arange(2 * CLUSTERS), sizes)
    drawn = generator.choice(2 * CLUSTERS, size=tests, p=sizes / sizes.sum())
    x, x_test = (_around(centres[of], radius, generator) for of in (clusters, drawn))
    y, y_test = (np.where(of < CLUSTERS, 1.0, -1.0)[:, None] for of in (clusters, drawn))
    return Mixture(x, y, clusters, x_test, y_test, drawn)


def _around(centres: Float, radius: float, generator: np.random.Generator) -> Float:
    """A sample near each centre."""
    d = centres.shape[1]
    moved = generator.standard_normal(centres.shape)
    moved -= (moved * centres).sum(1, keepdims=True) * centres  # into the tangent space
    moved *= radius * generator.random((len(centres), 1)) ** (1 / (d - 1)) / np.linalg.norm(moved, axis=1, keepdims=True)
    found = centres + moved
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def cluster_errors(data: Mixture, radius: float = RADIUS) -> ClusterErrors:
    """Theorem 4's bound and the actual error on a data set, at λ 1 % above the least that the theorem allows.

    Memory: about 40 n² bytes.

    Raises:
        DataError: a radius for which the theorem says nothing, ``√2 ε_r >= 1``.
    """
    kernel = two_layer_relu_ntk(data.x)
    largest = float(eigsh(kernel, k=1, v0=np.ones(len(kernel)), return_eigenvectors=False)[0])
    least = least_ridge(largest, radius)
    if isinf(least):
        raise DataError(f"At a radius of {radius:g} Theorem 4 says nothing: √2 ε_r is 1 or more.", "Choose a smaller radius.")
    regression = KernelRegression(kernel, data.y, _ABOVE * least)
    bound = cluster_bound(regression, largest, data.clusters, radius)
    error = ihvp_error(regression, two_layer_relu_ntk(data.x_test, data.x), data.y_test, 0.0)
    actual, upper = np.abs(error.exact - error.estimate), bound.upper(error)
    count = np.bincount(data.clusters)
    sums = [np.bincount(data.clusters, weights=values.sum(1)) for values in (upper, actual, np.abs(error.exact))]
    slack = 1e-9 * (np.abs(error.exact) + np.abs(error.estimate) + error.remainder)
    return ClusterErrors(
        sizes=count,
        labels=np.where(np.arange(len(count)) < CLUSTERS, 1.0, -1.0),
        upper=sums[0] / (count * len(data.y_test)),
        actual=sums[1] / (count * len(data.y_test)),
        rate=sums[1] / sums[2],
        rate_upper=sums[0] / sums[2],
        held=int((actual <= upper + slack).sum()),
        pairs=actual.size,
        ridge=regression.ridge,
        least_ridge=bound.least_ridge,
        gamma=bound.gamma,
        largest_eigenvalue=largest,
        radius=radius,
    )
