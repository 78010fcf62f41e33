"""What the client and the workers agree on: names in the queue, lanes, ids, and how its database is prepared."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import sqlalchemy as sa
from dbos import DBOS

from ntkcore.errors import AtlasError
from ntkcore.jobs import queue_file
from ntkcore.jobs.book import Book
from ntkcore.private import close_cache
from ntkcore.settings import Settings
from ntkcore.store import sqlite_file
from ntkcore.store.files import guarded
from ntkcore.store.lock import exclusive

APPLICATION = "ntk-atlas"
VERSION = "1"  # of the arguments of a part; fixed, so that an edit of the program strands no pending job
PART = "part"
EVENT = "progress"

Lane = Literal["compute", "quick"]
Queue = Literal["compute", "quick", "import"]
QUEUES: dict[Lane, tuple[Queue, ...]] = {"compute": ("compute",), "quick": ("quick", "import")}
"""What the worker of each lane takes from, one job of each at a time; imports hold up no analysis."""
QUICK = 10.0  # forecast seconds below which a job has not to wait for long ones


def queue_for(seconds: float | None) -> Queue:
    """Where a computation of so many forecast seconds waits; None: nobody knows."""
    return "quick" if seconds is not None and seconds < QUICK else "compute"


def lane_of(queue: str | None) -> Lane:
    """The lane whose worker takes from a queue."""
    return next((lane for lane, queues in QUEUES.items() if queue in queues), "compute")


def part_id(key: str) -> str:
    """Id of the only part of a job."""
    return f"{key}:0"


def key_of_part(part: str) -> str:
    """The job a part belongs to."""
    return part.rpartition(":")[0]


def prepare(settings: Settings) -> Book:
    """Make the queue's database if it is missing, and open the book in it; a damaged file is moved aside first.

    Raises:
        AtlasError: the database cannot be reached or the folder cannot be written.
    """
    quiet()
    with guarded(settings.cache_dir):
        close_cache(settings.cache_dir)
    with exclusive(settings.cache_dir / "locks" / "jobs.lock"), reached():
        path = queue_file.of(settings)
        if path is not None and sqlite_file.is_damaged(path):
            queue_file.set_aside(path)
        try:
            return _begin(settings)
        except Exception as error:
            if path is None or not sqlite_file.is_broken(error):
                raise
            queue_file.set_aside(path)  # a sound database of something else, or of another number of its version
            return _begin(settings)


def _begin(settings: Settings) -> Book:
    book = Book(settings.queue_url)
    try:
        book.create()
        DBOS.migrate(settings.queue_url)
        queue_file.close_to_others(settings)
    except BaseException:
        book.close()
        raise
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
