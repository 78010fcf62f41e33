"""Small tables of facts."""

import html
from collections.abc import Sequence

import streamlit as st

from ntkcore.figures.theme import raised


def facts_table(rows: Sequence[tuple[str, str]], note: str = "") -> None:
    """What is known of the image, and a quiet sentence below."""
    cells = "".join(f"<tr><th>{html.escape(what)}</th><td>{html.escape(value)}</td></tr>" for what, value in rows)
    st.html(f'<table class="atlas-facts">{cells}</table>' + (f'<p class="atlas-quiet">{note}</p>' if note else ""))


def fact(text: str, *quiet: str) -> None:
    """A plain answer, and what is behind it in quieter lines; texts are HTML."""
    st.html(f'<p class="atlas-fact">{text}</p>' + "".join(f'<p class="atlas-quiet">{line}</p>' for line in quiet))


def columns_table(head: Sequence[str], rows: Sequence[Sequence[str]], note: str = "", *, ours: bool = False) -> None:
    """A small table whose first column says what its row is, and a quiet sentence below; texts are shown as they are.

    Args:
        head, rows: its texts.
        note: the sentence.
        ours: rows are named by our own mathematical text, whose indices are set low.
    """
    first = f'<th style="text-align: left">{html.escape(head[0])}</th>' + "".join(f"<th>{html.escape(name)}</th>" for name in head[1:])
    named = raised if ours else html.escape
    body = "".join(f"<tr><th>{named(row[0])}</th>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row[1:])}</tr>" for row in rows)
    below = f'<p class="atlas-quiet">{html.escape(note)}</p>' if note else ""
    st.html(f'<table class="atlas-facts atlas-columns"><tr>{first}</tr>{body}</table>{below}')
