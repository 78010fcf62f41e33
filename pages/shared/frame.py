"""The frame of every page: configuration, heading, the designed states, and numbers as text."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec

import streamlit as st

from ntkcore.errors import AtlasError
from ntkcore.figures.theme import paper
from pages.shared.words import plain

_ICON = str(Path(__file__).parent / "icon.svg")
_CSS = """
<style>
  .stMainBlockContainer { padding: 2.2rem 2.5rem 4rem; max-width: 1500px; }
  @media (max-height: 800px) { .stMainBlockContainer { padding-top: .7rem; } }
  /* Without the sidebar Streamlit's header lies over the page. */
  .stApp:not(:has([data-testid="stSidebar"][data-collapsed="false"])) {
    .stMainBlockContainer { padding-top: 3.9rem; }
    [data-testid="stLayoutWrapper"]:has(> .st-key-stay_controls) { top: 3.5rem; }
  }
  .stMainBlockContainer h1 { font-size: 1.75rem !important; letter-spacing: -0.01em; padding: 0 0 .1rem !important; }
  .stMainBlockContainer h2 { font-size: 1.2rem !important; padding: .4rem 0 .2rem !important; }
  .stMainBlockContainer h2[id] { scroll-margin-top: 6.5rem; } /* below the controls that stay */
  .stMainBlockContainer h3 { font-size: 1.02rem !important; padding: .2rem 0 !important; }
  [data-testid="stSidebarHeader"] { height: 3.4rem; }
  [data-testid="stMetricValue"] { font-size: 1.5rem; }
  .atlas-lead { color: color-mix(in srgb, currentColor 72%, transparent); margin: 0 0 .6rem; max-width: 96ch; }
  .atlas-fact { font-size: 1.12rem; line-height: 1.5; max-width: 110ch; margin: .1rem 0 .3rem; }
  .atlas-evidence { max-width: 130ch; margin: 0; line-height: 1.5; }
  .st-key-convergence_answer { min-height: 7.6rem; } /* so that the charts stay where they are while sentences change */
  .atlas-strip { display: flex; gap: 5px; margin: .1rem 0 .3rem; overflow: hidden; }
  .atlas-strip img { width: 44px; height: 44px; image-rendering: pixelated; border-radius: 4px; object-fit: contain; }
  .atlas-captions { overflow-x: auto; }
  .atlas-captions figure { margin: 0; text-align: center; font-size: .78rem; font-variant-numeric: tabular-nums; }
  .atlas-triples { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 10px 14px; }
  .atlas-triples img { width: 100%; image-rendering: pixelated; border-radius: 4px; display: block; }
  .atlas-pair { display: flex; gap: 1rem; align-items: flex-start; min-height: 5.6rem; }
  .atlas-viewer { width: 100%; max-width: 260px; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; border-radius: 8px;
    border: 1px solid color-mix(in srgb, currentColor 18%, transparent); display: block; }
  .atlas-pair img { width: 84px; height: 84px; image-rendering: pixelated; border-radius: 6px; object-fit: contain; flex: none; }
  .atlas-snippet { flex: none; width: 10.5rem; box-sizing: border-box; padding: .3rem .5rem; border-radius: 6px; font-size: .78rem;
    line-height: 1.35; height: 4.7em; overflow: hidden; display: -webkit-box; -webkit-line-clamp: 3; -webkit-box-orient: vertical;
    text-align: left; overflow-wrap: anywhere; border: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
  .atlas-pair .atlas-snippet { width: 19rem; height: 6.2rem; -webkit-line-clamp: 5; }
  .atlas-reader { max-height: 22rem; overflow-y: auto; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.55;
    padding: .6rem .8rem; border-radius: 8px; border: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
  .atlas-reader:focus-visible { outline: 2px solid currentColor; outline-offset: 1px; }
  .atlas-facts { border-collapse: collapse; width: 100%; font-size: .9rem; }
  .atlas-facts th { text-align: left; font-weight: 500; padding: .22rem .8rem .22rem 0; vertical-align: top; white-space: nowrap;
    color: color-mix(in srgb, currentColor 66%, transparent); }
  .atlas-facts td { padding: .22rem 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
  .atlas-facts tr + tr { border-top: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
  [class*="st-key-plot_"] { overflow: hidden; }
  .atlas-columns th, .atlas-columns td { padding-right: .7rem; white-space: normal; }
  .atlas-columns td, .atlas-columns tr:first-child th { text-align: right; }
  .atlas-facts td.why { color: color-mix(in srgb, currentColor 66%, transparent); padding-left: .9rem; }
  [class*="st-key-quiet_"] button { min-height: 1.6rem; padding: 0; }
  [class*="st-key-quiet_"] button, [class*="st-key-quiet_"] button * { text-align: left !important; }
  [class*="st-key-quiet_"] button p { white-space: normal; font-size: .84rem;
    color: color-mix(in srgb, currentColor 66%, transparent); }
  [data-testid="stLayoutWrapper"]:has(> .st-key-stay_controls) { position: sticky; top: 0; z-index: 90; padding: .3rem 0 .5rem;
    background: var(--atlas-paper); border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
  .stMainBlockContainer sub, .stMainBlockContainer sup, [role="dialog"] sub { font-size: .72em; line-height: 0; }
  .atlas-quiet { margin: 0; font-size: .84rem; color: color-mix(in srgb, currentColor 66%, transparent); }
  .atlas-quiet a { color: inherit; }
</style>
"""


def configure() -> None:
    """Page configuration; first call of every run."""
    st.set_page_config(page_title="NTK Atlas", page_icon=_ICON, layout="wide")
    st.logo(_ICON, size="large")
    st.html(f"{_CSS}<style>:root {{ --atlas-paper: {paper(mode())}; }}</style>")


def heading(title: str, lead: str) -> None:
    """Title of a page and the one sentence that says what it answers."""
    st.title(title, anchor=False)
    st.html(f'<p class="atlas-lead">{lead}</p>')


def mode() -> str:
    """``"light"`` or ``"dark"``, as the reader sees the page."""
    return "dark" if st.context.theme.type == "dark" else "light"


_P = ParamSpec("_P")


def telling(part: Callable[_P, None]) -> Callable[_P, None]:
    """A part of a page that says what is wrong where it is wrong; Streamlit keeps a fragment's errors from its page."""

    @functools.wraps(part)
    def told(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            part(*args, **kwargs)
        except AtlasError as error:
            show_error(error)

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


def show_unexpected(error: Exception) -> None:
    """An error no page expected: no traceback, but what happened and where to look."""
    st.error(
        f"**This page ran into an error it did not expect ({type(error).__name__}).**  \n"
        "Nothing stored is lost. Reload the page; if it happens again, the server's log has the details.",
        icon=":material/warning:",
    )
