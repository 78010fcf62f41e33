"""Widgets of a choice: a user's values stay, a choice from elsewhere gets widgets of its own."""

from types import SimpleNamespace

import pytest

from pages.shared import fields as module
from pages.shared.fields import Fields


@pytest.fixture
def state(monkeypatch):
    fake = SimpleNamespace(session_state={})
    monkeypatch.setattr(module, "st", fake)
    return fake.session_state


def test_what_a_user_set_stays_until_the_choice_comes_from_elsewhere(state):
    fields = Fields("bar")
    fields.seed(1, {"n": 10})
    key = fields.value("n")["key"]
    state[key] = 20  # as a widget does
    fields.seed(1, {"n": 10})
    assert fields["n"] == 20
    fields.seed(2, {"n": 30})
    assert fields["n"] == 30
    assert fields.value("n")["key"] != key  # so that the browser's old value is nobody's


def test_a_change_because_of_another_widget_keeps_the_rest(state):
    fields = Fields("bar")
    fields.seed(1, {"model": "fcn", "rate": 0.1, "n": 10})
    state[fields.value("n")["key"]] = 20
    state[fields.index("model", ["fcn", "cnn4"])["key"]] = "cnn4"
    before = fields.value("rate")["key"]
    fields.change(rate=0.5)
    fields.seed(1, {"model": "fcn", "rate": 0.1, "n": 10})
    assert (fields["model"], fields["rate"], fields["n"]) == ("cnn4", 0.5, 20)
    assert fields.value("rate")["key"] != before


def test_others_follow_another_value_and_not_a_browser_that_tells_the_one_it_was_given(state):
    fields, followed = Fields("bar"), []
    fields.seed(1, {"model": "fcn"})
    told = fields.then("model", lambda: followed.append(fields["model"]))
    told["on_change"](*told["args"])
    assert not followed
    state[fields.index("model", ["fcn", "cnn4"])["key"]] = "cnn4"
    told["on_change"](*told["args"])
    assert followed == ["cnn4"]


def test_a_widget_that_was_hidden_begins_with_the_choice(state):
    fields = Fields("bar")
    fields.seed(1, {"width": 8})
    del state[fields.value("width")["key"]]  # as Streamlit does with widgets that are not shown
    fields.seed(1, {"width": 16})
    assert fields["width"] == 16


def test_every_widget_is_told_its_value_as_its_default(state):
    fields = Fields("bar")
    fields.seed(1, {"n": 10, "classes": ["a"], "model": "cnn4"})
    assert fields.value("n")["value"] == 10
    assert fields.default("classes")["default"] == ["a"]
    assert fields.index("model", ["fcn", "cnn4"])["index"] == 1


def test_parts_do_not_share_values(state):
    one, two = Fields("learnability.bar"), Fields("convergence.bar")
    one.seed(1, {"n": 10})
    two.seed(1, {"n": 20})
    assert (one["n"], two["n"]) == (10, 20)
