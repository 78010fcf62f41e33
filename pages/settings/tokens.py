"""Tokens of one's own: what programs of somebody's say instead of logging in."""

import streamlit as st

from ntkcore.analyses.workspace import workspace
from ntkcore.library import asking
from ntkcore.library.tokens import NAME, Tokens
from pages.shared import frame, words

_NEW = "tokens.new"  # said once, and then kept nowhere


@frame.telling
def tokens() -> None:
    """Those that one has, each to be revoked, and a new one."""
    asks = asking.person()
    st.caption("A token lets a program of yours read through the API what you may see yourself. Whoever has it reads in your name.")
    if said := st.session_state.pop(_NEW, None):
        st.success("Copy it now: it is shown this once, and the server keeps only its hash.", icon=":material/key:")
        st.code(said, language=None)
        st.code(f'curl -H "Authorization: Bearer $TOKEN" {frame.server()}/api/v1/analyses', language="bash")
    for token in _kept().of(asks.id):
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"token_{token.id}"):
            used = f"last used {words.when(token.used)}" if token.used is not None else "never used"
            st.markdown(f"**{words.plain(token.name)}** · made {words.when(token.made)} · {used}", width="stretch")
            if st.button("Revoke", key=f"revoke_{token.id}", icon=":material/close:"):
                _kept().revoke(token.id, asks)
                st.rerun()
    with st.form("new_token", border=False, clear_on_submit=True), st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        name = st.text_input("Name of a new token", max_chars=NAME, placeholder="the program that it is for", key="token.name", width=320)
        if st.form_submit_button("Make a token"):
            st.session_state[_NEW] = _kept().make(name, asks)
            st.rerun()


def _kept() -> Tokens:
    return Tokens(workspace().library, workspace().settings)
