"""The library's database: ``library.sqlite`` in the cache, or a schema of its own beside the jobs' on PostgreSQL.

What people decided cannot be computed again. So a damaged file stays where it is: nothing is written to it, and no empty one takes its
place. Every commit of SQLite is in the file itself, with no log beside it that a copy could miss.
"""

import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from ntkcore.errors import LibraryError
from ntkcore.private import make_private, touch_private
from ntkcore.settings import Settings
from ntkcore.store import sqlite_file
from ntkcore.store.files import guarded, sync_folder
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

    @contextmanager
    def still(self, folder: Path) -> Iterator[sa.Connection]:
        """A connection that sees one moment of the database for as long as it takes, and keeps no writer waiting.

        Args:
            folder: where a copy of the file lies meanwhile.
        """
        if self.file is None:
            with self.reading() as connection:
                yield connection
            return
        with self.reading():  # there is a sound file, of this program's version
            copy = folder / self.file.name
            touch_private(copy)
            with closing(sqlite3.connect(self.file, timeout=_PATIENCE)) as source, closing(sqlite3.connect(copy)) as target, _told():
                source.backup(target)
        engine = _sqlite(copy)
        try:
            with _told(), engine.connect().execution_options(**{_WRITES: False}) as connection, connection.begin():
                yield connection
        finally:
            engine.dispose()

    @contextmanager
    def replaced(self, schema: str, fill: Callable[[sa.Connection], None]) -> Iterator[None]:
        """Put another content in the place of this one. It counts when the block ends; where that, or the process, fails all is as before.

        Args:
            schema: of the other content; it is brought to this program's.
            fill: writes it, into tables as they were made by that schema.
        """

        def make(connection: sa.Connection) -> None:
            _upgrade(connection, schema)
            fill(connection)
            _upgrade(connection, _HEAD)

        with _told():
            if self._server is not None:
                engine = _server(self._server)
                try:
                    with engine.begin() as connection:
                        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                        connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
                        connection.execute(sa.text(f"CREATE SCHEMA {SCHEMA}"))
                        make(connection)
                        yield
                finally:
                    engine.dispose()
            else:
                assert self.file is not None
                with self._aside(self.file, make) as made:
                    yield
                    with exclusive(self._settings.cache_dir / "locks" / "library.lock"), guarded(self.file.parent):
                        _forget_journal(self.file)
                        made.rename(self.file)
                        sync_folder(self.file.parent)
        self.close()

    def close(self) -> None:
        """Close the connections; the next question opens them anew."""
        with self._opening:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = None

    @contextmanager
    def _begun(self, *, writes: bool) -> Iterator[sa.Connection]:
        options: dict[str, Any] = {_WRITES: writes}
        if not writes and self.file is None:
            options["isolation_level"] = "REPEATABLE READ"  # else each statement sees a moment of its own
        try:
            with _told():
                engine = self._opened()
                with engine.connect().execution_options(**options) as connection, connection.begin():
                    yield connection
        except LibraryError as error:
            cause = error.__cause__
            if self.file is not None and cause is not None and sqlite_file.is_doubtful(cause):
                damaged = sqlite_file.is_damaged(self.file)
                self._damaged = _stamp(self.file) if damaged else None
                if damaged or sqlite_file.is_broken(cause):  # also a sound database without our tables
                    raise _damage(self.file) from cause
            raise
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
            engine = _made(_sqlite(self.file), _upgrade)
        self._sound = _stamp(self.file)
        return engine

    def _begin(self, file: Path) -> None:
        """A new file, which has its place only when it is whole: an empty one would be taken for a damaged one."""
        with self._aside(file, _upgrade) as made, guarded(file.parent):
            made.rename(file)

    @contextmanager
    def _aside(self, file: Path, make: Callable[[sa.Connection], None]) -> Iterator[Path]:
        """A file beside the library's with other content, which is removed unless it was renamed."""
        made = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
        try:
            with guarded(file.parent):
                make_private(file.parent)
                touch_private(made)
            _made(_sqlite(made), make).dispose()
            yield made
        finally:
            made.unlink(missing_ok=True)

    def _open_server(self, url: sa.URL) -> sa.Engine:
        def make(connection: sa.Connection) -> None:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            _upgrade(connection)

        return _made(_server(url), make)


def _server(url: sa.URL) -> sa.Engine:
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=4,
        pool_pre_ping=True,
        connect_args={"options": f"-csearch_path={SCHEMA}"},
    )


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


def _made(engine: sa.Engine, make: Callable[[sa.Connection], None]) -> sa.Engine:
    """The engine, when its tables are as they are made in one transaction; closed where that fails."""
    try:
        with engine.begin() as connection:
            make(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def schema_of(connection: sa.Connection) -> str:
    """What the tables are, by the last migration that they have seen."""
    return str(connection.execute(sa.select(sa.column("version_num")).select_from(sa.table("alembic_version"))).scalar_one())


def knows(schema: str) -> bool:
    """Whether this program has that migration: a later version's it has not."""
    try:
        return ScriptDirectory.from_config(_config()).get_revision(schema) is not None
    except CommandError:
        return False


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: sa.Connection, schema: str | None = None) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, schema or _HEAD)
    except CommandError as error:
        raise LibraryError(
            "The library was made by a later version of this program.", "Start that version; nothing was written."
        ) from error


@contextmanager
def _told() -> Iterator[None]:
    """Say in plain words what a database refuses."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
        raise LibraryError(
            f"The library cannot be reached ({type(error).__name__}).",
            "Check that the disk is not full, or that the database of NTK_DATABASE_URL is running; then try again.",
        ) from error


def _forget_journal(file: Path) -> None:
    """Let a writer that died be undone, whose journal would otherwise be taken for that of the file that comes in this one's place."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(file, timeout=_PATIENCE)) as connection:
        connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()
    file.with_name(f"{file.name}-journal").unlink(missing_ok=True)


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
