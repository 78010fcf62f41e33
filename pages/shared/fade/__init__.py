"""Pointing at a line lets the others fade, in every chart of the page whose traces say whose they are by plotly's ``meta``.

Streamlit tells Python of clicks and selections, not of the pointer, and an answer from the server would come too late.
"""

from pathlib import Path

import streamlit as st

_fade = st.components.v2.component("ntk_atlas.fade", js=(Path(__file__).parent / "fade.js").read_text())


def fading() -> None:
    """Let the page's lines fade; once in a run."""
    _fade(key="fade")
