"""The active learning page without a browser: the answer, the table, the galleries, and what the widgets say."""

import json
import re

import pytest
import visiting
from active_study import small
from recording import Recording
from visiting import code, said, titles, visitor, widget

from ntkcore.analyses.active import views
from ntkcore.analyses.active.analysis import ACTIVE
from ntkcore.analyses.active.run import Task, first_labelled, images
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.active import ActiveView

SPEC = small(dataset={"classes": ("3", "5", "8"), "n": 60, "label_noise": 0.1}, test=20, pool=20)
ALONE = SPEC.model_copy(update={"strategies": ("margin",), "seeds": 1})


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache with the study, and with one strategy on one seed."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        for spec in (SPEC, ALONE):
            ACTIVE.compute(spec, ws, Recording())
        yield ws


def opened(spec=SPEC, **fields):
    return visiting.opened(visitor(), "active", **ADDRESSES["active"].write(spec, ActiveView.model_validate(fields)))


def picked(app, name):
    """The numbers of a gallery's images, in its order."""
    found = next(item.proto for item in app.get("bidi_component") if item.proto.id.endswith(f"-active_gallery_{name}"))
    return [card[0] for card in json.loads(found.json)["items"]]


def plain(text):
    return re.sub(r"<[^>]+>", " ", text)


def test_the_answer_the_table_and_the_charts(computed):
    app = opened()
    result = ACTIVE.open(SPEC, computed)
    told = plain(said(app))
    assert all(sentence in told for sentence in ACTIVE.answer(result, ActiveView(), computed))
    assert "Friedman’s test" in told and "paired t-test" in told
    level = views.level_of(result, ActiveView())
    for row in views.rows(result, level):
        assert row.needed != row.needed or f"{round(row.needed)}" in told
    assert titles(app)[:5] == [
        "Accuracy over labels",
        "Ahead of random",
        f"Labels for {100 * level:g} %",
        "Mean accuracy on the way",
        "Seconds of a choice",
    ]
    assert not app.error and not app.warning


def test_the_galleries_show_the_cycle_and_the_repeat(computed):
    result = ACTIVE.open(SPEC, computed)
    app = opened(cycle=1)
    for repeat, cycle in ((0, 1), (0, 3), (1, 3)):
        widget(app, "slider", "Cycle").set_value(cycle).run()
        widget(app, "selectbox", "Repeat").set_value(repeat).run()
        for place, name in enumerate(SPEC.strategies):
            assert picked(app, name) == views.picks(result, repeat, cycle)[place].tolist()
    assert app.query_params["cycle"] == "3" and app.query_params["repeat"] == "1" and not app.exception


def test_a_picked_image_says_who_chose_it_and_when(computed):
    result, split = ACTIVE.open(SPEC, computed), images(SPEC, computed)
    order = list(dict.fromkeys(views.picks(result, 1, 2).ravel().tolist()))
    app = opened(cycle=2, repeat=1, image=order[0])
    told = plain(said(app))
    assert split.train.ids[order[0]] in told and "not known: the Information page" in told
    for pick in views.chosen(result, order[0]):
        assert pick.repeat != 1 or f"cycle {pick.cycle}, as number {pick.place} of 4; in" in told
    value, _ = views.hardness(result, order[0], 1)
    assert f"{value:.6g} before training" in told
    widget(app, "button", "Next").click().run()
    assert app.query_params["image"] == str(order[1]) and split.train.ids[order[1]] in plain(said(app)) and not app.exception
    start = first_labelled(Task(SPEC, "random", 0, split))
    assert "it has a label from the start" in plain(said(opened(image=int(start[0]))))
    gone = opened(image=60)
    assert "There is no image 60" in gone.warning[0].value.replace("\\", "") and not gone.exception


def test_another_accuracy_is_counted_for(computed):
    app = opened()
    widget(app, "number_input", "Accuracy, %").set_value(99.5).run()
    assert app.query_params["level"] == "99.5" and "No strategy reaches 99.5 %" in plain(said(app))
    assert "not reached" in plain(said(app)) and "Labels for 99.5 %" in titles(app)


def test_some_strategies_are_shown_and_the_table_has_all(computed):
    app = opened()
    widget(app, "multiselect", "Shown").set_value(["margin"]).run()
    assert app.query_params["only"] in ("margin", ["margin"]) and picked(app, "margin") and "Ahead of random" in titles(app)
    assert not any(item.proto.id.endswith("-active_gallery_random") for item in app.get("bidi_component"))
    assert "Look-ahead (pNTK)" in plain(said(app)) and not app.exception and not app.error
    app = opened(only=("entropy",))
    assert "'entropy' does not compete" in app.warning[0].value.replace("\\", "") and picked(app, "random")


def test_one_strategy_on_one_seed_is_compared_with_nothing(computed):
    app = opened(ALONE)
    told = plain(said(app))
    assert "(one seed)" in told and "Friedman" not in told and "Ahead of" not in " ".join(titles(app))
    assert not app.error and not app.exception


def test_a_cycle_that_there_is_not_is_said(computed):
    app = opened(cycle=9)
    assert "There is no cycle 9" in app.warning[0].value.replace("\\", "") and not app.exception
    app = opened(repeat=4)
    assert "There is no repeat 4" in app.warning[0].value.replace("\\", "") and not app.exception


def test_the_bar_says_the_protocol_and_what_contradicts_itself(computed):
    app = opened()
    labels = [item.proto.popover.label for item in app.get("popover")]
    assert any(label == "6 labels + 4 × 3, from 20 candidates" for label in labels)
    assert any("2 repeats" in label for label in labels)
    widget(app, "number_input", "Cycles").set_value(15).run()
    assert "everything would be labelled" in app.warning[0].value
    widget(app, "number_input", "Cycles").set_value(2).run()
    assert app.query_params["cycles"] == "2" and not app.warning
    widget(app, "multiselect", "Strategies").set_value([]).run()
    assert "at least one strategy" in app.warning[0].value


def test_numbers_that_nobody_chose_follow_the_images(computed):
    app = visiting.opened(visitor(), "active", dataset="digits")
    assert widget(app, "number_input", "Labelled at first").value == 100
    widget(app, "number_input", "Images drawn").set_value(80).run()
    assert widget(app, "number_input", "Labelled at first").value == 20 and not app.warning and not app.exception
    assert "labelled" not in app.query_params
    widget(app, "number_input", "Labelled at first").set_value(30).run()
    assert app.query_params["labelled"] == "30"


def test_every_choice_is_in_the_table_to_download(computed):
    result, split = ACTIVE.open(SPEC, computed), images(SPEC, computed)
    rows = views.pick_table(result, split.train.class_names, split.train.ids)
    assert len(rows) == 3 * 2 * 3 * 4 and set(rows.columns) >= {"strategy", "repeat", "cycle", "image", "label"}
    one = rows.iloc[-1]
    assert split.train.ids[one.image] == one.id and split.train.class_names[split.train.labels[one.image]] == one.label
    assert len(views.seed_table(result)) == 3 * 2 * 4


def test_the_lines_that_reproduce_it(computed):
    python, shell = code(opened())
    assert "active(" in python and "table(result)" in python and shell.startswith("python -m ntkcore active --dataset digits")
    assert "--labelled 6" in shell


def test_warm_start_is_beside_cold_start_where_somebody_asks(computed):
    app = opened()
    assert "Theorem 2.2.1" not in plain(said(app))
    app.session_state["active_starts"] = True
    app.run()
    assert "Theorem 2.2.1" in plain(said(app)) and not app.exception and not app.error
