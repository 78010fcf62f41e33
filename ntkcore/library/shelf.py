"""The list of saved analyses: found by words, narrowed, in an order, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from ntkcore.library.database import Library
from ntkcore.library.folding import folded, holds, words
from ntkcore.library.people import LOCAL, Person, visible
from ntkcore.library.saved import Version, seen_by, version_of
from ntkcore.library.tables import ANALYSES, NOTES, TAGS, VERSIONS, VISITS

Scope = Literal["all", "mine", "trash"]
Order = Literal["newest", "oldest", "title", "author"]
_ORDERS: dict[Order, tuple[sa.ColumnElement[Any], ...]] = {
    "newest": (ANALYSES.c.changed.desc(),),
    "oldest": (ANALYSES.c.changed,),
    "title": (sa.func.lower(VERSIONS.c.title),),
    "author": (sa.func.lower(VERSIONS.c.author), ANALYSES.c.changed.desc()),
}
PLACE = "library"
"""What a visit to the library is called."""


@dataclass(frozen=True, slots=True)
class Card:
    """One saved analysis in the list.

    Attributes:
        version: the one that holds.
        notes: how many notes there are on it.
        new: whether others changed it, or wrote a note on it, since the last visit.
    """

    version: Version
    notes: int
    new: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a search found.

    Attributes:
        cards: those of the page that was asked for.
        count: of all that were found.
        new: how many of these are new.
    """

    cards: tuple[Card, ...]
    count: int
    new: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for.

    Attributes:
        search: words that must all be in the title, description, answer, data set, author, a note on it, or a tag of its images.
        scope: everybody's, one's own, or the trash.
        pages: the pages whose analyses are wanted; () for all.
        order: of the list.
        since: one's last visit, in seconds since 1970; None: this is the first.
        new: whether only what is new since then is wanted.
    """

    search: str = ""
    scope: Scope = "all"
    pages: tuple[str, ...] = ()
    order: Order = "newest"
    since: float | None = None
    new: bool = False


def shelf(library: Library, person: Person, wanted: Wanted, *, first: int = 0, count: int = 24) -> Shelf:
    """Find saved analyses that a person may see.

    Args:
        first, count: which of those found are wanted.

    Raises:
        LibraryError: the library is damaged or cannot be reached.
    """
    news = _news(person, wanted.since)
    told = sa.select(ANALYSES.c.id, news.label("new")).join(
        VERSIONS, sa.and_(VERSIONS.c.analysis == ANALYSES.c.id, VERSIONS.c.number == ANALYSES.c.version)
    )
    conditions = [visible(person, ANALYSES), ANALYSES.c.trashed.is_not(None) if wanted.scope == "trash" else ANALYSES.c.trashed.is_(None)]
    if wanted.scope == "mine":
        conditions.append(_mine(person, ANALYSES.c.owner, VERSIONS.c.author))
    if wanted.pages:
        conditions.append(VERSIONS.c.page.in_(wanted.pages))
    if wanted.new:
        conditions.append(news)
    searched = words(wanted.search)
    told = told.add_columns(VERSIONS.c.source, *(holds(VERSIONS.c.folded, word) for word in searched))
    with library.reading() as connection:
        rows = connection.execute(told.where(*conditions).order_by(*_ORDERS[wanted.order], ANALYSES.c.id)).all()
        elsewhere = _elsewhere(connection, searched, person)
        rows = [row for row in rows if all(row[3 + at] or row.id in ids or row.source in of for at, (ids, of) in enumerate(elsewhere))]
        fresh = {row.id for row in rows if row.new}
        codes = [row.id for row in rows[first : first + count]]
        held = {row.analysis: row for row in connection.execute(_newest(person, codes))}
        noted: dict[str, int] = {row.analysis: row.notes for row in connection.execute(_counted(person, codes))}
    cards = tuple(Card(version_of(held[code], ()), noted.get(code, 0), code in fresh) for code in codes)
    return Shelf(cards, len(rows), len(fresh))


def last_visit(library: Library, visitor: str, place: str = PLACE) -> float | None:
    """When somebody was last at a place, in seconds since 1970, and remember that they are there now; None: never."""
    with library.writing() as connection:
        where = (VISITS.c.visitor == visitor, VISITS.c.place == place)
        before = connection.execute(sa.select(VISITS.c.made).where(*where)).scalar()
        if before is None:
            connection.execute(VISITS.insert().values(visitor=visitor, place=place, made=library.now))
        else:
            connection.execute(VISITS.update().where(*where).values(made=library.now))
    return None if before is None else float(before)


def _elsewhere(connection: sa.Connection, searched: Sequence[str], person: Person) -> list[tuple[set[str], set[str]]]:
    """For each word the analyses that have it in a note, and the sets of images that have it in a tag.

    All notes are read once, however many words there are; whether all words are found is for the caller to say.
    """
    if not searched:
        return []
    found: list[tuple[set[str], set[str]]] = [(set(), set()) for _ in searched]
    has = [holds(NOTES.c.folded, word) for word in searched]
    analysis = sa.func.coalesce(NOTES.c.analysis, "").label("analysis")  # not by the index, which would read the notes in its order
    noted = sa.select(analysis, *has).where(sa.or_(*has), NOTES.c.trashed.is_(None), visible(person, NOTES)).distinct()
    for row in connection.execute(noted):
        for at, (analyses, _) in enumerate(found):
            if row[1 + at]:
                analyses.add(row.analysis)
    for name, source in connection.execute(sa.select(TAGS.c.name, TAGS.c.source).where(visible(person, TAGS)).distinct()):
        for word, (_, sources) in zip(searched, found, strict=True):
            if word in folded(name):
                sources.add(source)
    return found


def _news(person: Person, since: float | None) -> sa.ColumnElement[bool]:
    """The condition that somebody else saved it, or wrote a note on it, since a visit."""
    if since is None:
        return sa.false()
    noted = sa.select(NOTES.c.analysis).where(
        NOTES.c.analysis.is_not(None),
        NOTES.c.trashed.is_(None),
        NOTES.c.made > since,
        sa.not_(_mine(person, NOTES.c.owner, NOTES.c.author)),
        visible(person, NOTES),
    )
    saved = sa.and_(ANALYSES.c.changed > since, sa.not_(_mine(person, VERSIONS.c.owner, VERSIONS.c.author)))
    return sa.or_(saved, ANALYSES.c.id.in_(noted))


def _mine(person: Person, owner: sa.ColumnElement[str], author: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a row is this person's; without a log-in, all are the local person's, whom their names tell apart."""
    return sa.and_(owner == person.id, author == person.name) if person.id == LOCAL else owner == person.id


def _newest(person: Person, codes: Sequence[str]) -> sa.Select[Any]:
    return seen_by(person).where(ANALYSES.c.id.in_(codes), VERSIONS.c.number == ANALYSES.c.version)


def _counted(person: Person, codes: Sequence[str]) -> sa.Select[Any]:
    on_these = (NOTES.c.analysis.in_(codes), NOTES.c.trashed.is_(None), visible(person, NOTES))
    return sa.select(NOTES.c.analysis, sa.func.count().label("notes")).where(*on_these).group_by(NOTES.c.analysis)
