"""Three small tables beside the queue's own: which workers live, how often a job's worker died, and who asked for a job."""

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ntkcore.jobs.turns import Asker

_TABLES = (
    """CREATE TABLE IF NOT EXISTS ntk_worker (
        id TEXT PRIMARY KEY, instance TEXT NOT NULL, host TEXT NOT NULL, device TEXT NOT NULL,
        pid INTEGER NOT NULL, started DOUBLE PRECISION NOT NULL, beat DOUBLE PRECISION NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS ntk_job (
        id TEXT PRIMARY KEY, run TEXT, instance TEXT, deaths INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS ntk_asker (
        id TEXT PRIMARY KEY, person TEXT NOT NULL, name TEXT NOT NULL)""",
)


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker as it last told; ``silent`` = seconds since, by the database's clock; ``job`` = what it runs."""

    id: str
    instance: str
    host: str
    device: str
    pid: int
    started: float
    silent: float
    job: str | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A job's current run (None: nobody runs it), the worker instance that has it, and deaths so far."""

    run: str | None
    instance: str | None
    deaths: int


class Book:
    """The tables, in the queue's database; thread-safe."""

    def __init__(self, url: str) -> None:
        address = sa.make_url(url)
        if address.get_backend_name() == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        self.sqlite = address.get_backend_name() == "sqlite"
        self._engine = sa.create_engine(address, pool_size=2, pool_pre_ping=not self.sqlite)
        self._now = "((julianday('now') - 2440587.5) * 86400.0)" if self.sqlite else "extract(epoch from clock_timestamp())"
        if self.sqlite:
            sa.event.listen(self._engine, "connect", _patient)

    def create(self) -> None:
        """Make the tables if they are missing; SQLite gets its write-ahead log."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self.sqlite:
                connection.execute(sa.text("PRAGMA journal_mode=WAL"))
            for statement in _TABLES:
                connection.execute(sa.text(statement))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def begin(self, job: str, run: str, instance: str) -> int:
        """A run begins; one that neither ended nor was left before it counts as a death. Returns the deaths so far."""
        with self._engine.begin() as connection:
            self._do(connection, "INSERT INTO ntk_job (id) VALUES (:job) ON CONFLICT (id) DO NOTHING", job=job)
            deaths = self._do(
                connection,
                "UPDATE ntk_job SET deaths = deaths + CASE WHEN run IS NULL THEN 0 ELSE 1 END, run = :run, instance = :instance "
                "WHERE id = :job RETURNING deaths",
                job=job,
                run=run,
                instance=instance,
            ).scalar_one()
        return int(deaths)

    def end(self, job: str, run: str) -> None:
        """A run ended by itself, whatever its outcome; nothing happens if another run has taken over."""
        with self._engine.begin() as connection:
            self._do(connection, "UPDATE ntk_job SET run = NULL, deaths = 0 WHERE id = :job AND run = :run", job=job, run=run)

    def forgive(self, job: str) -> None:
        """Count deaths from zero again."""
        with self._engine.begin() as connection:
            self._do(connection, "UPDATE ntk_job SET deaths = 0 WHERE id = :job", job=job)

    def forget(self, job: str) -> None:
        """Remove a job's rows."""
        with self._engine.begin() as connection:
            self._do(connection, "DELETE FROM ntk_job WHERE id = :job", job=job)
            self._do(connection, "DELETE FROM ntk_asker WHERE id = :job", job=job)

    def ask(self, job: str, asker: Asker) -> None:
        """Whose a job is from now on."""
        with self._engine.begin() as connection:
            self._do(
                connection,
                "INSERT INTO ntk_asker (id, person, name) VALUES (:job, :person, :name) "
                "ON CONFLICT (id) DO UPDATE SET person = excluded.person, name = excluded.name",
                job=job,
                person=asker.person,
                name=asker.name,
            )

    def reorder(self, job: str, turn: int) -> None:
        """Give a job that is about to wait again its turn; the queue has no call for it."""
        table = "workflow_status" if self.sqlite else "dbos.workflow_status"
        with self._engine.begin() as connection:
            self._do(connection, f"UPDATE {table} SET priority = :turn WHERE workflow_uuid = :job", turn=turn, job=job)

    def askers(self, jobs: list[str]) -> dict[str, Asker]:
        """Whose those jobs are of which somebody knows."""
        if not jobs:
            return {}
        statement = sa.text("SELECT id, person, name FROM ntk_asker WHERE id IN :jobs")
        with self._engine.connect() as connection:
            rows = connection.execute(statement.bindparams(sa.bindparam("jobs", expanding=True)), {"jobs": jobs}).all()
        return {row.id: Asker(row.person, row.name) for row in rows}

    def beat(self, row: WorkerRow) -> None:
        """A worker says that it lives."""
        with self._engine.begin() as connection:
            self._do(
                connection,
                "INSERT INTO ntk_worker (id, instance, host, device, pid, started, beat) "
                f"VALUES (:id, :instance, :host, :device, :pid, :started, {self._now}) ON CONFLICT (id) DO UPDATE SET "
                "instance = excluded.instance, host = excluded.host, device = excluded.device, pid = excluded.pid, "
                "started = excluded.started, beat = excluded.beat",
                id=row.id,
                instance=row.instance,
                host=row.host,
                device=row.device,
                pid=row.pid,
                started=row.started,
            )

    def leave(self, instance: str) -> None:
        """A worker stops on purpose: what it runs is not a death, and it is no longer listed."""
        with self._engine.begin() as connection:
            self._do(connection, "UPDATE ntk_job SET run = NULL WHERE instance = :instance", instance=instance)
            self._do(connection, "DELETE FROM ntk_worker WHERE instance = :instance", instance=instance)

    def workers(self) -> list[WorkerRow]:
        """All workers that ever told and did not leave; forgotten after a day of silence."""
        with self._engine.connect() as connection:
            rows = self._do(
                connection,
                f"SELECT w.id, w.instance, w.host, w.device, w.pid, w.started, {self._now} - w.beat AS silent, "
                "(SELECT min(j.id) FROM ntk_job j WHERE j.instance = w.instance AND j.run IS NOT NULL) AS job "
                f"FROM ntk_worker w WHERE {self._now} - w.beat < 86400 ORDER BY w.id",
            ).all()
        return [WorkerRow(r.id, r.instance, r.host, r.device, r.pid, float(r.started), float(r.silent), r.job) for r in rows]

    def marks(self, jobs: list[str]) -> dict[str, Mark]:
        """Marks of those jobs that have one."""
        if not jobs:
            return {}
        statement = sa.text("SELECT id, run, instance, deaths FROM ntk_job WHERE id IN :jobs")
        with self._engine.connect() as connection:
            rows = connection.execute(statement.bindparams(sa.bindparam("jobs", expanding=True)), {"jobs": jobs}).all()
        return {row.id: Mark(row.run, row.instance, int(row.deaths)) for row in rows}

    @staticmethod
    def _do(connection: sa.Connection, statement: str, **values: Any) -> Any:
        return connection.execute(sa.text(statement), values)


def new_worker(worker: str, instance: str, host: str, device: str, pid: int) -> WorkerRow:
    """The row of a worker that starts now."""
    return WorkerRow(worker, instance, host, device, pid, time.time(), 0.0, None)


def _patient(connection: Any, _: Any) -> None:
    """Writers take turns from the start of a transaction, and wait for each other."""
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA busy_timeout=30000")
