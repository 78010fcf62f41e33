"""Ticks of a gallery: the same for as long as the revision is, and heard only from a gallery of that revision."""

from types import SimpleNamespace

import pytest

from pages.shared import ticks


@pytest.fixture
def session(monkeypatch):
    state = {}
    monkeypatch.setattr(ticks, "st", SimpleNamespace(session_state=state))
    return state


def test_a_tick_does_not_change_what_the_gallery_is_sent(session):
    chosen = ticks.Ticks("gallery")
    assert chosen.began(("key", 1), (3,)) == (3,)
    assert chosen.began(("key", 1), (3, 4)) == (3,)
    assert chosen.began(("key", 2), (3, 4)) == (3, 4)
    assert chosen.began(("other", 2), ()) == ()


def test_a_gallery_mounted_anew_gets_them_as_they_are(session):
    chosen = ticks.Ticks("gallery")
    chosen.began(1, (3,))
    chosen.forget()
    assert chosen.began(1, (3, 4)) == (3, 4)


def test_what_is_said_of_another_revision_is_not_heard(session):
    chosen = ticks.Ticks("gallery")
    session["gallery"] = {"ticked": {"revision": 1, "ids": [2, 5]}}
    assert chosen.told(1) == (2, 5) and chosen.told(2) is None
    session["gallery"] = {"ticked": None}
    assert chosen.told(1) is None
