"""A worker process: takes jobs from the queue, one at a time, and computes them on its device."""

import contextvars
import json
import logging
import logging.handlers
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeVar
from uuid import uuid4

import sqlalchemy as sa
from dbos import DBOS, DBOSPortableJSONSerializer
from dbos import error as dbos_error

from ntkcore.errors import AtlasError, Cancelled
from ntkcore.jobs import device_lock, failures, queue_file
from ntkcore.jobs.book import new_worker
from ntkcore.jobs.context import JobContext
from ntkcore.jobs.queue import APPLICATION, EVENT, PART, QUEUES, VERSION, Lane, key_of_part, prepare
from ntkcore.jobs.reserve import Reserve
from ntkcore.logs import Lines
from ntkcore.private import make_private
from ntkcore.settings import Settings
from ntkcore.store import sqlite_file
from ntkcore.store.files import guarded

Handler = Callable[[dict[str, Any], JobContext], dict[str, Any]]

T = TypeVar("T")

_LOG = logging.getLogger("ntkcore.jobs")
_LAST_SIGN = 5.0  # seconds for a job's last sign of life; after an outage its next try may be a minute away, and the outcome is told before


def run_worker(
    handlers: Mapping[str, Handler],
    settings: Settings,
    *,
    device: str,
    lane: Lane = "compute",
    parent: int | None = None,
    beat: float = 1.0,
    poll: float = 0.5,
) -> NoReturn:
    """Compute the jobs of a lane until the process is stopped; call it in the main thread.

    SIGTERM and SIGINT end the process at once: the job it computes goes on, from what is finished, in the next worker.
    The process also ends when its cache folder is removed, or the queue's file is removed, replaced or damaged.

    Args:
        handlers: job kind to the function that computes it and returns a small JSON result.
        settings: where the queue, the locks and the log are; ``lease_seconds`` of silence make a worker dead to the others.
        device: device the jobs compute on, ``"cpu"``, ``"cuda:0"``.
        lane: which jobs it takes; of those of each queue one at a time.
        parent: the process it ends with, whose child it is; None: it outlives whoever has started it.
        beat: seconds between signs of life, and between looks whether the job was cancelled.
        poll: seconds between looks for a new job.

    Raises:
        AtlasError: a worker of this lane for this device is running already, or the queue cannot be reached.
    """
    name = device_lock.worker_id(device, lane)
    path = device_lock.lock_path(settings.cache_dir, name)
    lock = device_lock.take(path, device)
    worker = _Worker(handlers, settings, device, lane, name, beat)
    signal.signal(signal.SIGTERM, worker.leave)
    signal.signal(signal.SIGINT, worker.leave)
    worker.launch(poll)
    while not worker.leaving.wait(beat) and device_lock.still_ours(path, lock) and parent in (None, os.getppid()):
        worker.live()
    worker.say_goodbye()
    os._exit(0)  # a computation in another thread is not waited for


