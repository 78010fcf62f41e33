"""Tags on images, by the hash of their content: many at once, and which images have which."""

from collections.abc import Iterable

import sqlalchemy as sa

from ntkcore.errors import DataError
from ntkcore.library.database import Library
from ntkcore.library.people import Person, Visibility, visible
from ntkcore.library.tables import TAGS

NAME = 36
"""Characters of a tag at most."""
_AT_ONCE = 500


class Tags:
    """The tags of a library. Every method raises ``LibraryError`` where that is damaged or cannot be reached.

    A tag is its owner's: two people may give the same one, and each takes off their own; an administrator, anybody's.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def put(self, name: str, images: Iterable[str], person: Person, *, source: str = "", visibility: Visibility = "team") -> int:
        """Give images a tag; how many did not have it from this person.

        Args:
            name: the tag.
            images: hashes of their content (:mod:`ntkcore.data.content`).
            person: who gives it.
            source: id of the set of images that it is about.
            visibility: who else may see it.

        Raises:
            DataError: the tag is empty.
        """
        person.require("tag")
        named, wanted = clean(name), list(dict.fromkeys(images))
        added = 0
        with self._library.writing() as connection:
            for first in range(0, len(wanted), _AT_ONCE):
                part = wanted[first : first + _AT_ONCE]
                had = sa.select(TAGS.c.image).where(TAGS.c.name == named, TAGS.c.owner == person.id, TAGS.c.image.in_(part))
                held = set(connection.execute(had).scalars())
                values = {"name": named, "owner": person.id, "source": source, "visibility": visibility, "author": person.name}
                rows = [values | {"image": image} for image in part if image not in held]
                if rows:
                    connection.execute(TAGS.insert().values(made=self._library.now), rows)
                added += len(rows)
        return added

    def take_off(self, name: str, images: Iterable[str], person: Person) -> int:
        """Take a tag off images; from how many it was taken."""
        person.require("tag")
        wanted, gone = list(dict.fromkeys(images)), 0
        whose = sa.true() if person.administrator else TAGS.c.owner == person.id
        with self._library.writing() as connection:
            for first in range(0, len(wanted), _AT_ONCE):
                part = wanted[first : first + _AT_ONCE]
                gone += connection.execute(TAGS.delete().where(TAGS.c.name == clean(name), whose, TAGS.c.image.in_(part))).rowcount
        return gone

    def names(self, person: Person) -> tuple[str, ...]:
        """Every tag that there is, by name."""
        if not self._library.begun:
            return ()
        with self._library.reading() as connection:
            return tuple(connection.execute(sa.select(TAGS.c.name).where(visible(person, TAGS)).distinct().order_by(TAGS.c.name)).scalars())

    def of(self, images: Iterable[str], person: Person) -> dict[str, tuple[str, ...]]:
        """The tags of some images by name; those that have none are left out."""
        wanted, found = list(dict.fromkeys(images)), dict[str, list[str]]()
        asked = sa.select(TAGS.c.image, TAGS.c.name).where(visible(person, TAGS)).distinct().order_by(TAGS.c.image, TAGS.c.name)
        with self._library.reading() as connection:
            for first in range(0, len(wanted), _AT_ONCE):
                for row in connection.execute(asked.where(TAGS.c.image.in_(wanted[first : first + _AT_ONCE]))):
                    found.setdefault(row.image, []).append(row.name)
        return {image: tuple(names) for image, names in found.items()}

    def tagged(self, name: str, person: Person) -> frozenset[str]:
        """The images that have a tag."""
        if not self._library.begun:
            return frozenset()
        with self._library.reading() as connection:
            asked = sa.select(TAGS.c.image).where(TAGS.c.name == clean(name), visible(person, TAGS))
            return frozenset(connection.execute(asked).scalars())


def clean(name: str) -> str:
    """A tag as it is kept: in lower case, without surplus spaces, and without what parts a filter in an address.

    Raises:
        DataError: nothing is left.
    """
    found = " ".join(name.casefold().replace("~", "-").split())[:NAME]
    if not found:
        raise DataError("A tag needs a name.", "Type one, or choose one that there is.")
    return found
