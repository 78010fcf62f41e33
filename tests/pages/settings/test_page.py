"""The page of settings: who one is, and what the server allows."""

import time

import pytest
from visiting import opened

from ntkcore.library import asking, personal
from ntkcore.library.members import Identity, Members
from ntkcore.library.notes import Notes
from ntkcore.library.people import Person
from ntkcore.library.tokens import Tokens


def test_without_a_login_it_asks_for_a_name(app):
    opened(app, "settings")
    assert not app.exception and not app.error
    app.text_input(key="person.typed").set_value("Ann").run()
    assert not app.exception and "log_out" not in {button.key for button in app.button}
    assert "Jobs of yours that may wait" not in str(app.table[0].value)


def test_with_a_login_it_says_the_role_and_the_limits(app):
    class Ben:
        def reader(self):
            return "ben"

        def person(self):
            return Person("ben", "Ben", "labeller")

    asking.ask_by(Ben())
    try:
        opened(app, "settings")
        assert not app.exception and not app.error
        assert any("**Ben** · labeller" in said.value for said in app.markdown)
        assert any("- label and review" in said.value and "compute" not in said.value for said in app.markdown)
        assert "Jobs of yours that may wait" in str(app.table[0].value) and "0 B of" in app.table[0].value["at most"].iloc[-1]
    finally:
        asking.ask_by(None)


class As:
    def __init__(self, asks):
        self.asks = asks

    def reader(self):
        return self.asks.id

    def person(self):
        return self.asks


@pytest.fixture
def ben(ws):
    """A viewer who asks."""
    found = Members(ws.library, ws.settings).person(Identity("id-ben", "ben@lab", frozenset(), "Ben", "login", time.time() - 1))
    asking.ask_by(As(found))
    yield found
    asking.ask_by(None)


def test_a_token_is_shown_once_and_revoked(app, ws, ben):
    opened(app, "settings")
    app.button(key="make_token").click().run()
    assert "needs a name" in app.error[0].value and not app.code
    app.text_input(key="tokens.name").set_value("My script").run()
    app.button(key="make_token").click().run()
    tokens = Tokens(ws.library, ws.settings)
    (token,) = tokens.of(ben.id)
    made = app.code[0].value
    assert tokens.person(made) == ben and not app.error and app.text_input(key="tokens.name").value == ""
    app.run()
    assert not app.code and not any(made in str(item.value) for item in app.markdown)
    assert any("My script" in item.value and "last used" in item.value for item in app.markdown)
    app.button(key=f"revoke_{token.id}").click().run()
    assert tokens.person(made) is None and not tokens.of(ben.id) and not app.exception


def test_without_a_login_there_are_no_tokens(app):
    opened(app, "settings")
    assert not {"Tokens", "Your data"} & {item.value for item in app.header}


def test_ones_data_are_deleted_once_one_has_read_what_goes(app, ws, ben):
    notes = Notes(ws.library)
    notes.write("for me", ben, image="ab", visibility="private")
    notes.write("for all", ben, image="ab")
    opened(app, "settings")
    assert any("1 note, 0 tags of images" in item.value and personal.LEFT in item.value for item in app.markdown)
    assert app.button(key="delete_own").disabled
    app.checkbox(key="own.sure").check().run()
    app.button(key="delete_own").click().run()
    assert not app.exception and not app.error and app.button(key="delete_own").disabled
    assert [(note.text, note.author) for note in notes.on_image("ab", ben)] == [("for all", personal.LEFT)]
