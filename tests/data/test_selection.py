import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntkcore.data.selection import choose_classes, draw, left_in, move_labels, require_pairs
from ntkcore.errors import DataError, SpecError

seeds = st.integers(0, 2**31 - 1)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.sets(st.integers(0, 4), min_size=1), seeds, st.data())
def test_draws_are_without_replacement_and_nested(labels, classes, seed, data):
    labels = np.array(labels)
    there = int(np.isin(labels, list(classes)).sum())
    n = data.draw(st.integers(0, there))
    more = data.draw(st.integers(n, there))
    index = draw(labels, tuple(classes), n, seed, title="x")
    assert len(set(index.tolist())) == n
    assert set(labels[index].tolist()) <= classes
    np.testing.assert_array_equal(index, draw(labels, tuple(classes), more, seed, title="x")[:n])


def test_a_draw_does_not_depend_on_the_order_of_classes_and_depends_on_the_seed():
    labels = np.arange(500) % 5
    np.testing.assert_array_equal(draw(labels, (1, 3), 50, 0, title="x"), draw(labels, (3, 1), 50, 0, title="x"))
    assert (draw(labels, (1, 3), 50, 0, title="x") != draw(labels, (1, 3), 50, 1, title="x")).any()


def test_the_draw_is_the_same_for_ever():
    """Pinned: a change here silently changes what every stored link means."""
    np.testing.assert_array_equal(draw(np.zeros(10, int), (0,), 5, 0, title="x"), [9, 1, 3, 8, 7])


def test_too_many_images_says_how_many_there_are():
    with pytest.raises(DataError, match="Toy has 3 images of these classes; 4 were asked for") as caught:
        draw(np.array([0, 0, 1, 2, 2]), (0, 1), 4, 0, title="Toy")
    assert caught.value.remedy == "Ask for 3 or fewer."


@given(st.integers(2, 10), st.integers(1, 120), st.floats(0, 1), st.floats(0, 1), seeds, st.data())
def test_label_noise_is_exact_nested_and_never_moves_to_the_same_class(classes, n, share, other, seed, data):
    labels = np.array(data.draw(st.lists(st.integers(0, classes - 1), min_size=n, max_size=n)))
    small, large = sorted((share, other))
    some, more = move_labels(labels, classes, small, seed), move_labels(labels, classes, large, seed)
    assert (some != labels).sum() == round(small * n)
    assert (more != labels).sum() == round(large * n)
    moved = some != labels
    np.testing.assert_array_equal(more[moved], some[moved])
    assert more.min() >= 0
    assert more.max() < classes


def test_moved_labels_are_uniform_over_the_other_classes():
    moved = move_labels(np.zeros(30_000, np.int64), 4, 1.0, 3)
    counts = np.bincount(moved, minlength=4)
    assert counts[0] == 0
    # each other class: binomial (30000, 1/3), standard deviation 82; five of them
    np.testing.assert_allclose(counts[1:], 10_000, atol=5 * 82)


def test_unknown_classes_are_refused_with_the_known_ones():
    with pytest.raises(SpecError, match="Toy has no class 'c', 'd'") as caught:
        choose_classes("Toy", ("a", "b"), ("a", "c", "d"))
    assert "a, b" in caught.value.remedy


def test_classes_keep_the_order_asked_for():
    assert choose_classes("Toy", ("a", "b", "c"), ("c", "a")) == (2, 0)
    assert choose_classes("Toy", ("a", "b", "c"), ()) == (0, 1, 2)
    with pytest.raises(DataError, match="fewer than two classes"):
        choose_classes("Toy", ("a",), ())


@pytest.mark.parametrize(("labels", "says"), [([0, 0, 1], "'b' has a single image"), ([0, 0], "'b' has no image")])
def test_every_class_needs_a_pair(labels, says):
    with pytest.raises(DataError, match=says):
        require_pairs(np.array(labels), ("a", "b"), "here", "mend it")
    require_pairs(np.array([0, 1, 0, 1]), ("a", "b"), "here", "mend it")


@given(st.integers(1, 60), seeds, st.data())
def test_what_is_left_out_is_not_drawn_and_the_others_keep_their_order(n, seed, data):
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    without = data.draw(st.sets(st.integers(0, n + 5), max_size=n).map(sorted))
    whole = draw(labels, (0, 2), int(np.isin(labels, (0, 2)).sum()), seed, title="Toy")
    rest = [position for position in whole.tolist() if position not in without]
    assert left_in(labels, (0, 2), without).sum() == len(rest)
    for count in (0, len(rest) // 2, len(rest)):
        assert draw(labels, (0, 2), count, seed, title="Toy", without=without).tolist() == rest[:count]
    with pytest.raises(DataError, match=f"{len(rest) + 1} were asked for"):
        draw(labels, (0, 2), len(rest) + 1, seed, title="Toy", without=without)
