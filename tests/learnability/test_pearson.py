"""Pearson's correlation and Fisher's interval against SciPy."""

import numpy as np
import pytest
import scipy.stats

from ntkcore.learnability.pearson import pearson_interval


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_scipy_agrees(level: float) -> None:
    generator = np.random.default_rng(0)
    x = generator.standard_normal(60)
    y = 0.5 * x + generator.standard_normal(60)
    found, expected = pearson_interval(x, y, level), scipy.stats.pearsonr(x, y)
    assert found.r == pytest.approx(expected.statistic, rel=1e-12)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(level)), rel=1e-10)
    assert found.n == 60


def test_what_is_not_defined() -> None:
    assert np.isnan(pearson_interval([1, 2, 3], [1, 2, 4]).r)
    assert np.isnan(pearson_interval([1, 1, 1, 1], [1, 2, 3, 4]).low)
    assert np.isnan(pearson_interval([], []).r)
    whole = pearson_interval([1, 2, 3, 4], [2, 4, 6, 8])
    assert whole.r == pytest.approx(1) and whole.low == pytest.approx(1, abs=1e-6)
    with pytest.raises(ValueError, match="one length"):
        pearson_interval([1, 2], [1, 2, 3])
