"""What the client and the workers agree on: names in the queue, ids, and how its database is prepared."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from dbos import DBOS

from ntkcore.errors import AtlasError
from ntkcore.jobs.book import Book
from ntkcore.settings import Settings
from ntkcore.store.files import guarded
from ntkcore.store.lock import exclusive

APPLICATION = "ntk-atlas"
VERSION = "1"  # of the arguments of a part; fixed, so that an edit of the program strands no pending job
QUEUE = "compute"
PART = "part"
EVENT = "progress"


def part_id(key: str) -> str:
    """Id of the only part of a job."""
    return f"{key}:0"


def key_of_part(part: str) -> str:
    """The job a part belongs to."""
    return part.rpartition(":")[0]


def prepare(settings: Settings) -> Book:
    """Make the queue's database if it is missing, and open the book in it.

    Raises:
        AtlasError: the database cannot be reached or the folder cannot be written.
    """
    quiet()
    with guarded(settings.cache_dir):
        settings.cache_dir.mkdir(parents=True, exist_ok=True)
    with exclusive(settings.cache_dir / "locks" / "jobs.lock"), reached():
        book = Book(settings.queue_url)
        book.create()
        DBOS.migrate(settings.queue_url)
    return book


@contextmanager
def reached() -> Iterator[None]:
    """Say in plain words that the queue's database cannot be reached."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        raise AtlasError(
            f"The job queue cannot be reached ({type(error).__name__}).",
            "Check that the disk is not full and that the database of NTK_DATABASE_URL is running; then try again.",
        ) from error


def quiet() -> None:
    """Keep the library's notes off the console; a worker adds a handler that writes them to its log file."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        logger.setLevel(logging.ERROR)
