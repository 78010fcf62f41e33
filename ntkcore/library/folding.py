"""Words as a search compares them: without case and accents, the same on every database."""

import unicodedata

import sqlalchemy as sa

_MOST = 8  # words of a search


def folded(*texts: str) -> str:
    """Texts one after another, each in a line."""
    return "\n".join(_plain(text) for text in texts if text)


def words(search: str) -> tuple[str, ...]:
    """The words that must all be found."""
    return tuple(dict.fromkeys(_plain(search).split()))[:_MOST]


def holds(column: sa.ColumnElement[str], word: str) -> sa.ColumnElement[bool]:
    """The condition that a column of folded text has a word, or a part of one."""
    return column.contains(word, autoescape=True)


def _plain(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(char))
