"""A file that is an SQLite database: whether it is sound, and whether it is still the one that was opened."""

import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

_BROKEN = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}  # of the content, not of the disk or of other processes
_DOUBTFUL = _BROKEN | {sqlite3.SQLITE_IOERR}  # a file cut short is at first an error of the disk


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


def _code(error: BaseException) -> int | None:
    """SQLite's primary code of an error, of SQLite's or SQLAlchemy's."""
    origin = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    code = getattr(origin, "sqlite_errorcode", None)
    if code is None and isinstance(origin, sqlite3.OperationalError | UnicodeDecodeError):  # text, or a message, that is not UTF-8
        return sqlite3.SQLITE_ERROR
    return code & 0xFF if code is not None else None
