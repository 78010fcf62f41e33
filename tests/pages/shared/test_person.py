"""Whoever is at a browser: the name that decisions are kept under, and the line that says what came of them."""

from streamlit.testing.v1 import AppTest


def signing() -> None:
    import streamlit as st

    from ntkcore.errors import DataError
    from pages.shared import notice
    from pages.shared.person import ask, author, person

    me = person()
    ask("Why.")
    st.text(f"{me.name}|{author()}")
    if st.button("Say"):
        notice.tell("part", DataError("It <b>went</b> wrong.", "Try again."))
    notice.show("part")


def told(app: AppTest) -> str:
    return next(item.proto.body for item in app.get("html") if "atlas-notice" in item.proto.body)


def test_without_a_name_a_visitor_is_told_from_others():
    one, other = (AppTest.from_function(signing).run() for _ in range(2))
    first, second = one.text[0].value, other.text[0].value
    assert first.startswith("|visitor ") and second.startswith("|visitor ") and first != second
    one.run()
    assert one.text[0].value == first


def test_a_name_is_kept_without_surplus_spaces():
    app = AppTest.from_function(signing).run()
    app.text_input(key="person.typed").set_value("  Ann   Lee ").run()
    assert app.text[0].value == "Ann Lee|Ann Lee"


def test_what_came_of_an_action_is_said_once_and_as_text():
    app = AppTest.from_function(signing).run()
    empty = told(app)
    app.button[0].click().run()
    assert "It &lt;b&gt;went&lt;/b&gt; wrong. Try again." in told(app)
    app.run()
    assert told(app) == empty
