"""Means over held-out images, groups of training images and the inspector on the influence page, without a browser."""

import json
import re

import numpy as np
import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence import complexity, views
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.subject import Subject
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec, InfluenceView

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "5", "8"), "n": 40, "label_noise": 0.3}, "test": 25})
DEFAULTS = InfluenceView()
PAIR = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 20, "label_noise": 0.3}, "test": 12})


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache in which both are computed; tests only look at it."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        for spec in (SPEC, PAIR):
            INFLUENCE.compute(spec, ws, Recording())
        yield ws, INFLUENCE.open(SPEC, ws)


def look_of(ws, result, view=DEFAULTS):
    return Look.of(result, view.ridge, view.time, ws)


def opened(spec=SPEC, **fields):
    return visiting.opened(visitor(), "influence", **ADDRESSES["influence"].write(spec, InfluenceView.model_validate(fields)))


def gallery(app, name):
    """The cards of a gallery: id, name, corner, below, title."""
    found = next(item.proto for item in app.get("bidi_component") if item.proto.id.endswith(f"-{name}_gallery"))
    return [(card[0], card[1], card[2], card[3], card[6]) for card in json.loads(found.json)["items"]]


def plain(text):
    return re.sub(r"<[^>]+>", "", text)


def test_the_mean_over_all_that_are_shown(computed):
    ws, result = computed
    app = opened()
    assert "The mean over" not in plain(said(app))
    widget(app, "button_group", "Influence on").set_value("shown").run()
    assert app.query_params["mean"] == "shown" and not app.exception and not app.error
    told = plain(said(app))
    look = look_of(ws, result)
    values, now = look.mean(range(25)), look.held()
    assert "The mean over all 25 held-out images: their mean loss is" in told
    assert f"{100 * now.correct.mean():.1f} % of them are classified correctly" in told
    assert f"most helpful training image ({values.argmax()}, " in told and f"most harmful training image ({values.argmin()}, " in told
    assert [card[0] for card in gallery(app, "training")] == views.ranking(values, "helpful").tolist()
    assert all(card[2] == "" and "mean loss" in card[4] for card in gallery(app, "training"))
    assert "The group’s mean loss and error" in titles(app)
    assert not any(b.label.startswith("Look closely") for b in app.button)
    widget(app, "button_group", "Influence on").set_value("no").run()
    assert "mean" not in app.query_params and any(b.label.startswith("Look closely") for b in app.button)


@pytest.mark.parametrize("time", [None, 0.7])
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tests": "wrong"}, "the {} misclassified held-out image"),
        ({"only": ("5",)}, "the {} held-out images of class 5"),
        ({"tests": "all", "only": ("3", "8")}, "the {} held-out images of classes 3, 8"),
        ({"mean": "ticked", "picked": (4, 9, 11)}, "the {} ticked held-out images"),
    ],
)
def test_a_link_names_its_group_and_how_many(computed, fields, words, time):
    ws, result = computed
    view = InfluenceView.model_validate({"mean": "shown", "ridge": 0.1, "time": time} | fields)
    group = Subject.of(look_of(ws, result, view), view).group
    assert 0 < len(group) < 25
    app = opened(**view.model_dump())
    told = plain(said(app))
    assert f"The mean over {words.format(len(group))}" in told
    values = look_of(ws, result, view).mean(group)
    assert f"({values.argmax()}, " in told
    shown = [card[0] for card in gallery(app, "held")]
    assert set(shown) == set(group) if view.mean == "shown" else len(shown) == 25
    assert not app.warning and not app.error


def test_an_empty_group_is_one_image(computed):
    app = opened(mean="ticked")
    assert any("The group is empty" in item.value for item in app.caption)
    assert "Held-out image" in said(app) and not app.error


def test_each_card_says_the_prediction_without_it(computed):
    ws, _ = computed
    result = INFLUENCE.open(PAIR, ws)
    view = InfluenceView(ridge=1e-4, show="idle")
    found = {}
    for target in range(12):
        without = views.classes(look_of(ws, result, view).without(target))
        found[target] = without != look_of(ws, result, view).held().predicted[target]
    target = max(found, key=lambda image: found[image].sum())
    turns = int(found[target].sum())
    assert turns, "the example needs a prediction that hangs on one image"
    app = opened(PAIR, ridge=1e-4, show="idle", target=target)
    assert f"<b>any one of {turns}</b> would change the class" in said(app)
    outputs = look_of(ws, result, view).without(target)
    for image, _, corner, _, title in gallery(app, "training"):
        name = result.class_names[int(outputs[image, 0] > 0)]
        assert (corner == f"→ {name}") == bool(found[target][image]) and (corner == "") == (not found[target][image])
        assert f"The prediction without it: {name}, output {outputs[image, 0]:+.4f}".replace("output -", "output −") in title
    certain = next((image for image in found if not found[image].any()), None)
    assert certain is not None and "No single removal would change" in said(opened(PAIR, ridge=1e-4, target=certain))


