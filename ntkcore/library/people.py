"""Who asks, what they may see and what they may change: the one place that decides it for every row of the library.

Every row has an owner, the id of a person, and a visibility. Without a log-in everybody is the one local administrator.
"""

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from ntkcore.errors import LibraryError
from ntkcore.roles import Action, Role, least, may

Visibility = Literal["private", "team", "public"]
LOCAL = "local"
"""Id of the one person that there is without a log-in."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever asks.

    Attributes:
        id: of the row in the table of people.
        name: as others read it beside what this person wrote.
        role: what they may do (:mod:`ntkcore.roles`); None: nothing.
    """

    id: str
    name: str
    role: Role | None = "analyst"

    @property
    def administrator(self) -> bool:
        """Whether everything may be seen and changed."""
        return self.role == "administrator"

    def may(self, action: Action) -> bool:
        """Whether their role allows an action."""
        return may(self.role, action)

    def require(self, action: Action) -> None:
        """Refuse what their role does not allow.

        Raises:
            Refused: says which role would.
        """
        if not self.may(action):
            raise Refused(f"This needs the role “{least(action)}”.", "Ask an administrator of this server for it.")


class Refused(LibraryError):
    """Somebody else's, which may be read and not changed; or what a role does not allow."""


def local(name: str) -> Person:
    """Whoever sits at a browser of a server without a log-in, by the name that was typed there."""
    return Person(LOCAL, name, "administrator")


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
