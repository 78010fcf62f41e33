"""One's personal tokens: made and shown once, listed, revoked."""

import streamlit as st

from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library import asking
from ntkcore.library.tokens import MOST, NAME, Token, Tokens
from pages.shared import frame, words

_MADE = "tokens.made"
_FAILED = "tokens.failed"
_NAME = "tokens.name"


def show() -> None:
    """The tokens, and a field for the name of another."""
    st.header("Tokens", anchor=False)
    st.caption(f"For programs that read by the API of this server, as you; {MOST} at most. Log out everywhere ends them, too.")
    if (error := st.session_state.pop(_FAILED, None)) is not None:
        frame.show_error(error)
    if (made := st.session_state.pop(_MADE, None)) is not None:
        st.success("Copy this token now: it is not shown again.", icon=":material/key:")
        st.code(made, language=None)
    for token in _tokens().of(asking.person().id):
        _row(token)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.text_input("Name of a new token", key=_NAME, max_chars=NAME, placeholder="which program it is for", width=320)
        st.button("Make a token", key="make_token", on_click=_make)


def _row(token: Token) -> None:
    used = "never used" if token.used is None else f"last used {words.when(token.used)}"
    with st.container(horizontal=True, gap="small", vertical_alignment="center", border=True):
        st.markdown(f"**{words.plain(token.name)}**  \n:small[made {words.when(token.made)} · {used}]")
        st.button("Revoke", key=f"revoke_{token.id}", on_click=_revoke, args=(token.id,), help="Programs that say it get nothing any more.")


def _tokens() -> Tokens:
    return Tokens(workspace().library, workspace().settings)


def _make() -> None:
    try:
        st.session_state[_MADE] = _tokens().make(st.session_state[_NAME], asking.person())
        st.session_state[_NAME] = ""
    except AtlasError as error:
        st.session_state[_FAILED] = error


def _revoke(token: str) -> None:
    try:
        _tokens().revoke(token, asking.person())
    except AtlasError as error:
        st.session_state[_FAILED] = error
