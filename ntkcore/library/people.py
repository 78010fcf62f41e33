"""Who asks, what they may see and what they may change: the one place that decides it for every row of the library.

Every row has an owner, the id of a person, and a visibility. Without a log-in everybody is the one local administrator.
"""

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from ntkcore.errors import LibraryError

Visibility = Literal["private", "team", "public"]
LOCAL = "local"
"""Id of the one person that there is without a log-in."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever asks.

    Attributes:
        id: of the row in the table of people.
        name: as others read it beside what this person wrote.
        administrator: whether everything may be seen and changed.
    """

    id: str
    name: str
    administrator: bool = False


class Refused(LibraryError):
    """Somebody else's: it may be read, and not changed."""


def local(name: str) -> Person:
    """Whoever sits at a browser of a server without a log-in, by the name that was typed there."""
    return Person(LOCAL, name, administrator=True)


def visible(person: Person, table: sa.FromClause) -> sa.ColumnElement[bool]:
    """The condition that a row of a table with ``owner`` and ``visibility`` may be seen."""
    if person.administrator:
        return sa.true()
    return sa.or_(table.c.owner == person.id, table.c.visibility.in_(("team", "public")))


def may_change(person: Person, owner: str) -> bool:
    """Whether a row of an owner's may be changed, or removed."""
    return person.administrator or person.id == owner


def require_owner(person: Person, owner: str) -> None:
    """Refuse to change what is somebody else's.

    Raises:
        Refused: says so.
    """
    if not may_change(person, owner):
        raise Refused("This is somebody else's; only they, or an administrator, may change it.", "Save a copy of your own.")
