"""The density estimate against scipy's and against its definition."""

import numpy as np
import pytest
from scipy.stats import gaussian_kde, multivariate_normal

from ntkcore.errors import DataError
from ntkcore.influence import kde_density

X = np.random.default_rng(0).standard_normal((60, 12)) @ np.diag(np.geomspace(3, 0.1, 12)) + 5


def projected(x: np.ndarray, dimension: int) -> np.ndarray:
    standard = (x - x.mean(0)) / x.std(0)
    _, vectors = np.linalg.eigh(standard.T @ standard)
    top = standard @ vectors[:, ::-1][:, :dimension]
    return top / top.std(0)


@pytest.mark.parametrize("rule", ["scott", "silverman"])
@pytest.mark.parametrize("dimension", [1, 4, 12])
def test_it_is_scipys(rule: str, dimension: int) -> None:
    found = kde_density(X, dimension, rule)
    points = projected(X, dimension)
    # scipy scales by the sample covariance, here I n / (n - 1)
    reference = gaussian_kde(points.T, bw_method=lambda kde: found.bandwidth * np.sqrt(59 / 60))
    np.testing.assert_allclose(found.log_density, reference.logpdf(points.T), rtol=1e-9)
    factor = gaussian_kde(points.T, bw_method=rule).factor
    assert found.bandwidth == pytest.approx(factor)
    assert 0 < found.explained <= 1 + 1e-12
    assert dimension < 12 or found.explained == pytest.approx(1)


def test_cross_validation_finds_the_likeliest() -> None:
    found = kde_density(X, 2, "cv")
    points = projected(X, 2)

    def likelihood(width: float) -> float:
        total = 0.0
        for i in range(60):
            others = [multivariate_normal.pdf(points[i], points[j], width**2) for j in range(60) if j != i]
            total += np.log(np.mean(others))
        return total

    chosen = likelihood(found.bandwidth)
    assert all(chosen >= likelihood(found.bandwidth * factor) for factor in (0.6, 0.8, 1.26, 1.6))


def test_constant_pixels_do_no_harm() -> None:
    padded = np.concatenate([X, np.full((60, 3), 0.7)], 1).reshape(60, 3, 5)
    np.testing.assert_allclose(kde_density(padded, 3).log_density, kde_density(X, 3).log_density, rtol=1e-9)
    assert kde_density(X[:5], 50).dimension == 4  # five samples span four dimensions


def test_what_has_no_density_is_refused() -> None:
    with pytest.raises(DataError, match="two samples"):
        kde_density(X[:1])
    with pytest.raises(DataError, match="alike"):
        kde_density(np.ones((5, 3)))
    with pytest.raises(DataError, match="positive"):
        kde_density(X, 0)
    with pytest.raises(DataError, match="positive"):
        kde_density(X, 2, -0.5)
