"""The page of settings: who one is, and what the server allows."""

import time

import pytest
from visiting import button, opened

from ntkcore.library import asking
from ntkcore.library.members import Identity, Members
from ntkcore.library.people import Person
from ntkcore.library.tokens import Tokens


@pytest.fixture
def ben(ws):
    """Ben asks, a labeller who has logged in."""

    class Ben:
        def reader(self):
            return "ben"

        def person(self):
            return Person("ben", "Ben", "labeller")

    Members(ws.library, ws.settings).person(Identity("ben", "ben@lab", frozenset(("sub-ben",)), "Ben", "login", time.time()))
    asking.ask_by(Ben())
    yield
    asking.ask_by(None)
    ws.library.close()


def test_without_a_login_it_asks_for_a_name(app):
    opened(app, "settings")
    assert not app.exception and not app.error
    app.text_input(key="person.typed").set_value("Ann").run()
    assert not app.exception and "log_out" not in {button.key for button in app.button}
    assert "Jobs of yours that may wait" not in str(app.table[0].value)


def test_with_a_login_it_says_the_role_and_the_limits(app, ben):
    opened(app, "settings")
    assert not app.exception and not app.error
    assert any("**Ben** · labeller" in said.value for said in app.markdown)
    assert any("- label and review" in said.value and "compute" not in said.value for said in app.markdown)
    assert "Jobs of yours that may wait" in str(app.table[0].value)


def test_a_token_is_shown_once_and_holds_until_it_is_revoked(app, ws, ben):
    opened(app, "settings")
    app.text_input(key="token.name").set_value("my script")
    button(app, "Make a token").click().run()
    said = app.code[0].value
    assert not app.exception and not app.error and said.startswith("atlas_")
    assert Tokens(ws.library, ws.settings).person(said).id == "ben"
    app.run()
    assert not app.code and any("**my script** · made" in one.value for one in app.markdown)
    button(app, "Revoke").click().run()
    assert not app.exception and Tokens(ws.library, ws.settings).person(said) is None
    button(app, "Make a token").click().run()
    assert "needs a name" in app.error[0].value
