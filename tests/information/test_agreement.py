"""Correlations and their intervals against scipy, and shared leading images against sets."""

import numpy as np
import pytest
from scipy import stats

from ntkcore.information.agreement import correlation_matrix, overlap_matrix, pearson_estimate


def test_pearson_is_scipys_and_its_interval_covers():
    """Of 200 samples of 60 pairs with r = 0.6 about 95 % of the intervals hold it: four standard deviations of a binomial are 6 %."""
    generator = np.random.default_rng(0)
    inside = 0
    for seed in range(200):
        x = generator.normal(size=60)
        y = 0.6 * x + 0.8 * generator.normal(size=60)
        found = pearson_estimate(x, y, seed)
        assert found.value == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
        inside += found.low <= 0.6 <= found.high
    assert 0.87 <= inside / 200 <= 1.0


@pytest.mark.parametrize(
    ("x", "y"), [([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), ([1.0] * 5, [1.0, 2, 3, 4, 5]), ([1.0, 2, 3, np.nan, 5], [1.0, 2, 3, 4, 5])]
)
def test_what_has_no_correlation_is_nan(x, y):
    found = pearson_estimate(x, y)
    assert np.isnan([found.value, found.low, found.high]).all()


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="one length"):
        pearson_estimate([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="scores"):
        correlation_matrix(np.zeros(3))


def test_matrices_are_scipys():
    values = np.random.default_rng(1).normal(size=(3, 30)).round(1)  # rounded: there are ties
    np.testing.assert_allclose(correlation_matrix(values), np.corrcoef(values), atol=1e-12)
    np.testing.assert_allclose(correlation_matrix(values, ranks=True), stats.spearmanr(values.T).statistic, atol=1e-12)
    values[1] = 2.0
    found = correlation_matrix(values)
    assert np.isnan(found[1]).all() and np.isnan(found[:, 1]).all() and found[0, 0] == pytest.approx(1)


def test_shared_leading_images_are_counted():
    values = np.random.default_rng(2).normal(size=(4, 25))
    tops = [set(np.argsort(-row)[:10]) for row in values]
    assert overlap_matrix(values, 10).tolist() == [[len(a & b) for b in tops] for a in tops]
