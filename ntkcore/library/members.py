"""People who log in: who they are, which role they have now, which of their logins hold.

A role is, in this order: administrator, where a setting names the person; the role that an administrator gave; the one that the login
claims; the server's default. It is read anew whenever somebody asks for something, so that a changed one holds from the next click on.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ntkcore.errors import LibraryError
from ntkcore.library import audit
from ntkcore.library.database import Library
from ntkcore.library.people import Person
from ntkcore.library.tables import ENDED, MEMBERS, PEOPLE, TOKENS
from ntkcore.roles import ROLES, Role
from ntkcore.settings import Settings

_SEEN = 60.0  # seconds within which being here is not written again
_HOUR = 3600.0
_SKEW = 300.0  # seconds by which a provider's clock may be ahead
_NAMED = "setting:"  # before the name, in what is claimed by somebody whom a setting makes administrator
_MEMBER = sa.select(MEMBERS, PEOPLE.c.name).join(PEOPLE, PEOPLE.c.id == MEMBERS.c.person)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a login says.

    Attributes:
        id: of the person, the same at every login.
        subject: what others know the person by: a verified e-mail address, or what the provider calls them.
        names: what a setting may name them by.
        name: for people.
        login: of this login alone; "" where a proxy says who it is with every request.
        since: when it was made, in seconds since 1970.
        claimed: the role that it claims.
    """

    id: str
    subject: str
    names: frozenset[str]
    name: str
    login: str = ""
    since: float = 0.0
    claimed: Role | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who logged in once: see :class:`Identity`.

    Attributes:
        role: as it is now.
        given: the one that an administrator gave; None: none.
        named: whether a setting makes them administrator.
        seen: seconds since 1970.
    """

    id: str
    name: str
    subject: str
    role: Role | None
    given: Role | None
    claimed: Role | None
    named: bool
    seen: float


class Members:
    """The members of a server. Every method raises ``LibraryError`` where the library is damaged or cannot be reached."""

    def __init__(self, library: Library, settings: Settings) -> None:
        self._library, self._settings = library, settings

    def stands(self, identity: Identity) -> bool:
        """Whether a login still holds: it is no older than the server allows, and was not signed out of."""
        if not identity.login:
            return True
        if not -_SKEW <= time.time() - identity.since <= self._settings.login_hours * _HOUR:
            return False
        ended = sa.select(ENDED.c.login).where(ENDED.c.login == identity.login)
        with self._library.reading() as connection:
            since = connection.execute(sa.select(MEMBERS.c.logins_since).where(MEMBERS.c.person == identity.id)).scalar()
            return (since is None or identity.since > since) and connection.execute(ended).first() is None

    def person(self, identity: Identity) -> Person | None:
        """Whoever a login is of, with the role that they have now; None: the login no longer holds. The first one makes a member."""
        if not self.stands(identity):
            return None
        named = min(identity.names & frozenset(self._settings.administrators), default=None)
        claimed = identity.claimed if named is None else f"{_NAMED}{named}"
        with self._library.reading() as connection:
            row = connection.execute(_MEMBER.where(MEMBERS.c.person == identity.id)).first()
        said = (identity.name, identity.subject, claimed)
        if row is None or (row.name, row.subject, row.claimed) != said or time.time() - row.seen > _SEEN:
            self._remember(identity, claimed)
        return Person(identity.id, identity.name, self._role(row.given if row else None, claimed))

    def of(self, person: str) -> Person | None:
        """A member by their id, with the role that they have now, for what holds without a login; None: there is none."""
        with self._library.reading() as connection:
            row = connection.execute(_MEMBER.where(MEMBERS.c.person == person)).first()
        return None if row is None else Person(row.person, row.name, self._role(row.given, row.claimed))

    def all(self) -> tuple[Member, ...]:
        """Everybody, whoever was here last first."""
        asked = (
            sa.select(MEMBERS, PEOPLE.c.name)
            .join(PEOPLE, PEOPLE.c.id == MEMBERS.c.person)
            .order_by(MEMBERS.c.seen.desc(), MEMBERS.c.person)
        )
        with self._library.reading() as connection:
            return tuple(self._member(row) for row in connection.execute(asked).mappings())

    def give(self, person: str, role: Role | None, by: Person) -> None:
        """Give somebody a role; None: that of their login, or the default, holds again.

        Raises:
            Refused: only an administrator may.
            LibraryError: there is no such member, or a setting makes them administrator.
        """
        by.require("people")
        with self._library.writing() as connection:
            row = connection.execute(_MEMBER.where(MEMBERS.c.person == person).with_for_update(of=MEMBERS)).first()
            if row is None:
                raise _nobody()
            before = self._member(row)
            if before.named:
                raise LibraryError(f"{before.name} is an administrator by the server's settings.", "Change NTK_ADMINISTRATORS.")
            connection.execute(MEMBERS.update().where(MEMBERS.c.person == person).values(given=role))
            said = f"{before.name} ({before.subject}): {before.role or 'none'} → {role or 'as the login says'}"
            audit.add(connection, self._library, by, "changed a role", said)

    def end(self, identity: Identity) -> None:
        """Sign out: this login holds no more, in whichever tab."""
        if identity.login:
            with self._library.writing() as connection:
                self._add(connection, ENDED, {"login": identity.login, "made": self._library.now})
                connection.execute(ENDED.delete().where(ENDED.c.made < self._library.now - self._settings.login_hours * _HOUR - _SKEW))

    def end_all(self, identity: Identity, person: Person) -> None:
        """Sign out everywhere: no login of this person's made until now holds any more, and no token of theirs."""
        with self._library.writing() as connection:
            self._end_all(connection, identity.id)
            audit.add(connection, self._library, person, "signed out everywhere", "")

    def sign_out(self, person: str, by: Person) -> None:
        """Sign somebody out everywhere.

        Raises:
            Refused: only an administrator may.
            LibraryError: there is no such member.
        """
        by.require("people")
        with self._library.writing() as connection:
            row = connection.execute(_MEMBER.where(MEMBERS.c.person == person)).first()
            if row is None:
                raise _nobody()
            self._end_all(connection, person)
            audit.add(connection, self._library, by, "signed out everywhere", f"{row.name} ({row.subject})")

    def _end_all(self, connection: sa.Connection, person: str) -> None:
        connection.execute(MEMBERS.update().where(MEMBERS.c.person == person).values(logins_since=self._library.now))
        connection.execute(TOKENS.delete().where(TOKENS.c.person == person))

    def _remember(self, identity: Identity, claimed: str | None) -> None:
        told = {"subject": identity.subject, "claimed": claimed, "seen": self._library.now}
        with self._library.writing() as connection:
            self._add(connection, PEOPLE, {"id": identity.id, "name": identity.name, "made": self._library.now})
            self._add(connection, MEMBERS, told | {"person": identity.id, "given": None, "logins_since": 0.0})
            connection.execute(PEOPLE.update().where(PEOPLE.c.id == identity.id).values(name=identity.name))
            connection.execute(MEMBERS.update().where(MEMBERS.c.person == identity.id).values(**told))

    def _add(self, connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> None:
        """Insert a row, unless there is one: two tabs may come at the same time."""
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(table).values(**values).on_conflict_do_nothing())

    def _member(self, row: Any) -> Member:
        role, named = self._role(row.given, row.claimed), self._is_named(row.claimed)
        return Member(row.person, row.name, row.subject, role, _role(row.given), _role(row.claimed), named, float(row.seen))

    def _role(self, given: str | None, claimed: str | None) -> Role | None:
        if self._is_named(claimed):
            return "administrator"
        default = self._settings.default_role
        return _role(given) or _role(claimed) or (None if default == "none" else default)

    def _is_named(self, claimed: str | None) -> bool:
        """Whether a setting names the person, as it is now: nobody stays administrator who is no longer in it."""
        return claimed is not None and claimed.startswith(_NAMED) and claimed.removeprefix(_NAMED) in self._settings.administrators


def _role(kept: Any) -> Role | None:
    """A role as it is kept; one that this program does not know is none."""
    return next((role for role in ROLES if role == kept), None)


def _nobody() -> LibraryError:
    return LibraryError("There is no such person on this server.", "Reload the page.")
