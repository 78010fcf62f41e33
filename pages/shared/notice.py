"""One line in which a part of a page says what an action came to, until the next one; its place is kept, so that nothing moves.

Not a toast: what a fragment toasts takes the place of the page's style.
"""

import html

import streamlit as st

from ntkcore.errors import AtlasError


def tell(part: str, said: AtlasError | str) -> None:
    """Say something in a part's line, the next time that it is drawn."""
    st.session_state[f"{part}.notice"] = str(said)


def show(part: str) -> None:
    """The line, once."""
    text = st.session_state.pop(f"{part}.notice", "")
    st.html(f'<p class="atlas-quiet atlas-notice" role="status">{"⚠ " if text else ""}{html.escape(text)}</p>')
