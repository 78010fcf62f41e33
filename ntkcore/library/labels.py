"""Sessions of labelling: who decided what of which item, who has which one before them, and undoing it.

Every change is one transaction that begins by locking its session, so that two people never get the same item, and one who did not see
what the other decided does not overwrite it.
"""

import itertools
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import sqlalchemy as sa

from ntkcore.errors import DataError
from ntkcore.library import asking
from ntkcore.library.database import Library
from ntkcore.library.tables import CLAIMS, DECISIONS, SESSIONS

Deed = Literal["label", "cannot", "skip", "accept", "reject", "open", "note"]
Kind = Literal["label", "review"]

NAME = 60  # characters of a person's name
NOTE = 1_000  # characters of a note
CLAIM = 300.0  # seconds for which an item is somebody's
_FINAL: tuple[Deed, ...] = ("label", "cannot", "accept", "reject")


@dataclass(frozen=True, slots=True)
class Session:
    """Things that are labelled together.

    Attributes:
        id: 32 hex digits, or the id it was asked for with.
        kind: whether items are given labels, or labels reviewed.
        title: for people.
        spec, network: what it is of, and which network suggests: of whoever made it.
        author: who began it.
        made: seconds since 1970.
        decided: items that have a decision; not those skipped.
    """

    id: str
    kind: Kind
    title: str
    spec: Mapping[str, Any]
    network: Mapping[str, Any]
    author: str
    made: float
    decided: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What one person decided of one item.

    Attributes:
        id: larger than that of every earlier one.
        item: its number in the session's set.
        deed: a label, "cannot tell", a skip, or a note; of a review, that the given label is right, that the item is left out, or that
            nothing is decided any more ("open").
        label: the class, of a label.
        note: the text, of a note.
        told: what the person was shown with it, such as the suggestion: of whoever asked.
        author, made: who, and when (seconds since 1970).
    """

    id: int
    item: int
    deed: Deed
    label: int | None
    note: str
    told: Mapping[str, Any]
    author: str
    made: float


@dataclass(frozen=True)
class Standing:
    """What holds in a session.

    Attributes:
        decisions: all that were not undone, in the order in which they were taken.
    """

    decisions: tuple[Decision, ...] = field(default=())

    @cached_property
    def current(self) -> dict[int, Decision]:
        """What holds of each item, by its number: the last thing that was decided of it."""
        return {one.item: one for one in self.decisions if one.deed != "note"}

    @cached_property
    def labels(self) -> dict[int, int]:
        """Item to class, in the order in which they were labelled."""
        found = sorted((one for one in self.current.values() if one.deed == "label"), key=lambda one: one.id)
        return {one.item: one.label for one in found if one.label is not None}

    @cached_property
    def final(self) -> frozenset[int]:
        """Items that nobody is asked for again."""
        return frozenset(item for item, one in self.current.items() if one.deed in _FINAL)

    @cached_property
    def skipped(self) -> tuple[int, ...]:
        """Items that were put off, the first one first."""
        found = sorted((one for one in self.current.values() if one.deed == "skip"), key=lambda one: one.id)
        return tuple(one.item for one in found)

    @cached_property
    def notes(self) -> dict[int, Decision]:
        """The last note on each item; an empty one takes it off."""
        return {item: one for item, one in {one.item: one for one in self.decisions if one.deed == "note"}.items() if one.note}

    def seen(self, item: int) -> int | None:
        """Id of what holds of an item, which whoever decides it anew must have seen; None: nothing does."""
        found = self.current.get(item)
        return None if found is None else found.id


class Taken(DataError):
    """Somebody else decided an item meanwhile.

    Attributes:
        decision: what they decided; None: they undid it.
    """

    def __init__(self, decision: Decision | None) -> None:
        who = "It was undone" if decision is None else f"{decision.author} decided it"
        super().__init__(f"{who} meanwhile; nothing was overwritten.", "Look at it again, and decide anew if you see it otherwise.")
        self.decision = decision


class Labels:
    """The sessions of a library. Every method raises ``LibraryError`` where the library is damaged or cannot be reached."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def begin(
        self, kind: Kind, title: str, spec: Mapping[str, Any], author: str, network: Mapping[str, Any] | None = None, session: str = ""
    ) -> str:
        """Begin a session, or find the one of that id; its id.

        Args:
            kind, title, spec, network: as of :class:`Session`.
            author: who begins it.
            session: its id; "" for a new one.
        """
        asking.require("label")
        chosen = session or uuid.uuid4().hex
        with self._library.writing() as connection:
            if connection.execute(sa.select(SESSIONS.c.id).where(SESSIONS.c.id == chosen)).first() is None:
                values = {"id": chosen, "kind": kind, "title": title, "author": named(author), "made": self._library.now}
                written = {"spec": json.dumps(spec), "network": json.dumps(network or {})}
                connection.execute(SESSIONS.insert().values(**values, **written))
        return chosen

    def sessions(self, kind: Kind) -> tuple[Session, ...]:
        """All of a kind, the one that was begun last first."""
        last = _last()
        decided = sa.select(DECISIONS.c.session, sa.func.count().label("decided")).join(last, last.c.id == DECISIONS.c.id)
        counted = decided.where(DECISIONS.c.deed.in_(_FINAL)).group_by(DECISIONS.c.session).subquery()
        asked = sa.select(SESSIONS, counted.c.decided).outerjoin(counted, counted.c.session == SESSIONS.c.id)
        with self._library.reading() as connection:
            rows = connection.execute(asked.where(SESSIONS.c.kind == kind).order_by(SESSIONS.c.made.desc(), SESSIONS.c.id)).all()
        return tuple(map(_session, rows))

    def session(self, session: str) -> Session:
        """One of them.

        Raises:
            DataError: there is none of that id.
        """
        with self._library.reading() as connection:
            row = connection.execute(sa.select(SESSIONS, sa.literal(0).label("decided")).where(SESSIONS.c.id == session)).first()
        if row is None:
            raise _no_session()
        return _session(row)

    def standing(self, session: str) -> Standing:
        """What holds in a session; nothing, where there is none of that id."""
        asked = sa.select(DECISIONS).where(DECISIONS.c.session == session, DECISIONS.c.undone.is_(None)).order_by(DECISIONS.c.id)
        with self._library.reading() as connection:
            return Standing(tuple(map(_decision, connection.execute(asked).all())))

    def claim(self, session: str, order: Iterable[int], holder: str, author: str) -> int | None:
        """The first item in ``order`` that nobody has before them or decided; it alone is the holder's, for :data:`CLAIM` seconds.

        Args:
            session, order, holder, author: as of :meth:`claim_some`.

        Returns:
            The item; None: there is none left.
        """
        return next(iter(self.claim_some(session, order, 1, holder, author)), None)

    def claim_some(self, session: str, order: Iterable[int], count: int, holder: str, author: str) -> list[int]:
        """The first ``count`` items in ``order`` that nobody has before them or decided; these alone are the holder's.

        Args:
            session: its id.
            order: items, the one wished for most first.
            count: how many, at most.
            holder: one person's window, a few random digits.
            author: their name.
        """
        now = self._library.now
        with self._library.writing() as connection:
            self._lock(connection, session)
            mine = CLAIMS.c.session == session, sa.or_(CLAIMS.c.until < now, CLAIMS.c.holder == holder)
            connection.execute(CLAIMS.delete().where(*mine))
            gone = set(connection.execute(sa.select(CLAIMS.c.item).where(CLAIMS.c.session == session)).scalars())
            last = _last(session)
            decided = sa.select(DECISIONS.c.item).join(last, last.c.id == DECISIONS.c.id).where(DECISIONS.c.deed.in_(_FINAL))
            gone |= set(connection.execute(decided).scalars())
            found = list(itertools.islice((item for item in order if item not in gone), count))
            for item in found:
                values = {"session": session, "item": item, "holder": holder, "author": named(author), "until": now + CLAIM}
                connection.execute(CLAIMS.insert().values(**values))
        return found

    def claims(self, session: str, holder: str = "") -> dict[int, str]:
        """Items that others than the holder have before them, and their names."""
        asked = sa.select(CLAIMS.c.item, CLAIMS.c.author).where(
            CLAIMS.c.session == session, CLAIMS.c.holder != holder, CLAIMS.c.until >= self._library.now
        )
        with self._library.reading() as connection:
            return {row.item: row.author for row in connection.execute(asked)}

    def decide(
        self,
        session: str,
        item: int,
        deed: Deed,
        author: str,
        *,
        seen: int | None,
        label: int | None = None,
        note: str = "",
        told: Mapping[str, Any] | None = None,
    ) -> int:
        """Keep a decision; its id. The item is nobody's afterwards.

        Args:
            session, item, deed, author, label, note, told: as of :class:`Decision`.
            seen: id of what held of the item when the person decided (:meth:`Standing.seen`); a note asks for none.

        Raises:
            Taken: something else holds of it now; nothing is kept.
            DataError: there is no such session.
        """
        asking.require("label")
        asking.require("label")
        asking.require("label")
        (kept,) = self.decide_all(session, [(item, deed, label, seen)], author, note=note, told=told)
        return kept

    def decide_all(
        self,
        session: str,
        deeds: Sequence[tuple[int, Deed, int | None, int | None]],
        author: str,
        *,
        note: str = "",
        told: Mapping[str, Any] | None = None,
    ) -> list[int]:
        """Keep several decisions (item, deed, label, seen), all or none; see :meth:`decide`."""
        asking.require("label")
        kept = []
        with self._library.writing() as connection:
            self._lock(connection, session)
            for item, deed, label, seen in deeds:
                if (deed == "label") != (label is not None):
                    raise ValueError(f"label: a label has a class, and nothing else has; got {deed!r} with {label}")
                if deed != "note":
                    _require_seen(connection, session, item, seen)
                values = {"session": session, "item": item, "deed": deed, "label": label, "note": note.strip()[:NOTE]}
                values |= {"told": json.dumps(told or {}), "author": named(author), "made": self._library.now}
                kept.append(connection.execute(DECISIONS.insert().values(**values).returning(DECISIONS.c.id)).scalar_one())
                if deed != "note":
                    connection.execute(CLAIMS.delete().where(CLAIMS.c.session == session, CLAIMS.c.item == item))
        return kept

    def undo(self, session: str, author: str) -> Decision | None:
        """Undo the last thing that this person decided and did not undo; what was decided of the item before holds again.

        Returns:
            What was undone; None: there is nothing left.
        """
        asking.require("label")
        with self._library.writing() as connection:
            self._lock(connection, session)
            mine = (DECISIONS.c.session == session, DECISIONS.c.author == named(author), DECISIONS.c.undone.is_(None))
            row = connection.execute(sa.select(DECISIONS).where(*mine).order_by(DECISIONS.c.id.desc()).limit(1)).first()
            if row is None:
                return None
            connection.execute(DECISIONS.update().where(DECISIONS.c.id == row.id).values(undone=self._library.now))
        return _decision(row)

    def use(self, session: str, network: Mapping[str, Any]) -> None:
        """Let another network suggest from now on."""
        asking.require("label")
        with self._library.writing() as connection:
            self._lock(connection, session)
            connection.execute(SESSIONS.update().where(SESSIONS.c.id == session).values(network=json.dumps(network)))

    def _lock(self, connection: sa.Connection, session: str) -> None:
        """Other changes of this session wait until this one is kept."""
        if connection.execute(sa.select(SESSIONS.c.id).where(SESSIONS.c.id == session).with_for_update()).first() is None:
            raise _no_session()


