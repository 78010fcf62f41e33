"""Saved analyses: what somebody looked at, kept under a short address, with everything that it was before.

A version is never changed. Saving again adds one, and so does going back to an earlier one. What is thrown away lies in the trash for
:data:`KEPT_DAYS` days.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ntkcore.errors import DataError, LibraryError
from ntkcore.library import codes
from ntkcore.library.database import Library
from ntkcore.library.folding import folded
from ntkcore.library.people import Person, Visibility, require_owner, visible
from ntkcore.library.tables import ANALYSES, KEYS, NOTES, VERSIONS

KEPT_DAYS = 30
TITLE, DESCRIPTION = 200, 4000
"""Characters at most."""
_DAY = 86_400.0
_ATTEMPTS = 30

Key = tuple[str, str, int]
"""Kind and key of a stored result, and its bytes."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is saved.

    Attributes:
        page: whose specification and view they are.
        spec, view: as JSON has them.
        title, description: for people.
        answer: in one sentence.
        dataset, source: the images in words, and the id of their set.
        pack, images: thumbnails that show what it is of.
        keys: the stored results that it shows.
    """

    page: str
    spec: Mapping[str, Any]
    view: Mapping[str, Any]
    title: str
    description: str = ""
    answer: str = ""
    dataset: str = ""
    source: str = ""
    pack: str = ""
    images: tuple[int, ...] = ()
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """What was saved, and when by whom.

    Attributes:
        analysis: its code.
        number: 1 for the first.
        content: what was saved.
        author, made: who, and when (seconds since 1970).
        owner, visibility: of the analysis: a person's id, and who else may see it.
        newest: number of the version that holds.
        trashed: when it was thrown away; None: it was not.
    """

    analysis: str
    number: int
    content: Content
    author: str
    made: float
    owner: str
    visibility: Visibility
    newest: int
    trashed: float | None = None

    @property
    def reference(self) -> str:
        """Its short address, with its number: this version for good."""
        return codes.written(self.analysis, self.number)


class Absent(DataError):
    """There is no such saved analysis, or not for who asks: which of both is not said."""

    def __init__(self) -> None:
        super().__init__("There is no such saved analysis on this server.", "Check the address, or look for it in the library.")


class Overtaken(LibraryError):
    """Somebody saved another version meanwhile.

    Attributes:
        version: the one that holds now.
    """

    def __init__(self, version: Version) -> None:
        super().__init__(
            f"{version.author} saved version {version.number} meanwhile; nothing was overwritten.",
            "Look at that one, or save yours under a name of its own.",
        )
        self.version = version


class Saved:
    """The saved analyses of a library. Every method raises ``LibraryError`` where that is damaged or cannot be reached."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def save(self, content: Content, person: Person, visibility: Visibility = "team") -> Version:
        """Keep something new; its first version."""
        person.require("save")
        with self._library.writing() as connection:
            now = self._library.moment(connection)
            for attempt in range(_ATTEMPTS):
                code = codes.drawn(attempt)
                if connection.execute(sa.select(ANALYSES.c.id).where(ANALYSES.c.id == code)).first() is None:
                    break
            values = {"id": code, "owner": person.id, "visibility": visibility, "made": now, "changed": now, "version": 0}
            connection.execute(ANALYSES.insert().values(**values))
            return self._add(connection, code, 1, content, person, now)

    def again(self, code: str, content: Content, person: Person, seen: int) -> Version:
        """Keep another version of it.

        Args:
            seen: number of the version that whoever saves knows as the newest.

        Raises:
            Absent: there is none.
            Refused: it is somebody else's.
            Overtaken: there is a newer one than was seen; nothing is kept.
        """
        person.require("save")
        with self._library.writing() as connection:
            self._lock(connection, code, person)
            held = self._read(connection, code, None, person)
            if held.newest != seen:
                raise Overtaken(held)
            return self._add(connection, code, seen + 1, content, person, self._library.moment(connection))

    def go_back(self, code: str, number: int, person: Person, seen: int) -> Version:
        """Let an earlier version hold again: it is kept anew, as the newest. Raises as :meth:`again`."""
        return self.again(code, self.version(code, person, number).content, person, seen)

    def version(self, code: str, person: Person, number: int | None = None) -> Version:
        """A version; None: the newest. Also of one in the trash.

        Raises:
            Absent: there is none, or not for this person.
        """
        with self._library.reading() as connection:
            return self._read(connection, code, number, person)

    def versions(self, code: str, person: Person) -> tuple[Version, ...]:
        """All of them, the newest first. Raises as :meth:`version`."""
        with self._library.reading() as connection:
            asked = seen_by(person).where(VERSIONS.c.analysis == code).order_by(VERSIONS.c.number.desc())
            rows = connection.execute(asked).all()
            if not rows:
                raise Absent
            return tuple(version_of(row, self._keys(connection, row.id)) for row in rows)

    def show_to(self, code: str, visibility: Visibility, person: Person) -> None:
        """Say who may see it. Raises as :meth:`again`, but ``Overtaken``."""
        person.require("save")
        self._change(code, person, visibility=visibility)

    def throw_away(self, code: str, person: Person) -> None:
        """Put it into the trash. Raises as :meth:`show_to`."""
        person.require("save")
        self._change(code, person, trashed=self._library.now)

    def restore(self, code: str, person: Person) -> None:
        """Take it out of the trash. Raises as :meth:`show_to`."""
        person.require("save")
        self._change(code, person, trashed=None)

    def empty_trash(self, days: float = KEPT_DAYS) -> int:
        """Remove what has lain in the trash for so many days, with its versions and the notes on it; how many analyses that were."""
        with self._library.writing() as connection:
            old = sa.select(ANALYSES.c.id).where(ANALYSES.c.trashed < self._library.now - days * _DAY)
            gone = list(connection.execute(old).scalars())
            for code in gone:
                remove(connection, code)
        return len(gone)

    def keys(self) -> frozenset[tuple[str, str]]:
        """Kind and key of every stored result that some version shows."""
        with self._library.reading() as connection:
            return frozenset((row.kind, row.key) for row in connection.execute(sa.select(KEYS.c.kind, KEYS.c.key).distinct()))

    def shown_by(self, kind: str, key: str) -> int:
        """How many saved analyses show a stored result."""
        joined = KEYS.join(VERSIONS, VERSIONS.c.id == KEYS.c.version)
        asked = sa.select(sa.func.count(VERSIONS.c.analysis.distinct())).select_from(joined).where(KEYS.c.kind == kind, KEYS.c.key == key)
        with self._library.reading() as connection:
            return int(connection.execute(asked).scalar_one())

    def of_source(self, source: str) -> int:
        """How many saved analyses, whoever's, are of a set of images."""
        asked = sa.select(sa.func.count(VERSIONS.c.analysis.distinct())).where(VERSIONS.c.source == source)
        with self._library.reading() as connection:
            return int(connection.execute(asked).scalar_one())

    def bytes_of(self, owner: str, more: Iterable[Key] = ()) -> int:
        """Bytes of the stored results that the versions which a person saved keep, and of further ones, each counted once."""
        joined = KEYS.join(VERSIONS, VERSIONS.c.id == KEYS.c.version)
        each = sa.select(KEYS.c.kind, KEYS.c.key, sa.func.max(KEYS.c.bytes).label("bytes")).select_from(joined)
        with self._library.reading() as connection:
            rows = connection.execute(each.where(VERSIONS.c.owner == owner).group_by(KEYS.c.kind, KEYS.c.key)).all()
        return sum(({(kind, key): size for kind, key, size in more} | {(row.kind, row.key): row.bytes for row in rows}).values())

    def _add(self, connection: sa.Connection, code: str, number: int, content: Content, person: Person, now: float) -> Version:
        """Write a version, and let it hold."""
        title = " ".join(content.title.split())[:TITLE] or "Untitled"
        told = content.description.strip()[:DESCRIPTION]
        values = {
            "analysis": code,
            "number": number,
            "page": content.page,
            "spec": json.dumps(content.spec),
            "view": json.dumps(content.view),
            "title": title,
            "description": told,
            "answer": content.answer,
            "dataset": content.dataset,
            "source": content.source,
            "pack": content.pack,
            "images": json.dumps(content.images),
            "folded": folded(title, told, content.answer, content.dataset, person.name, content.page),
            "owner": person.id,
            "author": person.name,
            "made": now,
        }
        added = connection.execute(VERSIONS.insert().values(**values).returning(VERSIONS.c.id)).scalar_one()
        if content.keys:
            rows = [{"version": added, "kind": kind, "key": key, "bytes": size} for kind, key, size in content.keys]
            connection.execute(KEYS.insert(), rows)
        connection.execute(ANALYSES.update().where(ANALYSES.c.id == code).values(version=number, changed=now))
        return self._read(connection, code, number, person)

    def _change(self, code: str, person: Person, **values: Any) -> None:
        with self._library.writing() as connection:
            self._lock(connection, code, person)
            connection.execute(ANALYSES.update().where(ANALYSES.c.id == code).values(**values))

    def _lock(self, connection: sa.Connection, code: str, person: Person) -> None:
        """Other changes of it wait until this one is kept; it must be this person's."""
        asked = sa.select(ANALYSES.c.owner).where(ANALYSES.c.id == code, visible(person, ANALYSES)).with_for_update()
        owner = connection.execute(asked).scalar()
        if owner is None:
            raise Absent
        require_owner(person, owner)

    def _read(self, connection: sa.Connection, code: str, number: int | None, person: Person) -> Version:
        chosen = ANALYSES.c.version if number is None else number
        row = connection.execute(seen_by(person).where(ANALYSES.c.id == code, VERSIONS.c.number == chosen)).first()
        if row is None:
            raise Absent
        return version_of(row, self._keys(connection, row.id))

    def _keys(self, connection: sa.Connection, version: int) -> tuple[Key, ...]:
        asked = sa.select(KEYS.c.kind, KEYS.c.key, KEYS.c.bytes).where(KEYS.c.version == version).order_by(KEYS.c.kind, KEYS.c.key)
        return tuple((row.kind, row.key, row.bytes) for row in connection.execute(asked))


