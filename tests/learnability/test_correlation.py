"""Spearman's correlation and its bootstrap against scipy and a slow loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from ntkcore.errors import Cancelled, DataError
from ntkcore.learnability import kendall, spearman_interval

VALUES = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=3, max_size=30)


@given(VALUES)
def test_rho_is_scipys_with_ties(pairs):
    x, y = np.array(pairs, dtype=float).T
    result = spearman_interval(x, y, replicates=0)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert not result.defined
        assert np.isnan([result.rho, result.low, result.high]).all()
        assert "equal" in result.reason
    else:
        assert result.defined
        assert result.rho == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_the_interval_is_the_percentile_bootstrap(ties):
    """The same resamples, each correlated by scipy: equal to rounding."""
    generator = np.random.default_rng(1)
    x = generator.standard_normal(40)
    y = x + generator.standard_normal(40)
    if ties:
        x, y = np.round(x), np.minimum(np.round(y), 1.0)
    result = spearman_interval(x, y, replicates=200, level=0.9, seed=5)
    draws = np.random.default_rng(5)
    resampled = [spearmanr(x[index], y[index]).statistic for index in (draws.integers(40, size=40) for _ in range(200))]
    np.testing.assert_allclose([result.low, result.high], np.quantile(resampled, [0.05, 0.95]), atol=1e-12)
    assert (result.replicates, result.n, result.level) == (200, 40, 0.9)
    assert result.low < result.rho < result.high


def test_the_interval_covers_a_known_correlation():
    """Of 60 nominal 90 % intervals at least 44 cover the truth: four standard deviations (2.3 each) below 54."""
    truth = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's correlation of a Gaussian pair with Pearson's 0.6
    covered = 0
    for seed in range(60):
        x, y = np.random.default_rng(seed).multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=80).T
        result = spearman_interval(x, y, replicates=200, level=0.9, seed=seed)
        covered += result.low <= truth <= result.high
    assert covered >= 44


def test_infinities_rank_at_the_end():
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    never = spearman_interval(x, [3.0, 2.0, 1.0, np.inf, np.inf], replicates=50)
    late = spearman_interval(x, [3.0, 2.0, 1.0, 99.0, 99.0], replicates=50)
    assert (never.rho, never.low, never.high) == (late.rho, late.low, late.high)


def test_perfect_correlations():
    x = np.arange(20.0)
    up, down = spearman_interval(x, np.exp(x)), spearman_interval(x, -x)
    assert (up.rho, up.low, up.high) == (1.0, 1.0, 1.0)
    assert (down.rho, down.low, down.high) == (-1.0, -1.0, -1.0)


def test_the_seed_decides():
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((2, 50))
    assert spearman_interval(x, y, seed=1) == spearman_interval(x, y, seed=1)
    assert spearman_interval(x, y, seed=1).low != spearman_interval(x, y, seed=2).low


def test_what_has_no_correlation_says_why():
    assert "fewer than 3" in spearman_interval([1.0, 2.0], [1.0, 2.0]).reason
    assert "first" in spearman_interval([1.0] * 4, [1.0, 2.0, 3.0, 4.0]).reason
    assert "second" in spearman_interval([1.0, 2.0, 3.0, 4.0], [np.inf] * 4).reason


def test_resamples_without_a_correlation_are_left_out():
    x = np.array([0.0, 0.0, 0.0, 1.0])  # about a third of the resamples miss the one that differs
    result = spearman_interval(x, [0.0, 1.0, 2.0, 3.0], replicates=300)
    assert 100 < result.replicates < 300
    assert np.isfinite([result.low, result.high]).all()


def test_progress_and_cancel():
    x, y = np.random.default_rng(0).standard_normal((2, 30))
    calls = []
    with_progress = spearman_interval(x, y, replicates=120, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(50, 120), (100, 120), (120, 120)]
    assert with_progress == spearman_interval(x, y, replicates=120)

    def cancel(_done, _total):
        raise Cancelled

    with pytest.raises(Cancelled):
        spearman_interval(x, y, progress=cancel)


def test_wrong_input():
    with pytest.raises(DataError, match="NaN"):
        spearman_interval([1.0, np.nan, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="one length"):
        spearman_interval([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="level"):
        spearman_interval([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], level=1.0)


@given(VALUES)
def test_kendall_counts_pairs(pairs):
    """Every pair by hand, ties included."""
    x, y = np.array(pairs, dtype=float).T
    first, second = (np.sign(v[:, None] - v[None]) for v in (x, y))
    scale = np.sqrt(np.square(first).sum() * np.square(second).sum())
    assert kendall(x, y) == pytest.approx((first * second).sum() / scale if scale else np.nan, abs=1e-12, nan_ok=True)


def test_kendall_of_a_gaussian_pair_is_near_its_closed_form():
    """τ = 2/π arcsin(r) (Kendall, Gibbons 1990): of 2,000 pairs within four standard deviations, at most √(2(1 - τ²)/n) each."""
    x, y = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=2000).T
    truth = 2 / np.pi * np.arcsin(0.6)
    assert abs(kendall(x, y) - truth) < 4 * np.sqrt(2 * (1 - truth**2) / 2000)
    assert kendall(x, -y) == pytest.approx(-kendall(x, y), abs=1e-12)


def test_kendall_of_infinities_and_of_no_numbers():
    assert kendall([1.0, 2.0, 3.0], [5.0, np.inf, np.inf]) == kendall([1.0, 2.0, 3.0], [5.0, 9.0, 9.0])
    assert np.isnan(kendall([1.0, 1.0, 1.0], [1.0, 2.0, 3.0])) and np.isnan(kendall([1.0, 2.0], [1.0, 2.0]))
    with pytest.raises(DataError):
        kendall([1.0, np.nan, 2.0], [1.0, 2.0, 3.0])
