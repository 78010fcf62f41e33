"""What the information page shows, against deletion: the stored kernel without an image, solved anew."""

from dataclasses import replace
from math import inf, isnan

import numpy as np
import pytest
from deletion_oracle import brute, followed
from influence_oracle import FINITE, NEAR_END, RIDGE, after, close, each, influences, moments
from scipy import stats

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.views import classes
from ntkcore.analyses.information import views
from ntkcore.analyses.information.analysis import INFORMATION
from ntkcore.analyses.information.answer import answer
from ntkcore.errors import ComputationError
from ntkcore.regression import KernelRegression
from ntkcore.specs.information import InformationView


def view(time=inf, **fields):
    return InformationView(ridge=RIDGE, time=None if time == inf else time, **fields)


def without_each(result, kernel, y, time):
    """(n, m, k) the held-out outputs without each training image."""
    n = len(kernel)
    return np.stack([after(result, kernel, y, time, keep=[j for j in range(n) if j != i]) for i in range(n)])


@each
def test_scores_are_the_mean_squared_change_by_deletion(made, name):
    ws, result, kernel, y = made(name)
    for time in moments(result):
        moved = without_each(result, kernel, y, time) - after(result, kernel, y, time)
        close(views.scores(Look(result, RIDGE, time, ws)), np.square(moved).sum(2).mean(1) / 2, 2 * (NEAR_END if time == inf else FINITE))


@pytest.mark.parametrize("score", ["held-out", "training", "loss"])
@pytest.mark.parametrize("averaged", [False, True])
@each
def test_scores_in_steps_are_a_loop_of_them(made, name, score, averaged):
    """Coefficients of explicit gradient descent with all images, and without each: the authors' code's rate and λ are the averaged loss's.

    The contour leaves 1e-12 of the function; a change is a hundredth of it, and squared twice that.
    """
    ws, result, kernel, y = made(name)
    n, k = y.shape
    count, rate = 50, views.stable_rate(result, RIDGE)
    blocks, left = kernel.ndim == 4, y - result.f_train

    def flat(values):
        return values.transpose(0, 2, 1, 3).reshape(len(values) * k, -1) if blocks else values

    def trained(kept):
        """Held-out and training outputs (m, k), (n, k)."""
        weigh = n / len(kept) if averaged else 1.0
        own = flat(kernel[np.ix_(kept, kept)])
        residual = left[kept].reshape(-1, 1) if blocks else left[kept]
        c = np.zeros_like(residual)
        for _ in range(count):
            c = c + rate * (weigh * (residual - own @ c) - RIDGE * c)
        return [
            start + (flat(rows[:, kept]) @ c).reshape(-1, k) for start, rows in ((result.f_test, result.k_test), (result.f_train, kernel))
        ]

    whole = trained(list(range(n)))
    expected = []
    for i in range(n):
        held, training = trained([j for j in range(n) if j != i])
        if score == "loss":
            expected.append((np.square(training - y) - np.square(whole[1] - y)).sum() / n / 2)
        else:
            moved = held - whole[0] if score == "held-out" else training - whole[1]
            expected.append(np.square(moved).sum() / len(moved) / 2)
    asked = InformationView(ridge=RIDGE, time=count, descent=rate, score=score, averaged=averaged)
    close(views.scores(views.look_of(result, asked, ws)), np.array(expected), 1e-8)


@pytest.mark.parametrize("averaged", [False, True])
@each
def test_the_residual_is_that_of_deletion(made, name, averaged):
    """Without an image the averaged loss's code trains at λ (n - 1)/n and to τ n/(n - 1)."""
    ws, result, kernel, y = made(name)
    n, rows = len(kernel), np.arange(len(kernel))
    ridge, longer = (RIDGE * (n - 1) / n, n / (n - 1)) if averaged else (RIDGE, 1.0)
    for time in moments(result)[:3]:
        left = y - result.f_train
        whole = result.f_train + followed(kernel, kernel, left, ridge, [time * longer])[time * longer]
        off = whole + brute(kernel, kernel, left, ridge, time * longer)[rows, rows] - y
        look = views.look_of(result, view(time, score="residual", averaged=averaged), ws)
        close(views.scores(look), np.sqrt(np.square(off).sum(1)), NEAR_END if time == inf else FINITE)
        off_sign = classes(off + y)
        np.testing.assert_array_equal(views.taken_unseen(look), off_sign)
        said = INFORMATION.answer(result, view(time, score="residual", averaged=averaged), ws)
        assert f"takes {(off_sign != result.labels).sum()} of {n} images for another class" in said[0]
        table = INFORMATION.table(result, view(time, score="residual", averaged=averaged), ws)
        assert table["residual"].is_monotonic_decreasing
        plain = views.scores(views.look_of(result, view(time, averaged=averaged), ws))
        np.testing.assert_array_equal(table["information"], plain[table["image"]])


