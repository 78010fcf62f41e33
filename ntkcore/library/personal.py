"""A person's own data: all of it as a zip of JSON, and its deletion.

What was shared stays for those who work with it, without the name; what nobody else may see goes.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from ntkcore.errors import LibraryError
from ntkcore.library import audit
from ntkcore.library.database import Library
from ntkcore.library.folding import folded
from ntkcore.library.people import LOCAL, Person
from ntkcore.library.saved import remove
from ntkcore.library.tables import ANALYSES, AUDIT, BASKETS, MEMBERS, NOTES, PEOPLE, TAGS, TOKENS, VERSIONS, VIEWS, VISITS

LEFT = "somebody who left"
"""The name beside what a person shared, once they deleted their data."""
_OWNED: Mapping[str, tuple[sa.Table, sa.Column[Any]]] = MappingProxyType(
    {
        "person": (PEOPLE, PEOPLE.c.id),
        "member": (MEMBERS, MEMBERS.c.person),
        "tokens": (TOKENS, TOKENS.c.person),
        "analyses": (ANALYSES, ANALYSES.c.owner),
        "versions": (VERSIONS, VERSIONS.c.owner),
        "notes": (NOTES, NOTES.c.owner),
        "tags": (TAGS, TAGS.c.owner),
        "views": (VIEWS, VIEWS.c.owner),
        "baskets": (BASKETS, BASKETS.c.owner),
        "visits": (VISITS, VISITS.c.visitor),
        "audit": (AUDIT, AUDIT.c.person),
    }
)
_INNER = frozenset({"digest", "folded"})  # a token's hash, and words for the search that are there already
_SHARED = (ANALYSES, NOTES, TAGS, VIEWS)  # what has a visibility


@dataclass(frozen=True, slots=True)
class Held:
    """How many analyses, notes, tags and views of a person's only they see, and how many others see, too."""

    private: tuple[int, int, int, int]
    shared: tuple[int, int, int, int]


def held(library: Library, person: Person) -> Held:
    """What a deletion would take, and what would stay. Raises ``LibraryError`` where the library cannot be read."""

    def count(table: sa.Table, *, private: bool) -> int:
        seen = (table.c.visibility == "private") == sa.literal(private)
        return int(connection.execute(sa.select(sa.func.count()).select_from(table).where(table.c.owner == person.id, seen)).scalar_one())

    with library.reading() as connection:
        analyses, notes, tags, views = ((count(table, private=True), count(table, private=False)) for table in _SHARED)
    return Held((analyses[0], notes[0], tags[0], views[0]), (analyses[1], notes[1], tags[1], views[1]))


def exported(library: Library, person: Person) -> bytes:
    """A zip with a JSON file for each kind of thing that is kept of a person: lists of rows, moments in seconds since 1970.

    Raises:
        Refused: their role does not allow it.
        LibraryError: the library is damaged or cannot be reached.
    """
    person.require("own data")
    buffer = io.BytesIO()
    with library.reading() as connection, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (table, owner) in _OWNED.items():
            found = connection.execute(sa.select(table).where(owner == person.id)).mappings()
            rows = [{column: value for column, value in row.items() if column not in _INNER} for row in found]
            archive.writestr(f"{name}.json", json.dumps(rows, ensure_ascii=False, indent=1))
    return buffer.getvalue()


def delete(library: Library, person: Person) -> None:
    """Delete what only they see, their tokens and logins, and their name beside what they shared.

    A role that an administrator gave stays with the login, so that nobody gets rid of it by deleting. The audit list stays as it is.

    Raises:
        Refused: their role does not allow it.
        LibraryError: there is no login on this server, or the library is damaged or cannot be reached.
    """
    person.require("own data")
    if person.id == LOCAL:
        raise LibraryError("Without a login nobody's data are told from others'.", "Throw away what shall go where it is listed.")
    with library.writing() as connection:
        alone = sa.select(ANALYSES.c.id).where(ANALYSES.c.owner == person.id, ANALYSES.c.visibility == "private")
        for code in connection.execute(alone).scalars().all():
            remove(connection, code)
        notes = sa.select(NOTES.c.id).where(NOTES.c.owner == person.id, NOTES.c.visibility == "private")
        connection.execute(NOTES.update().where(NOTES.c.answers.in_(notes)).values(answers=None))
        for table in (NOTES, TAGS, VIEWS):
            connection.execute(table.delete().where(table.c.owner == person.id, table.c.visibility == "private"))
        for table, owner in (_OWNED[name] for name in ("tokens", "baskets", "visits")):
            connection.execute(table.delete().where(owner == person.id))
        for table in (NOTES, TAGS, VIEWS):
            connection.execute(table.update().where(table.c.owner == person.id).values(author=LEFT))
        for row in connection.execute(sa.select(VERSIONS).where(VERSIONS.c.owner == person.id)).all():
            words = folded(row.title, row.description, row.answer, row.dataset, LEFT, row.page)
            connection.execute(VERSIONS.update().where(VERSIONS.c.id == row.id).values(author=LEFT, folded=words))
        connection.execute(PEOPLE.update().where(PEOPLE.c.id == person.id).values(name=LEFT))
        gone = {"subject": "", "claimed": None, "logins_since": library.now}
        connection.execute(MEMBERS.update().where(MEMBERS.c.person == person.id).values(**gone))
        audit.add(connection, library, person, "deleted", "their own data")
