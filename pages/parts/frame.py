"""The frame of every page: configuration, heading, the designed states, and numbers as text."""

import functools
import math
import re
import string
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import ParamSpec
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from ntkcore.errors import AtlasError
from ntkcore.figures.theme import paper

# Found by Streamlit after escapes are taken off: an invisible joint hides them.
_LIVELY = re.compile(r"(\\[:@]|www(?=\\[.]))", re.IGNORECASE)
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
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


def plain(text: str) -> str:
    """Text from data as Markdown that shows it literally: no markup, icons, entities or links."""
    escaped = "".join("\\" + c if c in string.punctuation else c for c in text)
    return _LIVELY.sub("\\1\N{WORD JOINER}", escaped)


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, as a person writes it: 0.042, 8.1·10⁴, ∞."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}g}"
    mantissa, exponent, power = text.partition("e")
    if exponent and -4 <= int(power) <= max(digits, 3):  # 1.23e+03 is 1230
        return f"{float(text):.0f}".replace("-", "−")
    return (mantissa + (f"·10{str(int(power)).translate(_RAISED)}" if exponent else "")).replace("-", "−")


def told_apart(values: Sequence[float]) -> dict[float, str]:
    """A text for each of some different numbers: as few digits, from three on, as no other of them would be written with alike."""

    def text(value: float) -> str:
        written = (([number(other, digits) for other in values], number(value, digits)) for digits in range(3, 18))
        return next(own for all_of_them, own in written if all_of_them.count(own) == 1)

    return {value: text(value) for value in values}


def signed(value: float) -> str:
    """A signed number with two decimals and a true minus sign."""
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")  # + 0.0: no negative zero


def duration(seconds: float | None) -> str:
    """Seconds as a person says them."""
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Bytes as a person says them."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}" if count < 100 * scale else f"{count / scale:.0f} {unit}"
    return f"{count:.0f} B"


def when(moment: datetime | str | None) -> str:
    """A moment in the reader's own time zone."""
    if moment is None:
        return "–"
    parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return parsed.astimezone(_timezone()).strftime("%Y-%m-%d %H:%M")


def _timezone() -> tzinfo:
    """The reader's time zone, UTC when the browser does not say."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