@each
def test_the_residual_in_steps_is_a_loop_of_them(made, name):
    ws, result, kernel, y = made(name)
    count, rate = 40, views.stable_rate(result, RIDGE)
    blocks, left, k = kernel.ndim == 4, y - result.f_train, y.shape[1]

    def flat(values):
        return values.transpose(0, 2, 1, 3).reshape(len(values) * k, -1) if blocks else values

    expected = []
    for i in range(len(kernel)):
        kept = [j for j in range(len(kernel)) if j != i]
        residual = left[kept].reshape(-1, 1) if blocks else left[kept]
        own, c = flat(kernel[np.ix_(kept, kept)]), np.zeros_like(residual)
        for _ in range(count):
            c = c + rate * (residual - own @ c - RIDGE * c)
        expected.append(np.linalg.norm((flat(kernel[i : i + 1][:, kept]) @ c).reshape(k) - left[i]))
    asked = InformationView(ridge=RIDGE, time=count, descent=rate, score="residual")
    close(views.scores(views.look_of(result, asked, ws)), np.array(expected), 1e-8)


@each
def test_the_mean_influence_is_deletion(made, name):
    ws, result, kernel, y = made(name)
    for time in moments(result):
        close(
            views.influence(Look(result, RIDGE, time, ws)), influences(result, kernel, y, time).mean(0), NEAR_END if time == inf else FINITE
        )


@each
def test_the_diagonal_is_the_kernels(made, name):
    _, result, kernel, _ = made(name)
    expected = [kernel[i, i] if kernel.ndim == 2 else np.trace(kernel[i, i]) / kernel.shape[2] for i in range(len(kernel))]
    np.testing.assert_allclose(views.diagonal(result), expected, rtol=1e-12)


def test_judgement_by_hand():
    two = views.judgement(np.array([[0.5], [-0.25], [2.0]]), np.array([1, 1, 0]))
    np.testing.assert_allclose(two.loss, [0.125, 0.78125, 4.5])
    np.testing.assert_allclose(two.margin, [1.0, -0.5, -4.0])
    np.testing.assert_array_equal(two.predicted, [1, 0, 1])
    three = views.judgement(np.array([[0.5, 0.25, 0.0], [0.5, 0.75, 0.0]]), np.array([0, 2]))
    np.testing.assert_allclose(three.margin, [0.25, -0.75])
    np.testing.assert_allclose(three.loss, [(0.25 + 0.0625) / 2, (0.25 + 0.5625 + 1) / 2])


def test_the_answer_by_hand():
    values, labels = np.arange(1.0, 21.0), np.zeros(20, dtype=int)
    found = views.Judged(np.zeros((20, 1)), values, values, np.where(values > 19, 1, 0))
    assert answer(values, found, labels) == (
        "The most informative tenth of the images carries 19 % of all unique information.",
        "The largest is 20 nats, the median 10.5.",
        "Of that tenth the network misclassifies 50 %, of all 5 %.",
    )
    right = replace(found, predicted=labels)
    assert answer(values, right, labels)[2] == "The network classifies all training images as they are labelled."
    assert "nothing has been learned yet" in answer(np.zeros(20), found, labels)[0]


