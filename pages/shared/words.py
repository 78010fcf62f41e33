"""Texts from data, numbers, times and sizes, as a page shows them."""

import html
import re
import string
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from ntkcore.analyses.words import change, duration, fixed, number, percent, share, signed, size, told_apart

# Found by Streamlit after escapes are taken off: an invisible joint hides them.
_LIVELY = re.compile(r"(\\[:@]|www(?=\\[.]))", re.IGNORECASE)


def plain(text: str) -> str:
    """Text from data as Markdown that shows it literally: no markup, icons, entities or links."""
    escaped = "".join("\\" + c if c in string.punctuation else c for c in text)
    return _LIVELY.sub("\\1\N{WORD JOINER}", escaped)


def as_html(sentence: str, *strong: str) -> str:
    """A sentence of plain text as HTML, the first occurrence of each of these fragments in bold."""
    text = html.escape(sentence)
    for part in map(html.escape, strong):
        text = text.replace(part, f"<b>{part}</b>", 1)
    return text


def labelled(label: str, true: str) -> str:
    """A label, and the true one where it was flipped."""
    return label if label == true else f"{label} (flipped; truly {true})"


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


__all__ = [
    "as_html",
    "change",
    "duration",
    "fixed",
    "labelled",
    "number",
    "percent",
    "plain",
    "share",
    "signed",
    "size",
    "told_apart",
    "when",
]