def test_ten_groups_and_the_images_of_one(computed):
    ws, result = computed
    groups = complexity.groups_of(look_of(ws, result))
    app = opened()
    assert [card[0] for card in gallery(app, "group")] == groups.members[9][::-1].tolist()  # the most helpful first
    widget(app, "button_group", "Group").set_value(0).run()
    assert app.query_params["group"] == "0"
    assert [card[0] for card in gallery(app, "group")] == groups.members[0].tolist()
    flipped = result.labels != result.true_labels
    assert f"{flipped[groups.members[0]].sum()} of these labels are flipped, 30 % of all" in said(app)
    assert [card[0] for card in gallery(app, "suspects")] == np.concatenate(groups.members)[:60].tolist()
    assert {"Their images", "Labels to look at first"} <= set(titles(app))
    linked = opened(group=4)
    assert widget(linked, "button_group", "Group").value == 4
    assert [card[0] for card in gallery(linked, "group")] == groups.members[4].tolist()


def test_a_training_image_in_the_inspector(computed):
    ws, result = computed
    view = InfluenceView(target=3, ridge=0.1, time=2.0)
    values = look_of(ws, result, view).influence(3)
    order = views.ranking(values, "helpful").tolist()
    app = opened(**view.model_dump() | {"image": order[1]})
    assert f"Training image {order[1]}: {result.class_names[result.labels[order[1]]]}" in titles(app)
    told = plain(said(app))
    assert result.ids[order[1]] in told and "Influence on held-out image 3" in told and f"2 of {len(order):,} in the gallery" in told
    assert f"helpful; number {1 + int((abs(values) > abs(values[order[1]])).sum())} of 40 by size" in told
    moved = look_of(ws, result, view).effects(order[1])
    for words, best in (("Helps most", moved.argmax()), ("Harms most", moved.argmin())):
        assert f"{words}" in told and f"held-out image {best}, " in said(app)
    assert "Training images nearest to it" in told
    button(app, "Next").click().run()
    assert app.query_params["image"] == str(order[2]) and f"Training image {order[2]}: " in " ".join(titles(app))
    button(app, "Put in the basket").click().run()
    assert visiting.basket(ws, SPEC.dataset) == (order[2],)
    assert not app.exception and not app.error


def test_an_image_beyond_the_gallery_is_among_all(computed):
    ws, result = computed
    values = look_of(ws, result).influence(3)
    worst = int(values.argmin())
    app = opened(target=3, image=worst)
    assert "40 of 40 in the gallery" in said(app) and button(app, "Next").disabled


def test_a_held_out_image_in_the_inspector_is_the_one_chosen(computed):
    ws, result = computed
    app = opened()
    first = int(look_of(ws, result).held().loss.argmax())
    button(app, f"Look closely at image {first}").click().run()
    assert app.query_params["held"] == str(first) == app.query_params["target"]
    now = look_of(ws, result).held()
    order = np.argsort(-now.loss, kind="stable")
    assert "1 of 25 in the gallery" in said(app) and "larger than that of 96 % of the held-out images" in said(app)
    assert all(f"{name} " in said(app) for name in result.class_names)
    button(app, "Next").click().run()
    assert app.query_params["held"] == str(order[1]) == app.query_params["target"]
    assert f"Held-out image {order[1]}: " in " ".join(titles(app))
    assert not app.exception and not app.error


def test_the_inspector_of_a_mean(computed):
    app = opened(mean="shown", tests="all", image=7, time=0.9)
    assert "Influence on the mean over all 25 held-out images" in plain(said(app))
    assert "Without this image" not in said(app) and not app.error


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"image": 40}, "no training image 40: they are 0 to 39"),
        ({"held": 25}, "no held-out image 25: they are 0 to 24"),
        ({"picked": (1, 99), "mean": "ticked"}, "ticked held-out images"),
        ({"only": ("7",)}, "no class 7"),
        ({"group": 12}, "no group 12: they are 0 to 9"),
    ],
)
def test_what_a_link_names_in_vain_is_said(computed, query, words):
    app = opened(**query)
    assert words in re.sub(r"\\(.)|\u2060", r"\1", app.warning[0].value)
    assert "Complexity of ten groups of training images" in titles(app) and not app.error
    assert not any(b.label == "Next" for b in app.button)