@each
def test_each_question_that_needs_no_study_has_its_answer(made, name):
    ws, result, *_ = made(name)
    look = Look(result, RIDGE, inf, ws)
    n = len(result.labels)
    assert INFORMATION.answer(result, view(), ws) == answer(views.scores(look), views.judged(look), result.labels)
    assert INFORMATION.answer(result, view(ask="drop"), ws)[0].startswith(f"The list keeps {n - round(n / 2)} of {n} images")
    times = InformationView(ask="believe", ridge=0.5, believe={"show": "times"})
    assert "agree with those at the last" in INFORMATION.answer(result, times, ws)[0]


def test_a_summary_by_hand():
    values, labels = np.arange(1.0, 21.0), np.zeros(20, dtype=int)
    found = views.Judged(np.zeros((20, 1)), values, values, np.where(values > 19, 1, 0))
    said = views.summary(values, found, labels)
    assert (said.total, said.largest, said.median) == (210, 20, 10.5)
    assert said.leading == pytest.approx(39 / 210)
    assert (said.wrong, said.wrong_all) == (0.5, 0.05)
    assert isnan(views.summary(np.zeros(20), found, labels).leading)


@each
def test_through_training_holds_the_scores_and_their_ranks(made, name):
    ws, result, *_ = made(name)
    told = []
    over = views.through_training(Look(result, RIDGE, inf, ws), progress=lambda done, of: told.append((done, of)))
    assert told[-1][0] == told[-1][1] == len(over.times) and over.scores.shape == (len(over.times), len(result.labels))
    now = views.scores(Look(result, RIDGE, inf, ws))
    for time, rho, row in zip(over.times, over.rho, over.scores, strict=True):
        np.testing.assert_array_equal(row, views.scores(Look(result, RIDGE, time, ws)))
        assert rho == pytest.approx(stats.spearmanr(now, row).statistic)


def test_the_ranking_shows_what_was_chosen(made):
    _, result, *_ = made("two-layer")
    n = len(result.labels)
    values = np.random.default_rng(0).random(n)
    assert list(views.ranking(result, view(), values)) == list(np.argsort(-values))
    assert list(views.ranking(result, view(show="least"), values)) == list(np.argsort(values))
    only = views.ranking(result, view(only=(result.class_names[1],)), values)
    assert set(result.labels[only]) == {1} and len(only) == (result.labels == 1).sum()
    assert set(views.ranking(result, view(picked=(3, 1, 999)), values)) == {1, 3}


def test_percentiles_and_rank_correlation():
    np.testing.assert_array_equal(views.percentiles(np.array([3.0, 1.0, 2.0])), [100, 0, 50])
    np.testing.assert_array_equal(views.percentiles(np.array([1.0, 1.0, 5.0])), [0, 0, 100])
    assert views.spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 8.0, 9.0])) == pytest.approx(1)
    assert isnan(views.spearman(np.ones(3), np.arange(3.0)))


@each
def test_the_table_holds_every_measure(made, name):
    ws, result, *_ = made(name)
    look = Look(result, RIDGE, inf, ws)
    found = views.table(look)
    assert list(found["information"]) == sorted(found["information"], reverse=True)
    for measure in ("loss", "margin", "k_xx", "influence", "weights"):
        np.testing.assert_array_equal(found[measure], views.measured(look, measure)[found["image"]])


def test_a_class_that_is_not_held_out_is_named(made):
    _, result, *_ = made("two-layer")
    held = sorted(set(result.test_labels))
    assert views.unseen_classes(result) == tuple(name for place, name in enumerate(result.class_names) if place not in held)
    assert views.unseen_classes(replace(result, test_labels=np.zeros(7, dtype=int))) == result.class_names[1:]


def test_what_a_link_names_that_is_not_there(made):
    _, result, *_ = made("two-layer")
    assert views.missing_from(result, view()) == ""
    said = views.missing_from(result, view(image=999, only=("?",), picked=(1000,)))
    assert "no training image 999" in said and "no class ?" in said and "selected do not exist" in said


def test_too_small_a_ridge_is_said(made):
    ws, result, kernel, y = made("two-layer")
    alike = replace(result, key="alike", regression=KernelRegression(np.ones_like(kernel), y))  # every image the same: no inverse
    with pytest.raises(ComputationError, match="singular"):
        views.scores(Look(alike, 0.0, inf, ws))
    assert np.isfinite(views.scores(Look(alike, 1.0, inf, ws))).all()