class _Worker:
    """One worker: its sign of life, its looking after dead ones, and the computing of a job."""

    def __init__(self, handlers: Mapping[str, Handler], settings: Settings, device: str, lane: Lane, name: str, beat: float) -> None:
        self.leaving = threading.Event()
        self._handlers, self._settings, self._device, self._lane, self._name, self._beat = handlers, settings, device, lane, name, beat
        self._row = new_worker(name, uuid4().hex, device_lock.host(), device, os.getpid())
        _log_to(settings.cache_dir / "logs" / f"worker-{name}.log", settings)
        self._book = prepare(settings)
        self._file = queue_file.of(settings)
        self._stamp = sqlite_file.stamp(self._file)
        self._reserve = Reserve(device_lock.lock_path(settings.cache_dir, name).with_suffix(".reserve"))
        self._reserve.hold()
        self._complained = -math.inf
        self._seen: dict[str, tuple[Any, float]] = {}  # pending job: what it last showed, and since when
        self._reaped = time.monotonic()

    def launch(self, poll: float) -> None:
        """Begin to take jobs; those this device's last worker was killed with come first."""

        def part(kind: str, key: str, title: str, payload: dict[str, Any]) -> dict[str, Any]:
            return step(kind, payload)

        def compute(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
            return self._compute(kind, payload)

        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": self._settings.queue_url,
                "application_version": VERSION,
                "executor_id": self._name,
                "serializer": DBOSPortableJSONSerializer(),
                "log_level": "WARNING",
                "notification_listener_polling_interval_sec": 30.0,
            }
        )
        step = DBOS.step(name="compute")(compute)
        DBOS.workflow(name=PART)(part)
        self._book.beat(self._row)
        DBOS.listen_queues(QUEUES[self._lane])
        DBOS.launch()
        for queue in QUEUES[self._lane]:
            DBOS.register_queue(queue, worker_concurrency=1, polling_interval_sec=poll)
        _LOG.info("Worker %s started, process %d, device %s", self._name, os.getpid(), self._device)

    def leave(self, signum: int, frame: FrameType | None) -> None:
        """Signal handler: stop now, and within two seconds even if the database does not answer."""
        self.leaving.set()
        last = threading.Timer(2.0, os._exit, (0,))
        last.daemon = True
        last.start()

    def say_goodbye(self) -> None:
        """Tell that this worker stops on purpose, so that its job's interruption is not counted as a death."""
        try:
            self._book.leave(self._row.instance)
            _LOG.info("Worker %s stopped", self._name)
        except Exception:  # the process ends anyway, and the others will notice
            _LOG.warning("Worker %s stopped without saying so", self._name)

    def live(self) -> None:
        """One beat: a sign of life, and from time to time a look at the others' jobs.

        A queue that is no longer there, or damaged, cannot be left for another one in this process: the next worker begins with it.
        """
        if sqlite_file.stamp(self._file) != self._stamp:
            _LOG.warning("The file of the job queue is another one: this worker stops, and the next one takes it up")
            self.leaving.set()
            return
        try:
            self._book.beat(self._row)
            if time.monotonic() - self._reaped > self._settings.lease_seconds / 4:
                self._reaped = time.monotonic()
                self._reap()
        except Exception as error:  # the database is away: what is being computed goes on
            self._seen = {}  # nobody can show life to a database that is away: each has a whole lease when it is back
            self._complain(error)
            if self._file is not None and sqlite_file.is_doubtful(error) and sqlite_file.is_damaged(self._file):
                self.leaving.set()

    def _reap(self) -> None:
        """Put back into the queue what showed no life for a lease: its worker is dead, or lost it in an outage.

        A worker that lives and has not ended a job has it still, though the job's own signs of life may wait for their next try.
        """
        now, pending = time.monotonic(), {}
        there = DBOS.list_workflows(status="PENDING", queue_name=list(QUEUES[self._lane]), load_input=False, load_output=False)
        living = {row.instance for row in self._book.workers() if row.silent < self._settings.lease_seconds}
        marks = self._book.marks([status.workflow_id for status in there])
        held = {job for job, mark in marks.items() if mark.run is not None and mark.instance in living}
        for status in there:
            job = status.workflow_id
            shown = (status.executor_id, status.dequeued_at, DBOS.get_event(job, EVENT, timeout_seconds=0))
            before, since = self._seen.get(job, (None, now))
            if shown != before or job in held:
                since = now
            elif now - since > self._settings.lease_seconds:
                _LOG.warning("Job %s of worker %s showed no life for %.0f s: taken over", job, status.executor_id, now - since)
                DBOS.resume_workflow(job, queue_name=status.queue_name)
                continue
            pending[job] = (shown, since)
        self._seen = pending

    def _compute(self, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The outcome of a job, which is never an exception: status, message, remedy, result, deaths, progress."""
        job, run, started = DBOS.workflow_id or "", uuid4().hex, time.time()
        deaths = self._patiently(lambda: self._book.begin(job, run, self._row.instance))
        context = JobContext(self._device, key_of_part(job))
        told = {"job": context.job, "kind": kind}
        _LOG.info("Job begun", extra={"told": told})
        self._reserve.hold()
        if deaths >= failures.DEATHS:
            outcome = _failed(*failures.poisoned(deaths))
        else:
            ended = threading.Event()
            around = contextvars.copy_context()
            pulse = threading.Thread(target=around.run, args=(self._pulse, context, started, ended), name="pulse", daemon=True)
            pulse.start()
            try:
                outcome = self._outcome(kind, payload, context)
            finally:
                ended.set()
                pulse.join(_LAST_SIGN)
        self._patiently(lambda: self._book.end(job, run))
        _LOG.info("Job ended", extra={"told": told | {"status": outcome["status"], "seconds": round(time.time() - started, 1)}})
        return outcome | {"deaths": deaths, "progress": context.snapshot() | {"started": started, "ended": time.time()}}

    def _patiently(self, write: Callable[[], T]) -> T:
        """Do a write to the database, waiting out its absence: a finished computation must not be lost to it."""
        while True:
            try:
                return write()
            except sa.exc.SQLAlchemyError as error:
                if failures.disk_is_full(error):
                    self._reserve.release()
                self._complain(error)
                time.sleep(self._beat)

    def _complain(self, error: Exception) -> None:
        """Log, once a minute, that the database cannot be written."""
        if time.monotonic() - self._complained > 60.0:
            self._complained = time.monotonic()
            _LOG.warning("The job queue cannot be reached: %s", error)

    def _outcome(self, kind: str, payload: dict[str, Any], context: JobContext) -> dict[str, Any]:
        handler = self._handlers.get(kind)
        if handler is None:
            return _failed(f"The worker does not know how to compute {kind!r}.", "Restart the worker with the version that asked for it.")
        try:
            result = handler(payload, context)
            return {"status": "done", "result": json.loads(json.dumps(result))}
        except Cancelled:
            return {"status": "cancelled"}
        except (Exception, SystemExit) as error:
            if failures.disk_is_full(error):
                self._reserve.release()
            known = isinstance(error, AtlasError)
            _LOG.error("Job %s (%s) failed: %s", context.job, kind, error, exc_info=None if known else error)
            return _failed(*failures.describe(error, self._device))

    def _pulse(self, context: JobContext, started: float, ended: threading.Event) -> None:
        """Tell progress once a beat; being refused means that the job was cancelled or is somebody else's now."""
        beat = 0
        while True:
            beat += 1
            try:
                DBOS.set_event(EVENT, context.snapshot() | {"started": started, "beat": beat})
            except dbos_error.DBOSWorkflowConflictIDError:
                context.stop()
                return
            except Exception as error:
                self._complain(error)
            if ended.wait(self._beat):
                return


def _failed(message: str, remedy: str) -> dict[str, Any]:
    return {"status": "failed", "message": message, "remedy": remedy}


def _log_to(path: Path, settings: Settings) -> None:
    """Send what this process logs to a file of limited size."""
    with guarded(path.parent):
        make_private(path.parent)
        file = logging.handlers.RotatingFileHandler(path, maxBytes=2**20, backupCount=2, delay=True)
    file.setFormatter(Lines(settings))
    file.addFilter(_not_a_cancel)
    for name, level in (("", logging.WARNING), ("ntkcore", logging.INFO), ("dbos", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        if name != "ntkcore":  # which passes its records on to the root
            logger.addHandler(file)
    logging.getLogger("dbos").propagate = False
    logging.raiseExceptions = False  # a log that cannot be written (full disk) is no reason to say more


def _not_a_cancel(record: logging.LogRecord) -> bool:
    """Drop what the queue says about every cancelled or taken-over job: both are our normal course."""
    error = record.exc_info[1] if record.exc_info else None
    usual = isinstance(error, dbos_error.DBOSAwaitedWorkflowCancelledError) or "no longer owned by this execution" in record.getMessage()
    return not (record.name == "dbos" and usual)
