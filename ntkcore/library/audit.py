"""Who deleted, exported or changed roles, on a server with a login: written with the deed, and never changed."""

from dataclasses import dataclass
from typing import Literal, get_args

import sqlalchemy as sa

from ntkcore.library.database import Library
from ntkcore.library.people import LOCAL, Person
from ntkcore.library.tables import AUDIT

Deed = Literal["deleted", "exported", "changed a role", "cancelled", "signed out everywhere", "made a token", "revoked a token"]
DEEDS: tuple[Deed, ...] = get_args(Deed)
_THING = 300  # characters


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed: whose (id, and name then), which, of what, and when (seconds since 1970)."""

    person: str
    name: str
    deed: Deed
    thing: str
    made: float


def write(library: Library, person: Person, deed: Deed, thing: str) -> None:
    """Keep a deed. Without a login there is nobody to tell from others, and nothing is kept."""
    if person.id != LOCAL:
        with library.writing() as connection:
            add(connection, library, person, deed, thing)


def add(connection: sa.Connection, library: Library, person: Person, deed: Deed, thing: str) -> None:
    """Keep a deed together with what else a connection changes."""
    values = {"person": person.id, "name": person.name, "deed": deed, "thing": thing[:_THING], "made": library.now}
    connection.execute(AUDIT.insert().values(**values))


def read(library: Library, *, person: str = "", deed: Deed | None = None, limit: int = 200) -> tuple[Entry, ...]:
    """The last deeds, the newest first; of one person, or of one kind, where these are named."""
    asked = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    if person:
        asked = asked.where(AUDIT.c.person == person)
    if deed is not None:
        asked = asked.where(AUDIT.c.deed == deed)
    with library.reading() as connection:
        return tuple(Entry(row.person, row.name, row.deed, row.thing, float(row.made)) for row in connection.execute(asked))
