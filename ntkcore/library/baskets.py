"""Baskets: the images that a person has ticked of a draw, the same in all their tabs and on every page."""

import json
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ntkcore.library.database import Library
from ntkcore.library.people import Person
from ntkcore.library.tables import BASKETS

MOST = 100_000
"""Images of a basket at most; the first are kept."""


class Baskets:
    """The baskets of a library, each its person's alone. Every method raises ``LibraryError`` where that is damaged or cannot be reached.

    A draw is named by :func:`ntkcore.analyses.carry.draw`; its images by their places in it.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def of(self, draw: str, person: Person) -> tuple[int, ...]:
        """What is in it, ascending."""
        if not self._library.begun:
            return ()
        with self._library.reading() as connection:
            return _read(connection.execute(sa.select(BASKETS.c.images).where(*_whose(draw, person))).scalar())

    def change(self, draw: str, person: Person, *, put: Iterable[int] = (), take: Iterable[int] = ()) -> tuple[int, ...]:
        """Put images in and take others out, whatever another tab has put in meanwhile; what is in it then, ascending."""
        person.require("open")
        with self._library.writing() as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            begun = {"owner": person.id, "dataset": draw, "images": "[]", "changed": self._library.now}
            connection.execute(dialect.insert(BASKETS).values(**begun).on_conflict_do_nothing())
            asked = sa.select(BASKETS.c.images).where(*_whose(draw, person)).with_for_update()  # one change after another
            held = _read(connection.execute(asked).scalar())
            found = tuple(sorted((set(held) - set(take)) | set(put)))[:MOST]
            changed = {"images": json.dumps(found), "changed": self._library.now}
            connection.execute(BASKETS.update().where(*_whose(draw, person)).values(**changed))
        return found


def _whose(draw: str, person: Person) -> tuple[sa.ColumnElement[bool], ...]:
    return BASKETS.c.owner == person.id, BASKETS.c.dataset == draw


def _read(kept: str | None) -> tuple[int, ...]:
    return () if kept is None else tuple(json.loads(kept))
