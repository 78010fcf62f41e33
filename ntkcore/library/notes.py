"""Notes: on a saved analysis, on an image wherever it is shown, on a moment or a place in an analysis; and answers to them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ntkcore.errors import DataError
from ntkcore.library.database import Library
from ntkcore.library.folding import folded
from ntkcore.library.people import Person, Visibility, require_owner, visible
from ntkcore.library.saved import Absent
from ntkcore.library.tables import ANALYSES, NOTES

TEXT = 4000
"""Characters of a note at most."""
_AT_ONCE = 500  # images asked for in one question


@dataclass(frozen=True, slots=True)
class Note:
    """One note.

    Attributes:
        id: larger than that of every earlier one.
        text: what it says.
        author, made: who wrote it, and when (seconds since 1970).
        changed: when it was last changed; as ``made`` where never.
        owner, visibility: whose it is, and who else may read it.
        analysis: code of the saved analysis that it is on; None: of none.
        image: hash of the content of the image that it is on (:mod:`ntkcore.data.content`); None: of none.
        place: where in an analysis, such as ``{"ridge": 0.1, "time": 3.0}``; whoever wrote it understands it.
        answers: id of the note that it answers.
    """

    id: int
    text: str
    author: str
    made: float
    changed: float
    owner: str
    visibility: Visibility
    analysis: str | None
    image: str | None
    place: Mapping[str, Any]
    answers: int | None


class Notes:
    """The notes of a library. Every method raises ``LibraryError`` where that is damaged or cannot be reached."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def write(
        self,
        text: str,
        person: Person,
        *,
        analysis: str | None = None,
        image: str | None = None,
        source: str = "",
        place: Mapping[str, Any] | None = None,
        answers: int | None = None,
        visibility: Visibility = "team",
    ) -> int:
        """Keep a note; its id.

        Args:
            text: what it says; at most :data:`TEXT` characters are kept.
            person: who writes.
            analysis, image, place, answers, visibility: as of :class:`Note`.
            source: id of the set of images that it is about.

        Raises:
            DataError: it says nothing, is on nothing, or on something that is not there for this person.
        """
        said = text.strip()[:TEXT]
        if not said:
            raise DataError("This note is empty.", "Write something first.")
        if analysis is None and image is None:
            raise ValueError("analysis, image: a note is on one of them")
        with self._library.writing() as connection:
            if analysis is not None:
                seen = sa.select(ANALYSES.c.id).where(ANALYSES.c.id == analysis, visible(person, ANALYSES))
                if connection.execute(seen).first() is None:
                    raise Absent
            if answers is not None:
                self._owner(connection, answers, person)
            values: dict[str, Any] = {
                "owner": person.id,
                "visibility": visibility,
                "author": person.name,
                "analysis": analysis,
                "image": image,
            }
            values |= {"source": source, "place": json.dumps(place or {}), "answers": answers, "text": said, "folded": folded(said)}
            now = self._library.moment(connection)
            return int(connection.execute(NOTES.insert().values(**values, made=now, changed=now).returning(NOTES.c.id)).scalar_one())

    def change(self, note: int, text: str, person: Person) -> None:
        """Let it say something else.

        Raises:
            DataError: it would say nothing, or is not there.
            Refused: it is somebody else's.
        """
        said = text.strip()[:TEXT]
        if not said:
            raise DataError("This note is empty.", "Write something, or remove it.")
        self._set(note, person, text=said, folded=folded(said), changed=self._library.now)

    def throw_away(self, note: int, person: Person) -> None:
        """Take it away; it can be restored. Raises as :meth:`change`."""
        self._set(note, person, trashed=self._library.now)

    def restore(self, note: int, person: Person) -> None:
        """Put it back. Raises as :meth:`change`."""
        self._set(note, person, trashed=None)

    def on_analysis(self, analysis: str, person: Person) -> tuple[Note, ...]:
        """All on a saved analysis, the oldest first."""
        return self._found(person, NOTES.c.analysis == analysis)

    def on_image(self, image: str, person: Person) -> tuple[Note, ...]:
        """All on an image, the oldest first."""
        return self._found(person, NOTES.c.image == image)

    def counts(self, images: Iterable[str], person: Person) -> dict[str, int]:
        """How many notes there are on each of some images; those that have none are left out."""
        wanted, found = list(dict.fromkeys(images)), dict[str, int]()
        counted = sa.select(NOTES.c.image, sa.func.count().label("notes")).where(visible(person, NOTES), NOTES.c.trashed.is_(None))
        with self._library.reading() as connection:
            for first in range(0, len(wanted), _AT_ONCE):
                asked = counted.where(NOTES.c.image.in_(wanted[first : first + _AT_ONCE])).group_by(NOTES.c.image)
                found |= {row.image: row.notes for row in connection.execute(asked)}
        return found

    def _found(self, person: Person, where: sa.ColumnElement[bool]) -> tuple[Note, ...]:
        asked = sa.select(NOTES).where(where, visible(person, NOTES), NOTES.c.trashed.is_(None)).order_by(NOTES.c.id)
        with self._library.reading() as connection:
            return tuple(map(_note, connection.execute(asked).all()))

    def _set(self, note: int, person: Person, **values: Any) -> None:
        with self._library.writing() as connection:
            require_owner(person, self._owner(connection, note, person))
            connection.execute(NOTES.update().where(NOTES.c.id == note).values(**values))

    def _owner(self, connection: sa.Connection, note: int, person: Person) -> str:
        owner = connection.execute(sa.select(NOTES.c.owner).where(NOTES.c.id == note, visible(person, NOTES))).scalar()
        if owner is None:
            raise DataError("There is no such note on this server.", "It may have been removed; reload the page.")
        return str(owner)


def _note(row: Any) -> Note:
    return Note(
        row.id,
        row.text,
        row.author,
        float(row.made),
        float(row.changed),
        row.owner,
        row.visibility,
        row.analysis,
        row.image,
        json.loads(row.place),
        row.answers,
    )
