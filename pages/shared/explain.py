"""What the numbers mean: the equation, its source, how to read the picture, what it does not say, and the code."""

import streamlit as st

from ntkcore.analyses.explainer import Explainer, command_line, python_lines
from pages.shared.words import spoken

TABS, CODE = "explain_tabs", "Reproduce it"
"""Key of the tabs, and the one that holds code."""


def explain(explainer: Explainer) -> None:
    """Show an explainer."""
    st.header("What this is", anchor=False)
    _tabs(explainer)


@st.fragment(key="explain")
def _tabs(explainer: Explainer) -> None:
    code = [CODE] if explainer.analysis else []
    tabs = st.tabs(["The equation", "How to read it", "What it does not say", *code], key=TABS, on_change="rerun")
    with tabs[0]:
        st.markdown(spoken(explainer.what))
        st.caption(explainer.source)
    with tabs[1]:
        st.markdown(spoken(explainer.read))
        st.caption(spoken(explainer.aside))
    with tabs[2]:
        st.markdown(spoken(explainer.silent))
    if not code:
        return
    with tabs[3]:
        # Only where it is read: what colours code takes the browser longer than two charts, and would hold these up.
        for name, lines, language, height in (
            ("In Python:", python_lines(explainer), "python", 100),
            ("On the command line:", command_line(explainer), "bash", 60),
        ):
            st.markdown(name)
            with st.container(height=height, border=False):  # the page's end stays where it is when it comes
                if tabs[3].open:
                    st.code(lines, language=language)
