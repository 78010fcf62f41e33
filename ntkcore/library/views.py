"""Saved views: ways of looking at a page that a person keeps under a name, for the images that they were kept with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ntkcore.errors import DataError
from ntkcore.library.database import Library
from ntkcore.library.people import Person
from ntkcore.library.tables import VIEWS

NAME = 60
"""Characters of a name at most."""
MOST = 50
"""Views that a person keeps of a page and a draw at most."""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view under its name; ``said`` is what an address says of it, which the page understands."""

    id: int
    name: str
    said: Mapping[str, Any]


class Views:
    """The saved views of a library, each its person's alone; ``LibraryError`` where that is damaged or cannot be reached.

    A draw is named by :func:`ntkcore.analyses.carry.draw`.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def of(self, page: str, draw: str, person: Person) -> tuple[SavedView, ...]:
        """Those of a page and a draw, by name."""
        if not self._library.begun:
            return ()
        asked = sa.select(VIEWS.c.id, VIEWS.c.name, VIEWS.c.view).where(*_of(page, draw, person)).order_by(VIEWS.c.name)
        with self._library.reading() as connection:
            return tuple(SavedView(row.id, row.name, json.loads(row.view)) for row in connection.execute(asked))

    def keep(self, name: str, page: str, draw: str, said: Mapping[str, Any], person: Person) -> None:
        """Keep a view; under a name that there is, in place of that one.

        Raises:
            DataError: the name is empty, or there are too many.
        """
        person.require("open")
        values = {"name": _clean(name), "view": json.dumps(said), "author": person.name, "made": self._library.now}
        with self._library.writing() as connection:
            held = {row.name: row.id for row in connection.execute(sa.select(VIEWS.c.id, VIEWS.c.name).where(*_of(page, draw, person)))}
            if values["name"] in held:
                connection.execute(VIEWS.update().where(VIEWS.c.id == held[values["name"]]).values(**values))
                return
            if len(held) >= MOST:
                raise DataError(f"There are {MOST} saved views of these images here.", "Remove one of them first.")
            of = {"owner": person.id, "visibility": "private", "page": page, "dataset": draw}
            connection.execute(VIEWS.insert().values(**values, **of))

    def rename(self, view: int, name: str, person: Person) -> None:
        """Give it another name.

        Raises:
            DataError: the name is empty or taken, or the view is gone.
        """
        person.require("open")
        mine, wanted = (VIEWS.c.id == view, VIEWS.c.owner == person.id), _clean(name)
        with self._library.writing() as connection:
            row = connection.execute(sa.select(VIEWS.c.page, VIEWS.c.dataset).where(*mine)).first()
            if row is None:
                raise DataError("This view is no longer there.", "It was removed in another tab; reload the page.")
            taken = sa.select(VIEWS.c.id).where(*_of(row.page, row.dataset, person), VIEWS.c.name == wanted, VIEWS.c.id != view)
            if connection.execute(taken).first() is not None:
                raise DataError(f"There is a view “{wanted}” already.", "Choose another name.")
            connection.execute(VIEWS.update().where(*mine).values(name=wanted))

    def remove(self, view: int, person: Person) -> None:
        """Remove it; nothing where it is gone."""
        person.require("open")
        with self._library.writing() as connection:
            connection.execute(VIEWS.delete().where(VIEWS.c.id == view, VIEWS.c.owner == person.id))


def _of(page: str, draw: str, person: Person) -> tuple[sa.ColumnElement[bool], ...]:
    return VIEWS.c.owner == person.id, VIEWS.c.page == page, VIEWS.c.dataset == draw


def _clean(name: str) -> str:
    found = " ".join(name.split())[:NAME]
    if not found:
        raise DataError("A view needs a name.", "Type one first.")
    return found
