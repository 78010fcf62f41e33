"""The frame of every page: configuration, heading and the designed states."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec

import streamlit as st

from ntkcore.errors import AtlasError
from ntkcore.figures.theme import paper
from pages.shared.words import plain, speak_of, spoken

_ICON = str(Path(__file__).parent / "icon.svg")
_CSS = (Path(__file__).parent / "frame.css").read_text(encoding="utf-8")


def configure() -> None:
    """Page configuration; first call of every run."""
    speak_of("images")
    st.session_state.pop(_AFTER, None)
    st.set_page_config(page_title="NTK Atlas", page_icon=_ICON, layout="wide")
    st.logo(_ICON, size="large")
    st.html(f"<style>{_CSS}</style><style>:root {{ --atlas-paper: {paper(mode())}; }}</style>")


def heading(title: str, lead: str) -> None:
    """Title of a page and the one sentence that says what it answers."""
    st.title(title, anchor=False)
    st.html(f'<p class="atlas-lead">{spoken(lead)}</p>')


def mode() -> str:
    """``"light"`` or ``"dark"``, as the reader sees the page."""
    return "dark" if st.context.theme.type == "dark" else "light"


_AFTER = "frame.after"  # what of the page is drawn anew after a part of it


def server() -> str:
    """The address at which the reader reaches the app, without the page's part."""
    url = str(st.context.url or "")
    return url.split("?")[0].rstrip("/").rsplit("/", 1)[0] if url else ""


_P = ParamSpec("_P")


def after(draw: Callable[[], None]) -> None:
    """Draw something of the page anew after each run of one of its parts, which Streamlit runs without the page."""
    st.session_state[_AFTER] = draw


def telling(part: Callable[_P, None]) -> Callable[_P, None]:
    """A part of a page that says what is wrong where it is wrong; Streamlit keeps a fragment's errors from its page."""

    @functools.wraps(part)
    def told(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            part(*args, **kwargs)
        except AtlasError as error:
            show_error(error)
        if (drawn := st.session_state.get(_AFTER)) is not None:
            drawn()

    return told


def remarks(texts: Sequence[str]) -> None:
    """What a reader should know of a result: one quiet line that opens; nothing when there is nothing."""
    if texts:
        many = "s" if len(texts) > 1 else ""
        with st.popover(f"{len(texts)} remark{many}", icon=":material/info:", type="tertiary", key="quiet_remarks"):
            for text in texts:
                st.markdown(f"- {plain(text)}")


def show_error(error: AtlasError) -> None:
    """What is wrong, and what to do."""
    st.error(f"**{plain(error.message)}**" + (f"  \n{plain(error.remedy)}" if error.remedy else ""), icon=":material/warning:")


def show_absent(said: str) -> None:
    """What a link names that is not there, a sentence; "" shows nothing."""
    if said:
        st.warning(plain(said), icon=":material/warning:")


def show_notice(error: AtlasError) -> None:
    """What cannot be had, though nobody asked for it, and what to choose: no fault of the reader's."""
    st.info(f"{plain(error.message)} {plain(error.remedy)}", icon=":material/info:")


def show_unexpected(error: Exception) -> None:
    """An error no page expected: no traceback, but what happened and where to look."""
    st.error(
        f"**This page ran into an error it did not expect ({type(error).__name__}).**  \n"
        "Nothing stored is lost. Reload the page; if it happens again, the server's log has the details.",
        icon=":material/warning:",
    )
