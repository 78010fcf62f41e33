"""What takes a moment says how far it is; what is quick leaves nothing behind."""

from streamlit.testing.v1 import AppTest

SCRIPT = """
import streamlit as st
from pages.shared import waiting
waiting._PATIENCE = {patience}
with waiting.waiting("The sum") as tell:
    tell(1, 4)
    {stop}
st.caption("done")
"""


def run(patience, stop="pass"):
    app = AppTest.from_string(SCRIPT.format(patience=patience, stop=stop)).run()
    assert not app.exception
    return app


def test_a_long_wait_says_how_much_is_done_and_left():
    (bar,) = run(-1.0, "st.stop()").get("progress")
    assert bar.proto.value == 25 and bar.proto.text.startswith("about ") and bar.proto.text.endswith(" to go")


def test_a_short_wait_shows_no_bar():
    assert not run(60.0, "st.stop()").get("progress")


def test_nothing_is_left_when_it_is_done():
    app = run(-1.0)
    assert not app.get("progress") and app.caption[0].value == "done"