def remove(connection: sa.Connection, code: str) -> None:
    """Remove an analysis for good, with its versions and the notes on it."""
    versions = sa.select(VERSIONS.c.id).where(VERSIONS.c.analysis == code)
    connection.execute(KEYS.delete().where(KEYS.c.version.in_(versions)))
    connection.execute(VERSIONS.delete().where(VERSIONS.c.analysis == code))
    notes = sa.select(NOTES.c.id).where(NOTES.c.analysis == code)
    connection.execute(NOTES.update().where(NOTES.c.answers.in_(notes)).values(answers=None))
    connection.execute(NOTES.delete().where(NOTES.c.analysis == code))
    connection.execute(ANALYSES.delete().where(ANALYSES.c.id == code))


def seen_by(person: Person) -> sa.Select[Any]:
    """Versions that a person may see, with what their analyses say."""
    held = (ANALYSES.c.owner.label("whose"), ANALYSES.c.visibility, ANALYSES.c.version.label("newest"), ANALYSES.c.trashed)
    return sa.select(VERSIONS, *held).join(ANALYSES, ANALYSES.c.id == VERSIONS.c.analysis).where(visible(person, ANALYSES))


def version_of(row: Any, keys: tuple[Key, ...]) -> Version:
    """A row of :func:`seen_by`."""
    content = Content(
        page=row.page,
        spec=json.loads(row.spec),
        view=json.loads(row.view),
        title=row.title,
        description=row.description,
        answer=row.answer,
        dataset=row.dataset,
        source=row.source,
        pack=row.pack,
        images=tuple(json.loads(row.images)),
        keys=keys,
    )
    return Version(row.analysis, row.number, content, row.author, float(row.made), row.whose, row.visibility, row.newest, row.trashed)
