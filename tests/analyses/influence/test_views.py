"""What the influence page shows, against deletion: the stored kernel without an image, solved anew."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from deletion_oracle import outputs
from influence_oracle import FINITE, NEAR_END, RIDGE, after, close, each, influences, look, losses, moments, view

from ntkcore.analyses.influence import basket as basket_of
from ntkcore.analyses.influence import views
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.materials.split import targets_of
from ntkcore.errors import ComputationError
from ntkcore.specs.influence import InfluenceView


@each
def test_held_is_training_on_all(made, name):
    ws, result, kernel, y = made(name)
    for time in moments(result):
        expected = after(result, kernel, y, time)
        found = look(ws, result, time).held()
        close(found.outputs, expected, NEAR_END)
        close(found.loss, losses(result, expected), NEAR_END)
        predicted = expected.argmax(1) if expected.shape[1] > 1 else (expected[:, 0] > 0).astype(int)
        np.testing.assert_array_equal(found.predicted, predicted)
        np.testing.assert_array_equal(found.correct, predicted == result.test_labels)


@each
def test_influence_is_deletion(made, name):
    ws, result, kernel, y = made(name)
    for time in moments(result):
        expected = influences(result, kernel, y, time)
        found = np.stack([look(ws, result, time).influence(target) for target in range(7)])
        close(found, expected, NEAR_END if time == inf else FINITE)
        assert (np.abs(expected).max(1) > 0).all()


@each
def test_without_is_the_outputs_after_deletion(made, name):
    ws, result, kernel, y = made(name)
    for time in moments(result):
        found = look(ws, result, time).without(3)
        assert found.shape == (len(kernel), y.shape[1])
        for image in (5, 0):
            keep = [i for i in range(len(kernel)) if i != image]
            close(found[image], after(result, kernel, y, time, keep=keep)[3], NEAR_END if time == inf else FINITE)


@each
@pytest.mark.parametrize("time", [inf, 0.7])
def test_deleting_a_basket_is_training_without_it(made, name, time):
    """Whatever τ the page stands at: the answer is about the end of training."""
    ws, result, kernel, y = made(name)
    basket = (1, 4, 6, 99)  # the last one does not exist
    found = basket_of.effect(look(ws, result, time), view(time, basket=basket))
    before, left = after(result, kernel, y, inf), after(result, kernel, y, inf, keep=[i for i in range(len(kernel)) if i not in basket])
    close(found.loss, losses(result, before), NEAR_END)
    close(found.loss_after, losses(result, left), NEAR_END)
    np.testing.assert_array_equal(found.predicted, views.classes(left))
    assert found.changed == (views.classes(left) != views.classes(before)).sum()
    assert found.accuracy == pytest.approx((views.classes(before) == result.test_labels).mean())
    assert found.after == pytest.approx((views.classes(left) == result.test_labels).mean())


@each
@pytest.mark.parametrize(("label", "given"), [(None, None), (0, 0), (1, 1), (99, -1)], ids=["rarest", "first", "second", "last"])
def test_relabelling_a_basket_is_training_on_other_targets(made, name, label, given):
    """Where no class is chosen, it is the first of those that fewest of the basket have."""
    ws, result, kernel, y = made(name)
    found = basket_of.effect(look(ws, result), view(basket=(0, 2, 9), deed="relabel", label=label))
    other = y.copy()
    classes = range(len(result.class_names))
    if given is None:
        held = result.labels[[0, 2, 9]].tolist()
        given = min(classes, key=held.count)
    other[[0, 2, 9]] = targets_of(np.full(3, classes[given]), y.shape[1])
    close(found.loss_after, losses(result, after(result, kernel, other, inf)), NEAR_END)
    np.testing.assert_array_equal(found.predicted, views.classes(after(result, kernel, other, inf)))


@pytest.mark.parametrize("deed", ["delete", "relabel"])
def test_a_basket_of_nothing_changes_nothing(made, deed):
    ws, result, *_ = made("two-layer")
    for basket in ((), (99,)):
        found = basket_of.effect(look(ws, result), view(basket=basket, deed=deed))
        np.testing.assert_array_equal(found.loss, found.loss_after)
        assert found.accuracy == found.after and found.changed == 0


def test_a_basket_of_everything_leaves_nothing_to_train_on(made):
    ws, result, *_ = made("two-layer")
    with pytest.raises(ComputationError) as caught:
        basket_of.effect(look(ws, result), view(basket=tuple(range(16))))
    assert "Leave at least one" in caught.value.remedy


def test_a_basket_of_everything_can_be_relabelled(made):
    ws, result, kernel, _ = made("two-layer")
    found = basket_of.effect(look(ws, result), view(basket=tuple(range(16)), deed="relabel", label=1))
    close(found.loss_after, losses(result, after(result, kernel, targets_of(np.ones(16, int), 3), inf)), NEAR_END)


def test_galleries_are_in_order_and_of_one_sign():
    values = np.array([0.5, -2.0, 0.0, 1.5, -0.1, 0.5])
    assert views.ranking(values, "helpful").tolist() == [3, 0, 5]
    assert views.ranking(values, "harmful").tolist() == [1, 4]
    assert views.ranking(values, "idle").tolist() == [2, 4, 0, 5, 3, 1]
    assert views.ranking(-np.abs(values), "helpful").tolist() == []
    many = np.random.default_rng(0).standard_normal(500)
    for show in ("helpful", "harmful", "idle"):
        assert len(views.ranking(many, show)) == views.SHOWN


def test_galleries_keep_their_sign_within_filters_and_in_another_order():
    values, passing = np.array([0.5, -2.0, 0.0, 1.5, -0.1, 0.5]), np.array([True, True, False, False, True, True])
    assert views.ranking(values, "helpful", passing).tolist() == [0, 5]
    assert views.ranking(values, "idle", passing).tolist() == [4, 0, 5, 1]
    backwards = np.arange(6)[::-1]
    assert views.ranking(values, "harmful", None, backwards).tolist() == [4, 1]
    assert views.ranking(values, "idle", passing, backwards).tolist() == [5, 4, 1, 0]


def test_the_held_out_images_shown(made):
    _, result, *_ = made("two-layer")
    result = replace(result, test_labels=result.test_labels[:4])
    loss, correct = np.array([0.1, 0.9, 0.4, 0.9]), np.array([True, False, True, False])
    now = views.Held(np.zeros((4, 3)), loss, np.zeros(4, int), correct)

    def shown(tests, held=now):
        return views.tests_shown(result, InfluenceView(tests=tests), held).tolist()

    assert shown("loss") == [1, 3, 2, 0] and shown("all") == [0, 1, 2, 3] and shown("wrong") == [1, 3]
    for only in (("3",), ("5", "8"), ("3", "none")):
        kept = [i for i in [1, 3, 2, 0] if result.class_names[result.test_labels[i]] in only]
        assert views.tests_shown(result, InfluenceView(only=only), now).tolist() == kept
        wrong = views.tests_shown(result, InfluenceView(only=only, tests="wrong"), now)
        assert wrong.tolist() == [i for i in kept if not correct[i]]
    right = replace(now, correct=np.ones(4, bool))
    assert shown("wrong", right) == []
    nothing = np.zeros(0, int)
    assert views.target_of(result, InfluenceView(tests="wrong"), nothing, right) == 1  # the largest loss of all
    assert views.target_of(result, InfluenceView(), np.array([3, 1]), now) == 3
    assert views.target_of(result, InfluenceView(target=2), nothing, now) == 2
    assert views.target_of(result, InfluenceView(target=0), np.array([3]), now) == 0
    assert views.target_of(result, InfluenceView(target=4), np.array([3, 1]), now) == 3  # there is no fifth


def test_what_an_address_names_in_vain_is_said(made):
    _, result, *_ = made("two-layer")
    assert views.missing_from(result, InfluenceView()) == ""
    assert views.missing_from(result, InfluenceView(target=6, label=2, basket=(0, 15))) == ""
    assert views.missing_from(result, InfluenceView(image=15, picked=(0, 6), only=("3", "8"))) == ""
    said = views.missing_from(result, InfluenceView(target=9999, label=3, basket=(2, 16)))
    assert "held-out image 9,999" in said and "0 to 6" in said and "class 3" in said and "basket" in said
    said = views.missing_from(result, InfluenceView(image=16, picked=(2, 7), only=("3", "cat")))
    assert "training image 16: they are 0 to 15" in said and "ticked held-out" in said and "class cat" in said
    assert "held-out image 7" in views.missing_from(result, InfluenceView(held=7))
    assert views.basket_of(result, InfluenceView(basket=(2, 16, 4))) == [2, 4]
    assert views.basket_of(result, InfluenceView(basket=(16,))) == []


def test_the_table_has_every_training_image(made):
    ws, result, *_ = made("two-layer")
    values = look(ws, result).influence(0)
    rows = views.table(result, values)
    assert sorted(rows["image"]) == list(range(16)) and rows["influence"].is_monotonic_decreasing
    np.testing.assert_array_equal(rows["influence"], values[rows["image"]])
    assert list(rows["id"]) == [result.ids[i] for i in rows["image"]]
    assert list(rows["label"]) == [result.class_names[result.labels[i]] for i in rows["image"]]
    assert rows["flipped"].sum() == 3
    left_out = look(ws, result).without(0)
    more = views.table(result, values, left_out)
    assert list(more.columns[5:]) == ["predicted_without", "output_3_without", "output_5_without", "output_8_without"]
    np.testing.assert_array_equal(more[["output_3_without", "output_5_without", "output_8_without"]], left_out[rows["image"]])
    assert list(more["predicted_without"]) == [result.class_names[left_out[i].argmax()] for i in rows["image"]]
    assert list(views.table(result, values, left_out[:, :1]).columns[5:]) == ["predicted_without", "output_without"]


def test_what_takes_long_is_done_once_for_every_session(made):
    ws, result, *_ = made("binary")
    first = look(ws, result).regression()
    resolvent = first.resolvent
    for time in (inf, 2.0):
        assert look(ws, result, time).regression() is first and look(ws, result).regression().resolvent is resolvent
    assert look(ws, result, ridge=2 * RIDGE).regression() is not first
    assert first.eigen[1] is result.regression.eigen[1]  # one decomposition for every λ
    for ask in (Look.held, Look.outputs, Look.fitted, lambda at: at.influence(3), lambda at: at.shift(3), lambda at: at.mean((1, 4))):
        assert ask(look(ws, result)) is ask(look(ws, result))
        assert ask(look(ws, result, 2.0)) is not ask(look(ws, result)) and ask(look(ws, result, ridge=0.7)) is not ask(look(ws, result))
    assert look(ws, result).influence(3) is not look(ws, result).influence(4)
    assert look(ws, result).mean((1, 4)) is not look(ws, result).mean((4, 1))
    again = replace(result, created="later")
    assert look(ws, again).held() is not look(ws, result).held()  # computed anew: nothing of before is shown


@each
def test_effects_are_deletion(made, name):
    ws, result, kernel, y = made(name)
    for time in moments(result):
        expected = influences(result, kernel, y, time)
        found = np.stack([look(ws, result, time).effects(image) for image in range(len(kernel))], axis=1)
        close(found, expected, NEAR_END if time == inf else FINITE)


@each
def test_fitted_is_what_training_leaves_on_the_training_images(made, name):
    ws, result, kernel, y = made(name)
    for time in moments(result):
        expected = outputs(kernel, kernel, y - result.f_train, result.f_train, RIDGE, time)
        close(look(ws, result, time).fitted(), expected, NEAR_END)
