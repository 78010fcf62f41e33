"""Detection metrics against counting pairs and ranks by hand."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from ntkcore.errors import DataError
from ntkcore.information.detection import detect, mean_interval


def test_the_metrics_are_counts_of_pairs_and_ranks() -> None:
    generator = np.random.default_rng(0)
    truth = generator.random(80) < 0.2
    score = generator.standard_normal(80) + 1.5 * truth
    found = detect(score, truth)
    pairs = score[truth][:, None] - score[~truth]
    assert found.auc.value == pytest.approx((pairs > 0).mean())
    order = np.argsort(-score)
    hits = np.cumsum(truth[order])
    assert found.average_precision.value == pytest.approx((hits / np.arange(1, 81))[truth[order]].mean())
    assert found.precision.value == pytest.approx(hits[truth.sum() - 1] / truth.sum())
    for estimate in (found.auc, found.average_precision, found.precision):
        assert estimate.low <= estimate.value <= estimate.high
    assert (found.n, found.flipped) == (80, int(truth.sum()))


def test_a_perfect_and_an_empty_detector() -> None:
    truth = np.arange(40) < 4
    assert detect(truth.astype(float), truth).auc.value == 1
    assert detect(np.zeros(40), truth).auc.value == 0.5
    assert detect(np.zeros(40), truth).precision.value == pytest.approx(0.1)
    assert detect(np.arange(40) < 8, truth).precision.value == pytest.approx(0.5)


def test_equal_scores_count_as_scikit_learn_counts_them() -> None:
    generator = np.random.default_rng(1)
    truth, score = generator.random(300) < 0.3, generator.integers(0, 7, 300).astype(float)
    found = detect(score, truth)
    assert found.auc.value == pytest.approx(roc_auc_score(truth, score))
    assert found.average_precision.value == pytest.approx(average_precision_score(truth, score))
    np.testing.assert_allclose(np.trapezoid(found.roc[1], found.roc[0]), found.auc.value)


def test_an_interval_covers_what_it_is_said_to() -> None:
    """Two normal distributions apart by d: the area is Φ(d / √2). Of 60 intervals of 95 %, fewer than 50 cover with a chance below 1e-3."""
    expected, covered = 0.7602499389065233, 0  # Φ(1 / √2)
    for seed in range(60):
        generator = np.random.default_rng(seed)
        truth = np.arange(200) < 60
        area = detect(generator.standard_normal(200) + truth, truth, seed).auc
        covered += area.low <= expected <= area.high
    assert covered >= 50


def test_a_mean_over_draws_has_students_interval() -> None:
    values = np.array([0.9, 0.95, 0.97, 0.94])
    found = mean_interval(values)
    assert found.value == pytest.approx(values.mean())
    np.testing.assert_allclose([found.low, found.high], stats.t.interval(0.95, 3, loc=values.mean(), scale=stats.sem(values)))
    assert mean_interval([0.5]).value == 0.5 and np.isnan(mean_interval([0.5]).low)
    with pytest.raises(ValueError, match="expected"):
        mean_interval([])


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(DataError, match="nothing to tell apart"):
        detect(np.arange(5.0), np.zeros(5, dtype=bool))
    with pytest.raises(DataError, match="NaN"):
        detect(np.array([0.0, np.nan, 1.0]), np.array([True, False, False]))
    with pytest.raises(ValueError, match="one length"):
        detect(np.zeros(4), np.zeros(3, dtype=bool))
