"""Means and ratios with intervals, against the normal approximation and the delta method."""

import numpy as np
import pytest

from ntkcore.information.means import mean_estimate, ratio_estimate


def test_a_mean_and_its_interval():
    values = np.random.default_rng(0).gamma(2.0, size=2000)
    found = mean_estimate(values)
    assert found.value == values.mean() and found == mean_estimate(values) and found != mean_estimate(values, 1)
    half = 1.96 * values.std() / np.sqrt(len(values))
    # 1000 samples: a quantile at 2.5 % is off by about sqrt(0.025 · 0.975 / 1000) / 0.058 = 0.085 standard errors
    assert found.low == pytest.approx(values.mean() - half, abs=0.25 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.25 * half)


def test_a_ratio_and_its_interval():
    generator = np.random.default_rng(1)
    above, below = 3 * generator.gamma(4.0, size=1500), generator.gamma(4.0, size=800)
    found = ratio_estimate(above, below)
    ratio = above.mean() / below.mean()
    relative = np.sqrt(above.var() / len(above) / above.mean() ** 2 + below.var() / len(below) / below.mean() ** 2)
    assert found.value == pytest.approx(ratio, rel=1e-12)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * relative * ratio, rel=0.2)


def test_one_value_and_equal_ones_have_no_spread():
    for values in ([0.3], [0.5] * 7):
        found = mean_estimate(values)
        assert found.low == pytest.approx(found.value) and found.high == pytest.approx(found.value)


def test_refusals():
    for values in ([], [[1.0]], [np.nan], [np.inf, 1]):
        with pytest.raises(ValueError, match="values"):
            mean_estimate(values)
    with pytest.raises(ValueError, match="below"):
        ratio_estimate([1.0], [0.0, 0.0])