def named(author: str) -> str:
    """A person's name as it is kept: without surplus spaces, "somebody" where none was typed."""
    return " ".join(author.split())[:NAME] or "somebody"


def _last(session: str | None = None) -> sa.Subquery:
    """Ids of what holds of each item."""
    asked = sa.select(sa.func.max(DECISIONS.c.id).label("id")).where(DECISIONS.c.undone.is_(None), DECISIONS.c.deed != "note")
    asked = asked.group_by(DECISIONS.c.session, DECISIONS.c.item)
    return (asked if session is None else asked.where(DECISIONS.c.session == session)).subquery()


def _require_seen(connection: sa.Connection, session: str, item: int, seen: int | None) -> None:
    of_item = (DECISIONS.c.session == session, DECISIONS.c.item == item, DECISIONS.c.undone.is_(None), DECISIONS.c.deed != "note")
    row = connection.execute(sa.select(DECISIONS).where(*of_item).order_by(DECISIONS.c.id.desc()).limit(1)).first()
    if (None if row is None else row.id) != seen:
        raise Taken(None if row is None else _decision(row))


def _session(row: Any) -> Session:
    spec, network = json.loads(row.spec), json.loads(row.network)
    return Session(row.id, row.kind, row.title, spec, network, row.author, float(row.made), int(row.decided or 0))


def _decision(row: Any) -> Decision:
    return Decision(row.id, row.item, row.deed, row.label, row.note, json.loads(row.told), row.author, float(row.made))


def _no_session() -> DataError:
    return DataError("There is no such labelling session on this server.", "Choose one of those listed, or begin a new one.")
