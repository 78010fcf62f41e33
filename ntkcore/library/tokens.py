"""Personal tokens: what a program of somebody's says instead of logging in. Shown once, kept as a hash, and good until they are revoked.

A token says who asks and nothing of what they may: that is their role when they ask. Its secret has 256 random bits, so that a hash of
SHA-256 is enough; of a secret that people choose it would not be.
"""

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass

import sqlalchemy as sa

from ntkcore.errors import DataError, LibraryError
from ntkcore.library import audit
from ntkcore.library.database import Library
from ntkcore.library.members import Members
from ntkcore.library.people import LOCAL, Person
from ntkcore.library.tables import TOKENS
from ntkcore.settings import Settings

NAME = 60
"""Characters of a name at most."""
MOST = 20
"""Tokens of one person."""
_WRITTEN = re.compile(r"atlas_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_USED = 60.0  # seconds within which a use is not written again


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its name, when it was made and last used (seconds since 1970; None: never). What it says is not in it."""

    id: str
    name: str
    made: float
    used: float | None


class Tokens:
    """The tokens of a server. Every method raises ``LibraryError`` where the library is damaged or cannot be reached."""

    def __init__(self, library: Library, settings: Settings) -> None:
        self._library, self._settings = library, settings

    def make(self, name: str, person: Person) -> str:
        """A new token of a person's, as it is said from now on: nobody can read it again.

        Raises:
            Refused: their role does not allow it.
            DataError: it has no name.
            LibraryError: they have as many as one may have, or there is no login on this server.
        """
        person.require("token")
        named = " ".join(name.split())[:NAME]
        if not named:
            raise DataError("A token needs a name.", "Say which program it is for, so that you know later which one to revoke.")
        if person.id == LOCAL:
            raise LibraryError("Without a login nobody is asked for a token.", "Ask the API without one.")
        token, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        with self._library.writing() as connection:
            count = sa.select(sa.func.count()).select_from(TOKENS).where(TOKENS.c.person == person.id)
            if connection.execute(count).scalar_one() >= MOST:
                raise LibraryError(f"You have {MOST} tokens, as many as one person may have.", "Revoke one that is no longer used.")
            values = {"id": token, "person": person.id, "name": named, "digest": _digest(secret), "made": self._library.now}
            connection.execute(TOKENS.insert().values(**values))
            audit.add(connection, self._library, person, "made a token", named)
        return f"atlas_{token}_{secret}"

    def of(self, person: str) -> tuple[Token, ...]:
        """Those of a person, the newest first."""
        asked = sa.select(TOKENS).where(TOKENS.c.person == person).order_by(TOKENS.c.made.desc(), TOKENS.c.id)
        with self._library.reading() as connection:
            return tuple(Token(row.id, row.name, float(row.made), row.used) for row in connection.execute(asked))

    def revoke(self, token: str, person: Person) -> None:
        """Let one of a person's own hold no more, from the next request on; nothing happens where it is gone."""
        with self._library.writing() as connection:
            theirs = (TOKENS.c.id == token, TOKENS.c.person == person.id)
            name = connection.execute(sa.select(TOKENS.c.name).where(*theirs)).scalar()
            if name is not None:
                connection.execute(TOKENS.delete().where(*theirs))
                audit.add(connection, self._library, person, "revoked a token", name)

    def person(self, said: str) -> Person | None:
        """Whoever a token is of, with the role that they have now; None: it is no token that holds."""
        found = _WRITTEN.fullmatch(said)
        if found is None:
            return None
        with self._library.reading() as connection:
            row = connection.execute(sa.select(TOKENS).where(TOKENS.c.id == found[1])).first()
        if not hmac.compare_digest(_digest(found[2]), "" if row is None else row.digest) or row is None:
            return None
        if row.used is None or time.time() - row.used > _USED:
            with self._library.writing() as connection:
                connection.execute(TOKENS.update().where(TOKENS.c.id == row.id).values(used=self._library.now))
        return Members(self._library, self._settings).of(row.person)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
