"""Statistics of a comparison beside scipy's, and Holm's correction beside his procedure."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ntkcore.active.comparison import area, friedman, holm, labels_needed, means, paired_tests


def accuracies(seed: int, seeds: int, strategies: int, ties: bool = False) -> np.ndarray:
    found = np.random.default_rng(seed).normal(0.9, 0.02, (seeds, strategies)) + 0.01 * np.arange(strategies)
    return found.round(2) if ties else found


@pytest.mark.parametrize(("seeds", "strategies", "ties"), [(2, 3, False), (6, 4, False), (6, 9, False), (10, 5, True)])
def test_friedman_is_scipys(seeds: int, strategies: int, ties: bool) -> None:
    values = accuracies(0, seeds, strategies, ties)
    ours, theirs = friedman(values), scipy.stats.friedmanchisquare(*values.T)
    np.testing.assert_allclose([ours.statistic, ours.p], [theirs.statistic, theirs.pvalue], rtol=1e-10)
    np.testing.assert_allclose(ours.ranks, scipy.stats.rankdata(values, axis=1).mean(0))


def test_strategies_that_tie_everywhere_do_not_differ() -> None:
    assert (friedman(np.ones((4, 3))).statistic, friedman(np.ones((4, 3))).p) == (0, 1)
    found = paired_tests(np.ones((4, 3)))
    assert (found.t == 0).all() and (found.p == 1).all() and (found.corrected == 1).all()


@pytest.mark.parametrize(("seeds", "strategies"), [(2, 2), (6, 4), (6, 9)])
def test_paired_tests_are_scipys(seeds: int, strategies: int) -> None:
    values = accuracies(1, seeds, strategies)
    found = paired_tests(values)
    pairs = list(zip(*np.triu_indices(strategies, 1), strict=True))
    expected = [scipy.stats.ttest_rel(values[:, i], values[:, j]) for i, j in pairs]
    for (i, j), one, corrected in zip(pairs, expected, holm([one.pvalue for one in expected]), strict=True):
        np.testing.assert_allclose([found.t[i, j], found.p[i, j], found.corrected[i, j]], [one.statistic, one.pvalue, corrected], rtol=1e-9)
        assert found.t[j, i] == -found.t[i, j]
        assert found.difference[i, j] == pytest.approx(values[:, i].mean() - values[:, j].mean())
    np.testing.assert_array_equal(found.p, found.p.T)
    np.testing.assert_array_equal(found.corrected, found.corrected.T)
    np.testing.assert_array_equal(np.diagonal(found.corrected), 1)


def test_a_difference_that_never_varies_is_certain() -> None:
    found = paired_tests([[0.5, 0.25], [0.75, 0.5], [1.0, 0.75]])
    assert found.t[0, 1] == np.inf and found.t[1, 0] == -np.inf and found.p[0, 1] == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.999))
def test_holm_rejects_what_his_procedure_rejects(p: list[float], level: float) -> None:
    """Smallest first, each against level / (how many are left), until one stands."""
    rejected = set()
    for done, i in enumerate(np.argsort(p)):
        if p[i] * (len(p) - done) > level:
            break
        rejected.add(int(i))
    assert set(np.flatnonzero(holm(p) <= level)) == rejected


def test_means_are_students() -> None:
    values = accuracies(2, 6, 5)
    found = means(values)
    low, high = scipy.stats.t.interval(0.95, 5, values.mean(0), scipy.stats.sem(values))
    for one, other in ((found.value, values.mean(0)), (found.low, low), (found.high, high)):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert np.isnan(means(values[:1]).low).all()


def test_area_is_the_mean_on_the_way() -> None:
    assert area([100, 120, 200], [0.5, 0.7, 0.7]) == pytest.approx((20 * 0.6 + 80 * 0.7) / 100)
    np.testing.assert_allclose(area([0, 1, 2], [[0, 1, 0], [1, 1, 1]]), [0.5, 1])


def test_labels_needed() -> None:
    labels, accuracy = [100, 120, 140, 160], [0.5, 0.7, 0.6, 0.9]
    assert labels_needed(labels, accuracy, 0.4) == 100
    assert labels_needed(labels, accuracy, 0.6) == pytest.approx(110)  # where it first is, though it falls again
    assert labels_needed(labels, accuracy, 0.75) == pytest.approx(150)
    assert labels_needed(labels, accuracy, 0.7) == pytest.approx(120)
    assert np.isnan(labels_needed(labels, accuracy, 0.95))


def test_arguments_are_checked() -> None:
    for function, bad in ((friedman, np.ones((4, 2))), (paired_tests, np.ones((1, 3))), (means, np.ones(3)), (means, [[np.nan]])):
        with pytest.raises(ValueError, match="values"):
            function(bad)
    with pytest.raises(ValueError, match="p:"):
        holm([1.5])
    for labels, accuracy in (([2, 1], [0, 0]), ([1, 2], [0, 0, 0]), ([1], [0])):
        with pytest.raises(ValueError, match="labels"):
            area(labels, accuracy)
    with pytest.raises(ValueError, match="accuracy"):
        labels_needed([1, 2], [[0, 1]], 0.5)
