"""The fitted power law against scipy and exact laws, and the coverage of its interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress
from scipy.stats import t as student

from ntkcore.convergence import guide, power_law

WIDTHS = np.repeat([32.0, 128.0, 512.0, 2048.0], 3)


@given(st.floats(-3, 3), st.floats(1e-6, 1e6))
def test_an_exact_law_is_found(slope, factor):
    found = power_law(WIDTHS, factor * WIDTHS**slope)
    assert found.defined
    assert found.n == 12
    assert found.slope == pytest.approx(slope, abs=1e-10)
    assert found.intercept == pytest.approx(np.log(factor), abs=1e-9)
    assert found.low == pytest.approx(slope, abs=1e-9)
    assert found.low <= found.slope <= found.high


def test_it_is_scipys_regression_of_logarithms():
    errors = WIDTHS**-0.5 * np.exp(0.2 * np.random.default_rng(0).standard_normal(12))
    found, expected = power_law(WIDTHS.astype(int), errors), linregress(np.log(WIDTHS), np.log(errors))
    half = student.ppf(0.975, 10) * expected.stderr
    assert found.slope == pytest.approx(expected.slope, rel=1e-12)
    assert found.intercept == pytest.approx(expected.intercept, rel=1e-12)
    assert (found.low, found.high) == pytest.approx((expected.slope - half, expected.slope + half), rel=1e-10)
    assert found.reason == ""


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """Of 400 intervals 380 should; 20 fewer are more than four standard deviations (4.4 each)."""
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        found = power_law(WIDTHS, WIDTHS**-0.5 * np.exp(0.3 * generator.standard_normal(12)))
        covered += found.low <= -0.5 <= found.high
    assert 360 <= covered <= 398


def test_two_points_have_a_slope_without_an_interval():
    found = power_law([4.0, 16.0], [1.0, 0.5])
    assert found.defined
    assert found.slope == pytest.approx(-0.5)
    assert np.isnan([found.low, found.high]).all()
    assert "two points" in found.reason


@pytest.mark.parametrize(
    ("widths", "errors", "said"),
    [
        ([], [], "two widths"),
        ([8.0, 8.0, 8.0], [1.0, 2.0, 3.0], "two widths"),
        ([8.0, 16.0], [np.nan, 1.0], "two widths"),
        ([8.0, 16.0], [0.0, 1.0], "zero"),
        ([8.0, 16.0], [-1.0, 1.0], "zero"),
        ([8.0, 16.0], [np.inf, 1.0], "infinite"),
    ],
)
def test_what_has_no_slope_says_why(widths, errors, said):
    found = power_law(widths, errors)
    assert not found.defined
    assert said in found.reason
    assert np.isnan([found.slope, found.low, found.high, found.intercept]).all()


def test_points_not_there_are_left_out():
    errors = WIDTHS**-0.7
    errors[4] = np.nan
    found = power_law(WIDTHS, errors)
    assert found.n == 11
    assert found.slope == pytest.approx(-0.7)
    assert guide(WIDTHS, errors).shape == (12,)
    assert np.isfinite(guide(WIDTHS, errors)).all()


def test_the_guide_has_slope_one_half_through_the_geometric_means():
    errors = WIDTHS**-0.3 * np.exp(np.random.default_rng(0).standard_normal(12))
    line = guide(WIDTHS, errors)
    assert power_law(WIDTHS, line).slope == pytest.approx(-0.5, abs=1e-12)
    assert np.log(line).mean() == pytest.approx(np.log(errors).mean(), abs=1e-12)
    exact = 3 * WIDTHS**-0.5
    np.testing.assert_allclose(guide(WIDTHS, exact), exact, rtol=1e-12)


def test_without_positive_errors_there_is_no_guide():
    for errors in ([0.0, 1.0], [np.nan, np.nan], [np.inf, 1.0]):
        assert np.isnan(guide([4.0, 8.0], errors)).all()
    assert guide([], []).shape == (0,)


def test_wrong_input():
    for function in (power_law, guide):
        with pytest.raises(ValueError, match="one length"):
            function([1.0, 2.0], [1.0])
        for width in (0.0, -1.0, np.nan, np.inf):
            with pytest.raises(ValueError, match="positive"):
                function([1.0, width], [1.0, 1.0])
