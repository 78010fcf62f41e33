"""The file of a queue on SQLite: whether it is sound, still the one that was opened, or to be moved aside.

It holds the list of jobs and nothing else: what they computed is in the store.
"""

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from ntkcore.private import close_file
from ntkcore.settings import Settings
from ntkcore.store.files import guarded

_LOG = logging.getLogger("ntkcore.jobs")
_BESIDE = ("", "-wal", "-shm")  # endings of the files that are one database
_BROKEN = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}  # of the content, not of the disk or of other processes
_DOUBTFUL = _BROKEN | {sqlite3.SQLITE_IOERR}  # a file cut short is at first an error of the disk


def of(settings: Settings) -> Path | None:
    """The file; None where the queue is in another database."""
    url = sa.make_url(settings.queue_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def close_to_others(settings: Settings) -> None:
    """Make the file, and what is beside it, its owner's alone; what SQLite puts there later has the file's rights."""
    if (path := of(settings)) is not None:
        for ending in _BESIDE:
            close_file(path.with_name(path.name + ending))


def stamp(path: Path | None) -> tuple[int, int] | None:
    """Tells the file from another one put in its place; None when there is none."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def is_damaged(path: Path) -> bool:
    """Whether the file is there and cannot be read as a database, every row of it read; False where others, or the disk, prevent a look."""
    if not path.is_file():
        return False
    if not path.stat().st_size:
        return True
    try:
        with closing(sqlite3.connect(path, timeout=30.0)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                return True
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for _ in connection.execute(f'SELECT * FROM "{table}"'):
                    pass
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return is_broken(error)
    return False


def is_doubtful(error: BaseException) -> bool:
    """Whether a failed statement makes a look at the file worth while."""
    return _code(error) in _DOUBTFUL


def is_broken(error: BaseException) -> bool:
    """Whether a failed statement says that the content is not what it was."""
    return _code(error) in _BROKEN


def set_aside(path: Path) -> Path:
    """Rename the file so that a new one can be begun; returns its new name.

    Raises:
        StoreError: the folder cannot be written.
    """
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    aside = path.with_name(f"{path.stem}.damaged-{moment}{path.suffix}")
    with guarded(path.parent):
        for ending in reversed(_BESIDE):  # the file itself last: whoever finds none begins a new one
            source = path.with_name(path.name + ending)
            if source.exists():
                source.rename(aside.with_name(aside.name + ending))
    _LOG.warning("%s is damaged and was moved aside as %s: the list of jobs begins anew, and what was computed is kept.", path, aside.name)
    return aside


def found_aside(path: Path) -> tuple[Path, ...]:
    """Files moved aside, the last one first."""
    return tuple(sorted(path.parent.glob(f"{path.stem}.damaged-*{path.suffix}"), reverse=True))


def remove(aside: Path) -> None:
    """Delete a file moved aside.

    Raises:
        StoreError: the folder cannot be written.
    """
    with guarded(aside.parent):
        for ending in _BESIDE:
            aside.with_name(aside.name + ending).unlink(missing_ok=True)


def _code(error: BaseException) -> int | None:
    """SQLite's primary code of an error, of SQLite's or SQLAlchemy's."""
    origin = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    code = getattr(origin, "sqlite_errorcode", None)
    if code is None and isinstance(origin, sqlite3.OperationalError | UnicodeDecodeError):  # text, or a message, that is not UTF-8
        return sqlite3.SQLITE_ERROR
    return code & 0xFF if code is not None else None
