"""The further columns of the table that an own set came with: numbers of every image, and words to choose from."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ntkcore.analyses.workspace import Workspace
from ntkcore.data.own_read import open_own, own_columns
from ntkcore.specs import DatasetSpec

MOST_CHOICES = 200
"""Different words up to which a column is offered to choose from."""
MARK = "@"
"""What a column's name has before it in addresses."""
_LONGEST = 36  # characters of a column's name there
NONE = "(none)"
"""What an image without a word is said to have."""


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words.

    Attributes:
        title: the column's name.
        values: (n,) the word of each image; NONE for one without.
        choices: the different ones, the most frequent first.
    """

    title: str
    values: np.ndarray
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """Of some images, by the names that addresses have for the columns.

    Attributes:
        titles, numbers: the columns of numbers and their values (n,), NaN for an image without.
        words: the columns of words, those of more than MOST_CHOICES different ones left out.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, np.ndarray] = field(default_factory=dict)
    words: Mapping[str, Words] = field(default_factory=dict)


NO_COLUMNS = Columns()


@dataclass(frozen=True, slots=True)
class _Table:
    """The columns of a whole set, and each image's place in it by its name."""

    columns: Mapping[str, Sequence[Any]]
    places: Mapping[str, int]


def columns_of(dataset: DatasetSpec, ids: Sequence[str], ws: Workspace) -> Columns:
    """The columns of images by their names in their set; none of a set that came without a table.

    Raises:
        DataMissing: there is no such set.
        DataError: it is damaged.
    """
    if dataset.own is None:
        return NO_COLUMNS
    table = _table(dataset.own, ws)
    places = [table.places.get(name) for name in ids]
    titles: dict[str, str] = {}
    numbers: dict[str, np.ndarray] = {}
    words: dict[str, Words] = {}
    for name, column in _names(table.columns).items():
        values = [None if place is None else table.columns[column][place] for place in places]
        known = [value for value in values if value not in (None, "")]
        if not known:
            continue
        if all(isinstance(value, float | int) and not isinstance(value, bool) for value in known):
            titles[name] = column
            numbers[name] = np.array([np.nan if value in (None, "") else float(value) for value in values])
            continue
        said = [_word(value) for value in values]
        choices = tuple(word for word, _ in Counter(said).most_common())
        if len(choices) <= MOST_CHOICES:
            words[name] = Words(column, np.array(said, dtype=object), choices)
    return Columns(titles, numbers, words)


def row_of(dataset: DatasetSpec, name: str, ws: Workspace) -> list[tuple[str, str]]:
    """What the table says of one image: each column and its value there, "–" for none. Raises as :func:`columns_of`."""
    if dataset.own is None:
        return []
    table = _table(dataset.own, ws)
    place = table.places.get(name)
    if place is None:
        return []
    return [(column, _said(values[place])) for column, values in table.columns.items()]


def _table(own: str, ws: Workspace) -> _Table:
    def read() -> _Table:
        columns = own_columns(own, ws.settings)
        source = open_own(own, ws.settings)
        names = source.ids(np.arange(len(source.labels))) if columns else ()
        return _Table(columns, {name: place for place, name in enumerate(names)})

    return ws.hot.get(("numbers.columns", own), read, lambda table: 200 * len(table.places) * (1 + len(table.columns)))


def _names(columns: Mapping[str, Any]) -> dict[str, str]:
    """Columns by what addresses call them: a filter has no ~ in its name, and no long one."""
    found: dict[str, str] = {}
    for column in columns:
        name = MARK + column.replace("~", "-")[:_LONGEST]
        count = 1
        while name in found:
            count += 1
            name = f"{MARK}{column.replace('~', '-')[: _LONGEST - 3]}-{count}"
        found[name] = column
    return found


def _word(value: Any) -> str:
    if value in (None, ""):
        return NONE
    return json.dumps(value) if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _said(value: Any) -> str:
    return "–" if value in (None, "") else _word(value)
