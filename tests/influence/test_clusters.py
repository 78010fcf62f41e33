"""The simulated clusters are what Theorem 4 speaks of, and its bound and the errors are those of deletion."""

import numpy as np
import pytest
from deletion_oracle import brute, outputs

from ntkcore.errors import DataError
from ntkcore.influence.clusters import CLUSTERS, cluster_errors, mixture
from ntkcore.kernels import two_layer_relu_ntk


def test_the_mixture_is_the_paper_s() -> None:
    data = mixture(3, tests=70, seed=4)
    assert list(np.bincount(data.clusters)) == [6, 12, 24, 48, 96] * 2
    assert data.x.shape == (372, 100) and data.x_test.shape == (70, 100)
    for x, y, clusters in ((data.x, data.y, data.clusters), (data.x_test, data.y_test, data.test_clusters)):
        np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, rtol=1e-14)
        assert (y[:, 0] == np.where(clusters < CLUSTERS, 1, -1)).all()
    for cluster in range(2 * CLUSTERS):
        own = data.x[data.clusters == cluster]
        distance = np.linalg.norm(own - own.mean(0), axis=1)
        assert distance.max() < 0.001 * (1 + 2 / len(own) ** 0.5)  # the drawn mean is off the true one by r / √n_k
        others = data.x[data.clusters != cluster]
        assert (others @ own.T).max() < 0.9
    again = mixture(3, tests=70, seed=4)
    assert (again.x == data.x).all() and (again.x_test == data.x_test).all()
    assert (mixture(3, tests=70, seed=5).x != data.x).any()


def test_bound_and_error_are_those_of_deletion() -> None:
    data = mixture(1, tests=9)
    found = cluster_errors(data)
    n = len(data.x)
    train, test = two_layer_relu_ntk(data.x), two_layer_relu_ntk(data.x_test, data.x)
    values = np.linalg.eigvalsh(train)
    assert found.largest_eigenvalue == pytest.approx(values[-1], rel=1e-10)
    spread = np.sqrt(2 * 0.001**2 + np.arccos(1 - 2 * 0.001**2))
    least = np.sqrt(2) * values[-1] * spread / (1 - np.sqrt(2) * spread)
    assert found.least_ridge == pytest.approx(least, rel=1e-10)
    assert found.ridge == pytest.approx(1.01 * least, rel=1e-10)

    shift = brute(train, test, data.y, found.ridge, np.inf)[:, :, 0].T  # (n, m): f without i, minus f
    fitted = outputs(train, test, data.y, np.zeros((9, 1)), found.ridge, np.inf)[:, 0]
    own = outputs(train, train, data.y, np.zeros((n, 1)), found.ridge, np.inf)[:, 0] - data.y[:, 0]
    error = fitted - data.y_test[:, 0]
    exact = ((fitted + shift - data.y_test[:, 0]) ** 2 - error**2) / 2
    alpha = test @ np.linalg.inv(train + found.ridge * np.eye(n))
    actual = np.abs(exact - (alpha * error[:, None] * own).T)
    weights = train @ np.linalg.inv(train + found.ridge * np.eye(n))
    gamma = n * (np.diagonal(weights) ** 2 / (weights**2).sum(1)).max()
    assert found.gamma == pytest.approx(gamma, rel=1e-9)
    share = np.bincount(data.clusters)[data.clusters] / n
    upper = np.sqrt(gamma / (n**2 * share))[:, None] * np.abs(exact) + shift**2 / 2
    for cluster in range(2 * CLUSTERS):
        of = data.clusters == cluster
        assert found.actual[cluster] == pytest.approx(actual[of].mean(), rel=1e-7)
        assert found.upper[cluster] == pytest.approx(upper[of].mean(), rel=1e-7)
        assert found.rate[cluster] == pytest.approx(actual[of].sum() / np.abs(exact[of]).sum(), rel=1e-7)
    assert found.pairs == 9 * n == found.held
    assert (actual <= upper * (1 + 1e-9)).all()


def test_rare_clusters_have_larger_errors_and_bounds() -> None:
    found = cluster_errors(mixture(2, tests=40))
    for sign in (1, -1):
        of = found.labels == sign
        assert (np.diff(found.rate[of]) < 0).all() and (np.diff(found.rate_upper[of]) < 0).all()
    assert (found.actual < found.upper).all()


def test_what_the_theorem_says_nothing_of_is_refused() -> None:
    with pytest.raises(DataError, match="says nothing"):
        cluster_errors(mixture(1, tests=2, radius=0.4), 0.4)
    with pytest.raises(DataError):
        mixture(0)
    with pytest.raises(DataError):
        mixture(1, radius=1.5)
