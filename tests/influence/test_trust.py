"""Averages of error rates, and the lights, against slower ways."""

import numpy as np
import pytest
import scipy.stats

from ntkcore.influence.bounds import IhvpError
from ntkcore.influence.trust import LIGHTS, centre, lights, most_influential, trust


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("gaps", [False, True])
def test_averages_leave_out_what_is_missing(axis: int | None, gaps: bool) -> None:
    rates = np.random.default_rng(0).random((9, 6))
    if gaps:
        rates[rates < 0.4] = np.nan
        rates[3, 0] = rates[0, 2] = 0.5
    np.testing.assert_allclose(centre(rates, "mean", axis), np.nanmean(rates, axis=axis), rtol=1e-14)
    np.testing.assert_allclose(centre(rates, "median", axis), np.nanmedian(rates, axis=axis), rtol=1e-14)


def test_nothing_left_is_missing() -> None:
    rates = np.array([[np.nan, np.nan], [0.25, 0.75]])
    for average in ("mean", "median"):
        np.testing.assert_array_equal(centre(rates, average, 1), [np.nan, 0.5])


def pairs(exact: np.ndarray, estimate: np.ndarray) -> IhvpError:
    return IhvpError(exact, estimate, np.zeros_like(exact), np.zeros(len(exact)), 0.0, 1.0)


def test_trust_is_rank_correlation_and_median_of_the_most_influential() -> None:
    generator = np.random.default_rng(1)
    exact = generator.standard_normal((50, 8)).round(1)  # with ties
    estimate = exact * (1 - 0.3 * generator.random((50, 8)))
    estimate[:, 3] = -estimate[:, 3]
    found = trust(pairs(exact, estimate), 12)
    for x in range(8):
        sizes = np.abs(exact[:, x])
        chosen = most_influential(exact, 12)[:, x]
        assert len(set(chosen)) == 12 and sizes[chosen].min() >= np.sort(sizes)[-12]
        assert found.rank[x] == pytest.approx(scipy.stats.spearmanr(exact[chosen, x], estimate[chosen, x]).statistic, rel=1e-12)
        assert found.rate[x] == pytest.approx(np.median(np.abs(exact - estimate)[chosen, x] / sizes[chosen]), rel=1e-12)
    assert LIGHTS[found.light[3]] == "red"
    assert found.top == 12 and trust(pairs(exact, estimate), 500).top == 50


def test_the_rule() -> None:
    rank = np.array([0.95, 0.95, 0.94, 0.8, 0.79, np.nan, 1.0])
    rate = np.array([0.1, 0.11, 0.01, 0.5, 0.01, 0.01, 0.51])
    assert [LIGHTS[i] for i in lights(rank, rate)] == ["green", "amber", "amber", "amber", "red", "red", "red"]


def test_no_influence_at_all_is_not_trusted() -> None:
    found = trust(pairs(np.zeros((5, 2)), np.zeros((5, 2))), 3)
    assert np.isnan(found.rank).all() and np.isnan(found.rate).all()
    assert (found.light == 2).all()
