"""The library's database: ``library.sqlite`` in the cache, or a schema of its own beside the jobs' on PostgreSQL.

What people decided cannot be computed again. So a damaged file stays where it is: nothing is written to it, and no empty one takes its
place. Every commit of SQLite is in the file itself, with no log beside it that a copy could miss.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from ntkcore.errors import LibraryError
from ntkcore.private import make_private, touch_private
from ntkcore.settings import Settings
from ntkcore.store import sqlite_file
from ntkcore.store.files import guarded
from ntkcore.store.lock import exclusive

FILE = "library.sqlite"
SCHEMA = "ntk_library"
_MIGRATIONS = Path(__file__).parent / "migrations"
_WRITES = "ntk_writes"
_HEAD = "head"  # the migration that this program is of
_PATIENCE = 30  # seconds that a writer waits for another one
_PAGES = 65_536  # KiB of the file that a connection keeps in memory: a search reads all notes
_LOCK = 4_862_017  # of PostgreSQL's advisory locks: one migration at a time

Stamp = tuple[int, int, int, int]


class Library:
    """The database, opened when it is first asked for. One per process serves all its threads.

    Raises:
        LibraryError: here and in everything that uses it, when it is damaged or cannot be reached; says what to do.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        url = sa.make_url(settings.database_url) if settings.database_url else None
        self._server = url if url is not None and url.get_backend_name() == "postgresql" else None
        self.file = None if self._server is not None else settings.cache_dir / FILE
        self._opening = threading.RLock()
        self._engine: sa.Engine | None = None
        self._sound: Stamp | None = None  # the file as it was when it was last known to be sound
        self._damaged: Stamp | None = None

    @property
    def now(self) -> sa.ColumnElement[float]:
        """Seconds since 1970 by the database's clock, which all servers share."""
        said = "(julianday('now') - 2440587.5) * 86400.0" if self.file is not None else "extract(epoch from clock_timestamp())"
        return sa.type_coerce(sa.literal_column(said), sa.Double)

    def moment(self, connection: sa.Connection) -> float:
        """That time as one number, for what is to be equal."""
        return float(connection.execute(sa.select(self.now)).scalar_one())

    @property
    def begun(self) -> bool:
        """Whether anything was ever kept: to ask something of a file that does not exist yet would make it."""
        return self.file is None or self.file.exists()

    def problem(self) -> LibraryError | None:
        """Why nothing can be kept at the moment; None: all is well, or nothing was ever kept."""
        if not self.begun:
            return None
        try:
            with self.reading():
                return None
        except LibraryError as error:
            return error

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one moment of the database."""
        with self._begun(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection whose changes are kept together when the block ends, and none when it fails; a file has one writer at a time."""
        with self._begun(writes=True) as connection:
            yield connection

    def close(self) -> None:
        """Close the connections; the next question opens them anew."""
        with self._opening:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = None

    @contextmanager
    def _begun(self, *, writes: bool) -> Iterator[sa.Connection]:
        try:
            engine = self._opened()
            with engine.connect().execution_options(**{_WRITES: writes}) as connection, connection.begin():
                yield connection
        except sa.exc.SQLAlchemyError as error:
            if self.file is not None and sqlite_file.is_doubtful(error):
                damaged = sqlite_file.is_damaged(self.file)
                self._damaged = _stamp(self.file) if damaged else None
                if damaged or sqlite_file.is_broken(error):  # also a sound database without our tables
                    raise _damage(self.file) from error
            raise LibraryError(
                f"The library cannot be reached ({type(error).__name__}).",
                "Check that the disk is not full, or that the database of NTK_DATABASE_URL is running; then try again.",
            ) from error
        if writes and self.file is not None:
            self._sound = _stamp(self.file)

    def _opened(self) -> sa.Engine:
        with self._opening:
            if self.file is not None:
                self._require_sound(self.file)
            if self._engine is None:
                self._engine = self._open()
            return self._engine

    def _require_sound(self, file: Path) -> None:
        """Look at the file where it is not as it was last seen: every row of it."""
        now = _stamp(file)
        if now is None or now[:2] != (self._sound or now)[:2]:
            self.close()  # removed, or another one is in its place
        if now is None or now == self._sound:
            return
        if now == self._damaged or sqlite_file.is_damaged(file):
            self._damaged = now
            raise _damage(file)
        self._sound = now

    def _open(self) -> sa.Engine:
        if self._server is not None:
            return self._open_server(self._server)
        assert self.file is not None
        with guarded(self.file.parent):
            make_private(self.file.parent)
        with exclusive(self._settings.cache_dir / "locks" / "library.lock"):
            if not self.file.exists():
                self._begin(self.file)
            engine = _migrated(_sqlite(self.file))
        self._sound = _stamp(self.file)
        return engine

    def _begin(self, file: Path) -> None:
        """A new file, which has its place only when it is whole: an empty one would be taken for a damaged one."""
        made = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
        with guarded(file.parent):
            try:
                touch_private(made)
                _migrated(_sqlite(made)).dispose()
                made.rename(file)
            finally:
                made.unlink(missing_ok=True)

    def _open_server(self, url: sa.URL) -> sa.Engine:
        engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=4,
            pool_pre_ping=True,
            connect_args={"options": f"-csearch_path={SCHEMA}"},
        )

        def prepare(connection: sa.Connection) -> None:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))

        return _migrated(engine, prepare)


def _sqlite(file: Path) -> sa.Engine:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(file)), pool_size=4, connect_args={"timeout": _PATIENCE})

    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA cache_size=-{_PAGES}")

    def begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begun)
    return engine


def _migrated(engine: sa.Engine, prepare: Callable[[sa.Connection], None] | None = None) -> sa.Engine:
    """The engine, when its tables are this program's; closed where that fails."""
    try:
        with engine.begin() as connection:
            if prepare is not None:
                prepare(connection)
            _upgrade(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _upgrade(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, _HEAD)
    except CommandError as error:
        raise LibraryError(
            "The library was made by a later version of this program.", "Start that version; nothing was written."
        ) from error


def _stamp(file: Path) -> Stamp | None:
    """Tells one state of the file from the next."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _damage(file: Path) -> LibraryError:
    return LibraryError(
        f"The library is damaged: {file.name} in the server's cache.",
        "Nothing is written to it, and nothing can be kept. Put a copy of it in its place; or move it away, and a new one begins.",
    )
