"""The page of settings: who one is, and what the server allows."""

from visiting import opened

from ntkcore.library import asking
from ntkcore.library.people import Person


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
        assert "Jobs of yours that may wait" in str(app.table[0].value)
    finally:
        asking.ask_by(None)
