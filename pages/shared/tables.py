"""Small tables of facts."""

import html
from collections.abc import Sequence

import streamlit as st

from ntkcore.figures.theme import raised
from pages.shared import words

_LEFT = ' style="text-align: left"'


def facts_table(rows: Sequence[tuple[str, str]], note: str = "") -> None:
    """What is known of the image, and a quiet sentence below."""
    cells = "".join(f"<tr><th>{html.escape(words.spoken(what))}</th><td>{html.escape(value)}</td></tr>" for what, value in rows)
    st.html(f'<table class="atlas-facts">{cells}</table>' + (f'<p class="atlas-quiet">{words.spoken(note)}</p>' if note else ""))


def fact(text: str, *quiet: str) -> None:
    """A plain answer, and what is behind it in quieter lines; texts are HTML."""
    st.html(words.spoken(f'<p class="atlas-fact">{text}</p>' + "".join(f'<p class="atlas-quiet">{line}</p>' for line in quiet)))


def columns_table(head: Sequence[str], rows: Sequence[Sequence[str]], note: str = "", *, names: int = 1, ours: bool = False) -> None:
    """A small table; texts are shown as they are, what follows a line break in a quieter line.

    Args:
        head: titles of the columns.
        rows: their cells.
        note: a quiet sentence below.
        names: columns from the left that tell the rows apart.
        ours: rows are named by our own mathematical text, whose indices are set low.
    """
    first = "".join(f"<th{_LEFT if place < names else ''}>{html.escape(words.spoken(name))}</th>" for place, name in enumerate(head))
    body = "".join(
        f"<tr>{''.join(_cell(cell, 'th' if place < names else 'td', ours and place < names) for place, cell in enumerate(row))}</tr>"
        for row in rows
    )
    quiet = f'<p class="atlas-quiet">{html.escape(words.spoken(note))}</p>' if note else ""
    st.html(f'<table class="atlas-facts atlas-columns"><tr>{first}</tr>{body}</table>{quiet}')


def _cell(text: str, kind: str, ours: bool) -> str:
    said, _, below = text.partition("\n")
    quiet = f'<br><span class="atlas-quiet" style="white-space: nowrap">{html.escape(below)}</span>' if below else ""
    return f"<{kind}>{raised(said) if ours else html.escape(said)}{quiet}</{kind}>"
