"""Texts from data, numbers, times and sizes, as a page shows them."""

import html
import re
import string
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from ntkcore.analyses.words import (
    as_texts,
    change,
    duration,
    exact,
    fixed,
    labelled,
    number,
    percent,
    place,
    share,
    signed,
    size,
    told_apart,
)

# Found by Streamlit after escapes are taken off: an invisible joint hides them.
_KIND = "words.kind"
_LIVELY = re.compile(r"(\\[:@]|www(?=\\[.]))", re.IGNORECASE)


def plain(text: str) -> str:
    """Text from data as Markdown that shows it literally: no markup, icons, entities or links."""
    escaped = "".join("\\" + c if c in string.punctuation else c for c in text)
    return _LIVELY.sub("\\1\N{WORD JOINER}", escaped)


def as_html(sentence: str, *strong: str) -> str:
    """A sentence of plain text as HTML, each of these fragments in bold where it occurs first; given twice, its second occurrence too."""
    text = html.escape(spoken(sentence))
    for part in (html.escape(spoken(fragment)) for fragment in strong):
        text = re.sub(f"(?<!<b>){re.escape(part)}", lambda found: f"<b>{found[0]}</b>", text, count=1)
    return text


def when(moment: datetime | str | float | None) -> str:
    """A moment in the reader's own time zone; a number is of seconds since 1970."""
    if moment is None:
        return "–"
    if isinstance(moment, float):
        moment = datetime.fromtimestamp(moment, UTC)
    parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return parsed.astimezone(_timezone()).strftime("%Y-%m-%d %H:%M")


def speak_of(kind: str) -> None:
    """What the page's set is made of from here on: ``"images"`` or ``"texts"``."""
    st.session_state[_KIND] = kind


def spoken(text: str) -> str:
    """A sentence or a label of ours about images, which of a set of texts speaks of texts."""
    return as_texts(text) if st.session_state.get(_KIND) == "texts" else text


def counted(count: int, kind: str) -> str:
    """So many ``"images"`` or ``"texts"``: 1 text, 2 texts."""
    return f"{count:,} {kind.removesuffix('s') if count == 1 else kind}"


def fewer(count: int, usual: int | None) -> str:
    """Why there are so few of something where nobody said how many, in brackets; "" where there are as many as usual."""
    return "" if usual is None or count >= usual else f" (rather than {usual}, which would take more than ten minutes)"


def _timezone() -> tzinfo:
    """The reader's time zone, UTC when the browser does not say."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


__all__ = [
    "as_html",
    "change",
    "counted",
    "duration",
    "exact",
    "fewer",
    "fixed",
    "labelled",
    "number",
    "percent",
    "place",
    "plain",
    "share",
    "signed",
    "size",
    "speak_of",
    "spoken",
    "told_apart",
    "when",
]
