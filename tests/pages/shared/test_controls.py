"""Widgets that set a field of a view: they begin with its value, and a change of theirs is one of it, however the widget tells it."""

from types import SimpleNamespace

import pytest

from ntkcore.specs import Spec
from pages.shared import fields as module
from pages.shared.controls import Controls


class Part(Spec):
    size: int = 3


class View(Spec):
    time: float | None = None
    only: tuple[str, ...] = ()
    show: str = "best"
    part: Part = Part()


class Choices:
    """A page's link, in memory."""

    def __init__(self):
        self.view, self.revision = View(), 0

    def current(self):
        return SimpleNamespace(view=self.view, revision=self.revision)

    def look(self, *, elsewhere=False, **changes):
        self.view = View.model_validate(self.view.model_dump() | changes)
        self.revision += elsewhere


@pytest.fixture
def state(monkeypatch):
    fake = SimpleNamespace(session_state={})
    monkeypatch.setattr(module, "st", fake)
    return fake.session_state


def widget(name, state):
    """A widget of Streamlit by its name: remembers how it was called; ``change`` is a user's."""

    def made(label, *args, key, on_change, args_=(), **told):
        made.told, made.options = told, args[0] if args else None

        def change(value):
            state[key] = value
            on_change(*args_)

        made.change = change
        return state[key]

    def called(label, *args, **told):
        return made(label, *args, **({"args_": told.pop("args", ())} | told))

    called.__name__, called.made = name, made
    return called


def shown(state, controls, name, kind, **told):
    found = widget(kind, state)
    controls.control(name, found, "Label", **told)
    return found.made


def test_a_change_of_the_widget_is_one_of_the_view(state):
    link = Choices()
    controls = Controls("part", link)
    controls.seed("key", "time", "only", "show")
    chosen = shown(state, controls, "show", "selectbox", options=["best", "worst"])
    assert chosen.told["index"] == 0 and chosen.options == ["best", "worst"]
    chosen.change("worst")
    several = shown(state, controls, "only", "multiselect", options=["a", "b"])
    assert several.told["default"] == ()
    several.change(["b"])
    slid = shown(state, controls, "time", "select_slider", options=[1.0, "end"], read=lambda value: None if value == "end" else value)
    assert slid.told["value"] is None
    slid.change(1.0)
    assert link.view == View(time=1.0, only=("b",), show="worst") and link.revision == 0
    slid.change("end")
    assert link.view.time is None


def test_a_change_says_what_else_is_kept(state):
    link = Choices()
    controls = Controls("part", link, kept=lambda: {"show": "kept"})
    controls.seed("key", "time")
    shown(state, controls, "time", "number_input", elsewhere=True).change(2.0)
    assert link.view == View(time=2.0, show="kept") and link.revision == 1


def test_a_part_of_the_view(state):
    link = Choices()
    controls = Controls("part", link, "part")
    controls.seed("key", "size")
    shown(state, controls, "size", "number_input").change(8)
    assert link.view == View(part=Part(size=8)) and controls.view.size == 8


def test_they_begin_anew_where_the_choice_came_from_elsewhere(state):
    link = Choices()
    controls = Controls("part", link)
    controls.seed("key", "show", time="end")
    assert (controls["show"], controls["time"]) == ("best", "end")
    link.view = View(show="worst")
    controls.seed("key", "show", time="end")
    assert controls["show"] == "best"  # what a user has set stays
    link.look(elsewhere=True)
    controls.seed("key", "show", time="end")
    assert controls["show"] == "worst"
    link.look(show="other")
    controls.seed("another", "show")
    assert controls["show"] == "other"
