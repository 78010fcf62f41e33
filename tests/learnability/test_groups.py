"""Groups and percentiles by rank: counting by hand, ties, extremes."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ntkcore.errors import DataError, SpecError
from ntkcore.learnability import GROUP_NAMES, percentile, split_groups


def test_ten_percent_of_a_hundred():
    score = np.random.default_rng(0).permutation(100).astype(float)
    groups = split_groups(score, 10, 10)
    assert score[groups.hard].tolist() == list(range(10))
    assert score[groups.medium].tolist() == list(range(10, 90))
    assert score[groups.easy].tolist() == list(range(90, 100))
    labels = groups.labels()
    assert all(GROUP_NAMES[labels[i]] == ("hard" if score[i] < 10 else "easy" if score[i] >= 90 else "medium") for i in range(100))


def test_equal_scores_are_ranked_by_index():
    groups = split_groups(np.full(10, 3.0), 20, 30)
    assert (groups.hard.tolist(), groups.easy.tolist()) == ([0, 1], [7, 8, 9])
    mixed = split_groups([1.0, 0.0, 1.0, 0.0], 25, 25)
    assert (mixed.hard.tolist(), mixed.medium.tolist(), mixed.easy.tolist()) == ([1], [3, 0], [2])


@pytest.mark.parametrize(
    ("n", "hard", "easy", "counts"),
    [
        (15, 10, 10, (1, 13, 1)),
        (4, 10, 10, (1, 2, 1)),
        (4, 0, 0, (0, 4, 0)),
        (5, 50, 50, (2, 1, 2)),
        (2, 99, 1, (1, 0, 1)),
        (100, 7, 29, (7, 64, 29)),
        (1000, 0.3, 0.1, (3, 996, 1)),
        (1, 100, 0, (1, 0, 0)),
        (1, 0, 1, (0, 0, 1)),
        (3, 0, 100, (0, 0, 3)),
    ],
)
def test_counts(n, hard, easy, counts):
    assert tuple(map(len, split_groups(np.arange(n), hard, easy).members())) == counts


@example([0.0, 0.0], (99.99999999999999, 9.56021764392445e-15))  # the one share rounds to all
@given(
    st.lists(st.floats(-5, 5).map(lambda v: round(v, 1)), min_size=2, max_size=60),
    st.floats(0, 100).flatmap(lambda hard: st.tuples(st.just(hard), st.floats(0, 100 - hard))),
)
def test_groups_are_a_partition_in_order(score, percentages):
    hard, easy = percentages
    if hard + easy > 100:  # the difference was rounded
        return
    groups = split_groups(score, hard, easy)
    values, order = np.array(score), np.concatenate(groups.members())
    assert sorted(order.tolist()) == list(range(len(score)))
    assert (np.diff(values[order]) >= 0).all()
    assert (len(groups.hard) > 0) == (hard > 0)
    assert (len(groups.easy) > 0) == (easy > 0)
    assert len(groups.hard) <= max(1, len(score) * hard / 100 + 1e-6)


@pytest.mark.parametrize(("hard", "easy"), [(60, 50), (-1, 10), (10, -1), (float("nan"), 10), (10, float("nan")), (101, 0)])
def test_impossible_percentages(hard, easy):
    with pytest.raises(SpecError, match="together are at most 100"):
        split_groups(np.arange(10), hard, easy)


def test_one_image_cannot_be_easy_and_hard():
    with pytest.raises(DataError, match="at least two images"):
        split_groups([1.0], 10, 10)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_no_numbers(bad):
    for call in (split_groups, percentile):
        with pytest.raises(DataError, match="1 of 3 images"):
            call([0.0, bad, 1.0])
    with pytest.raises(ValueError, match=r"^score: "):
        split_groups(np.zeros((3, 2)))


def test_percentiles():
    assert percentile([5.0, 1.0, 3.0]).tolist() == [100.0, 0.0, 50.0]
    assert percentile([2.0, 2.0, 2.0]).tolist() == [50.0, 50.0, 50.0]
    assert percentile([1.0, 2.0, 2.0, 3.0, 4.0]).tolist() == [0.0, 37.5, 37.5, 75.0, 100.0]
    assert percentile([4.0]).tolist() == [50.0]
    assert percentile([]).tolist() == []


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=40))
def test_percentile_is_the_share_below_and_half_the_ties(score):
    values = np.array(score, dtype=float)
    for value, result in zip(values, percentile(values), strict=True):
        others = (values < value).sum() + ((values == value).sum() - 1) / 2
        assert result == pytest.approx(100 * others / (len(values) - 1))
