"""What an influence result says, from the same numbers counted another way."""

from math import inf

import numpy as np
import pytest
from influence_oracle import RIDGE, each, look, view

from ntkcore.analyses.influence import answer, views
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.basket import Effect, effect
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.words import number


@each
@pytest.mark.parametrize("time", [inf, 0.7])
def test_the_answer_about_one_image(made, name, time):
    ws, result, *_ = made(name)
    at = look(ws, result, time)
    for target in range(7):
        values, now, without = at.influence(target), at.held(), at.without(target)
        said = INFLUENCE.answer(result, view(time, target=target), ws)
        verdict = "rightly" if now.correct[target] else "wrongly"
        label, predicted = (result.class_names[labels[target]] for labels in (result.test_labels, now.predicted))
        assert said[0] == f"Held-out image {target}, {label}, is {verdict} taken for {predicted}; its loss is {number(now.loss[target])}."
        for sentence, best, verb, which in ((said[1], values.argmax(), "raise", "helpful"), (said[2], values.argmin(), "lower", "harmful")):
            value = values[best]
            if (value > 0) == (which == "helpful"):
                named = f"the most {which} training image ({best}, {result.class_names[result.labels[best]]})"
                assert sentence == f"Removing {named} would {verb} that loss by {number(abs(value), 2)}."
            else:
                assert sentence == f"No training image is {which}."
        turns = int((views.classes(without) != now.predicted[target]).sum())
        assert (f"any one of {turns} would" in said[3]) == (turns > 0) and ("No single removal" in said[3]) == (turns == 0)
        assert len(said) == 4


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mean": "shown"}, "all 7 held-out images"),
        ({"mean": "ticked", "picked": (4, 1, 99)}, "the 2 ticked held-out images"),
        ({"mean": "ticked", "picked": (4,)}, "the 1 ticked held-out image:"),
    ],
)
def test_the_answer_about_a_group(made, fields, words):
    ws, result, *_ = made("two-layer")
    asked = view(**fields)
    subject = Subject.of(look(ws, result), asked)
    now, group, values = subject.now, list(subject.group), subject.values
    np.testing.assert_array_equal(values, look(ws, result).mean(group))
    said = INFLUENCE.answer(result, asked, ws)
    assert said[0].startswith(f"The mean over {words}") and f"their mean loss is {number(now.loss[group].mean())}, and " in said[0]
    assert f"{100 * now.correct[group].mean():.1f} % of them are classified correctly" in said[0]
    assert f"({values.argmax()}, " in said[1] and "that mean loss by" in said[1] and f"({values.argmin()}, " in said[2] and len(said) == 3


def test_an_empty_group_is_one_image(made):
    ws, result, *_ = made("two-layer")
    assert INFLUENCE.answer(result, view(mean="ticked", target=3), ws) == INFLUENCE.answer(result, view(target=3), ws)


@each
def test_what_stands_out_is_in_its_sentence(made, name):
    ws, result, *_ = made(name)
    for asked in (*(view(target=target) for target in range(7)), view(mean="shown"), view(mean="shown", tests="wrong")):
        subject = Subject.of(look(ws, result), asked)
        for sentence, most in zip(answer.sentences(subject), answer.emphasis(subject), strict=True):
            assert sentence.count(most) == 1 or not most or sentence.startswith("No ")


def test_a_basket_is_told_last(made):
    ws, result, *_ = made("two-layer")
    asked = view(0.7, basket=(1, 4, 99), target=2)
    said = INFLUENCE.answer(result, asked, ws)
    assert said[:-1] == INFLUENCE.answer(result, view(0.7, target=2), ws)
    assert said[-1] == answer.basket_sentence(effect(look(ws, result, 0.7), asked)) and said[-1].startswith("At the end of training: ")


def test_sides_that_change_both_ways_are_changes():
    """As many right before as after does not mean the same ones."""
    loss = np.array([0.25, 0.75])
    both = np.arange(2)
    swapped = Effect(both, 0.5, 0.5, loss, loss + 1.0, np.array([1, 0]), 2)
    assert answer.basket_sentence(swapped) == (
        "At the end of training: 50.0 % → 50.0 % of held-out images right; the mean loss rises by 1 to 1.5."
    )
    same = Effect(both, 0.5, 0.5, loss, loss - 0.25, np.array([1, 0]), 0)
    assert answer.basket_sentence(same) == "At the end of training: no prediction changes sides; the mean loss falls by 0.25 to 0.25."


def test_what_is_added_is_told_of_the_others():
    loss = np.array([0.25, 0.75, 5.0])
    found = Effect(np.array([0, 1]), 0.5, 1.0, loss, np.array([0.25, 0.25, 0.0]), np.array([1, 0, 0]), 1)
    right, moved = "50.0 % → 100.0 % of the other held-out images right", "the mean loss falls by 0.25 to 0.25"
    assert answer.addition_sentence(found) == f"At the end of training, with 1 more image: {right}; {moved}."


def test_the_table_is_that_of_the_image_or_the_group(made):
    ws, result, *_ = made("binary")
    one = INFLUENCE.table(result, view(target=3), ws)
    at = look(ws, result, ridge=RIDGE)
    np.testing.assert_array_equal(one["influence"], np.sort(at.influence(3))[::-1])
    np.testing.assert_array_equal(one["output_without"], at.without(3)[one["image"], 0])
    np.testing.assert_array_equal(INFLUENCE.table(result, view(mean="shown"), ws)["influence"], np.sort(at.mean(range(7)))[::-1])
