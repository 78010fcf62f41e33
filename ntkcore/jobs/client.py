"""Asking for jobs and looking at them; used by pages, notebooks and the command line."""

import functools
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from dbos import DBOSClient, DBOSPortableJSONSerializer, WorkflowStatus
from dbos import error as dbos_error

from ntkcore.errors import AtlasError
from ntkcore.jobs import queue_file, telling
from ntkcore.jobs.book import Mark, WorkerRow
from ntkcore.jobs.device_lock import held, host, lane_of_worker, lock_path
from ntkcore.jobs.queue import (
    APPLICATION,
    EVENT,
    PART,
    VERSION,
    Queue,
    key_of_part,
    lane_of,
    part_id,
    prepare,
    queue_for,
    reached,
)
from ntkcore.jobs.state import JobState, Waiting, WorkerState
from ntkcore.jobs.turns import Asker, Guard, Open, require_room, turn
from ntkcore.settings import Settings
from ntkcore.store import sqlite_file

P = ParamSpec("P")
T = TypeVar("T")


def _asked(method: "Callable[Concatenate[Jobs, P], T]") -> "Callable[Concatenate[Jobs, P], T]":
    """Ask the queue as it is now: a file that was removed, replaced or damaged is opened anew, and the question asked again."""

    @functools.wraps(method)
    def asked(jobs: "Jobs", *args: P.args, **kwargs: P.kwargs) -> T:
        for mend in (jobs._renew, jobs._begin_anew):
            jobs._follow()
            seen = jobs._client
            try:
                with reached():
                    return method(jobs, *args, **kwargs)
            except Exception as error:
                if not mend(seen, error.__cause__ or error):
                    raise
        with reached():
            return method(jobs, *args, **kwargs)

    return asked


class Jobs:
    """The job queue. One per process serves all its threads; a look at a job takes a few milliseconds.

    On SQLite, a damaged file is moved aside (:meth:`set_aside`) and the list of jobs begins anew; one that was removed, too.

    Args:
        guard: who may start and stop jobs, and whose they are.

    Raises:
        AtlasError: here and in every method, when the queue's database cannot be reached.
    """

    def __init__(self, settings: Settings, guard: Guard | None = None) -> None:
        self._settings, self._guard = settings, guard or Open()
        self._file = queue_file.of(settings)
        self._opening = threading.RLock()
        self._open()

    def _open(self) -> None:
        self._book = prepare(self._settings)
        with reached():
            self._client = DBOSClient(
                system_database_url=self._settings.queue_url,
                application_name=APPLICATION,
                serializer=DBOSPortableJSONSerializer(),
                retry_connection_errors=False,
            )
        self._stamp = sqlite_file.stamp(self._file)

    def _follow(self) -> None:
        """Open what is there now, where the file is not the one that was opened."""
        if sqlite_file.stamp(self._file) != self._stamp:
            with self._opening:
                if sqlite_file.stamp(self._file) != self._stamp:
                    self._reopen()

    def _renew(self, seen: DBOSClient, error: BaseException) -> bool:
        """Open the file anew after an error that may be its own; whether that was one."""
        if self._file is None or not sqlite_file.is_doubtful(error):
            return False
        with self._opening:
            if self._client is seen:  # else another thread has
                self._reopen()
        return True

    def _begin_anew(self, seen: DBOSClient, error: BaseException) -> bool:
        """Move the file aside: it looks sound, and what is asked of it fails all the same."""
        if self._file is None or not sqlite_file.is_broken(error):
            return False
        with self._opening:
            if self._client is seen:
                queue_file.set_aside(self._file)
                self._reopen()
        return True

    def _reopen(self) -> None:
        self.close()
        self._open()

    def set_aside(self) -> tuple[Path, ...]:
        """Damaged files of the queue that were moved aside, the last one first."""
        return queue_file.found_aside(self._file) if self._file is not None else ()

    def remove_aside(self) -> None:
        """Delete what was moved aside."""
        for aside in self.set_aside():
            queue_file.remove(aside)

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()
        self._book.close()

    @_asked
    def submit(
        self,
        kind: str,
        key: str,
        payload: dict[str, Any],
        title: str,
        *,
        again: bool = False,
        seconds: float | None = None,
        queue: Queue | None = None,
    ) -> JobState:
        """Ask for a job; the same key is the same job, whoever asks and however often.

        One that failed or was cancelled is started again, with the payload it was first asked with.

        Args:
            kind: which handler computes it.
            key: key of what it computes.
            payload: JSON for the handler.
            title: what the user calls it.
            again: also start one again that is done: its result is no longer stored.
            seconds: what it is expected to take; None: nobody knows.
            queue: where it waits; None: as its seconds say.

        Raises:
            AtlasError: whoever asks may not, or has as many waiting as one person may have.
        """
        queue = queue or queue_for(seconds)
        asker = self._guard.start(kind)
        state = self._state(key)
        if state is not None and not state.readable:
            self._forget(key)
            state = None
        if state is None:
            options: Any = {"workflow_name": PART, "queue_name": queue, "workflow_id": part_id(key), "app_version": VERSION}
            options["priority"] = self._turn(asker, queue)
            self._book.ask(part_id(key), asker)
            self._client.enqueue(options, kind, key, title, payload if seconds is None else payload | {telling.FORECAST: seconds})
        elif not state.active or state.status == "cancelling":
            if state.status != "done" or again:
                turn = self._turn(asker, queue)
                self._book.ask(part_id(key), asker)
                self._restart(key, queue, turn)
        else:
            return state
        submitted = self._state(key)
        if submitted is None:
            raise AtlasError(f"The job {title!r} was removed while it was asked for.", "Ask for it again.")
        return submitted

    @_asked
    def cancel(self, key: str) -> None:
        """Stop a job: a waiting one at once, a running one at its next report. Nothing happens when it has ended.

        Raises:
            AtlasError: it is somebody else's.
        """
        state = self._state(key)
        if state is not None and state.status in ("queued", "running"):
            self._guard.stop(_owner(state), state.title)
            self._client.cancel_workflows([part_id(key)])
            self._book.forgive(part_id(key))

    @_asked
    def state(self, key: str) -> JobState | None:
        """The job as it is now, or None when it was never asked for."""
        return self._state(key)

    @_asked
    def list(self, limit: int = 50) -> tuple[JobState, ...]:
        """The jobs asked for last, newest first."""
        return self._described(self._client.list_workflows(name=PART, limit=limit, sort_desc=True))

    @_asked
    def waiting(self, job: JobState) -> Waiting:
        """What a queued job waits for, and about how long."""
        taken = self._there(job.queue, inputs=True)
        told = [state for state in self._described(taken) if state.readable]
        running = [state for state in told if state.status == "running" and state.id != job.id]
        before = []
        for state in told:
            if state.id == job.id:
                break
            if state.status == "queued":
                before.append(state)
        workers = sum(worker.alive and worker.lane == lane_of(job.queue) for worker in self._workers())
        left = [telling.left(state) for state in (*running, *before)]
        known = [seconds for seconds in left if seconds is not None]
        seconds = sum(known) / max(workers, 1) if len(known) == len(left) and left else None
        return Waiting(tuple(state.title for state in (*running, *before)), seconds, workers > 0)

    @_asked
    def refusal(self, kind: str) -> str:
        """Why whoever asks cannot start a job of a kind now; "": they can."""
        try:
            asker = self._guard.start(kind)
            if asker.waiting:
                self._require_room(asker)
        except AtlasError as error:
            return str(error)
        return ""

    @_asked
    def counts(self) -> Mapping[str, int]:
        """How many jobs are ``waiting``, and how many ``running``."""
        there = self._there()
        running = sum(status.status == "PENDING" for status in there)
        return {"waiting": len(there) - running, "running": running}

    @_asked
    def waiting_of(self) -> Mapping[str, int]:
        """How many jobs of each person wait."""
        there = [status for status in self._there() if status.status != "PENDING"]
        owners = self._book.askers([status.workflow_id for status in there])
        return Counter(owner.person for owner in owners.values())

    @_asked
    def forget(self, key: str) -> None:
        """Remove an ended job from the list; what it stored stays.

        Raises:
            AtlasError: it has not ended.
        """
        state = self._state(key)
        if state is None:
            return
        if state.active:
            raise AtlasError(f"The job {state.title!r} has not ended.", "Cancel it first.")
        self._guard.stop(_owner(state), state.title)
        self._forget(key)

    @_asked
    def workers(self) -> tuple[WorkerState, ...]:
        """Workers heard of within a day, with the jobs they compute."""
        return self._workers()

    # What is asked above may be asked again on another file; what is below is part of one question.

    def _state(self, key: str) -> JobState | None:
        found = self._client.list_workflows(workflow_ids=[part_id(key)])
        return self._described(found)[0] if found else None

    def _forget(self, key: str) -> None:
        self._client.delete_workflows([part_id(key)], delete_children=True)
        self._book.forget(part_id(key))

    def _workers(self) -> tuple[WorkerState, ...]:
        return tuple(
            WorkerState(
                row.id,
                row.host,
                row.device,
                lane_of_worker(row.id),
                row.pid,
                alive := self._alive(row),
                key_of_part(row.job) if row.job and alive else None,
                datetime.fromtimestamp(row.started, UTC),
            )
            for row in self._book.workers()
        )

    def _there(self, queue: str | None = None, *, inputs: bool = False) -> Sequence[WorkflowStatus]:
        """Jobs that wait or run, in the order in which they are taken."""
        found = self._client.list_workflows(
            queue_name=queue, status=["PENDING", "ENQUEUED"], name=PART, load_input=inputs, load_output=False
        )
        return sorted(found, key=lambda status: status.priority or 0)  # of the same turn as they were asked for

    def _require_room(self, asker: Asker) -> None:
        there = self._there()
        require_room(asker, there, self._book.askers([status.workflow_id for status in there]))

    def _turn(self, asker: Asker, queue: Queue) -> int:
        if asker.waiting:
            self._require_room(asker)
        there = self._there(queue)
        return turn(asker.person, there, self._book.askers([status.workflow_id for status in there]))

    def _restart(self, key: str, queue: Queue, turn: int) -> None:
        try:
            self._book.reorder(part_id(key), turn)  # before it waits again: a worker may take it at once
            self._client.rewind_workflow(part_id(key), queue_name=queue)
        except dbos_error.DBOSException:
            state = self._state(key)
            if state is None or not state.active:  # else somebody else has just started it again
                raise

    def _alive(self, row: WorkerRow) -> bool:
        if row.silent > max(self._settings.lease_seconds, 2.0):
            return False
        return row.host != host() or held(lock_path(self._settings.cache_dir, row.id))

    def _described(self, found: Sequence[WorkflowStatus]) -> tuple[JobState, ...]:
        marks = self._book.marks([status.workflow_id for status in found])
        askers = self._book.askers([status.workflow_id for status in found])
        living = {row.instance: row for row in self._book.workers() if self._alive(row)}
        told = ((self._told(status, marks.get(status.workflow_id), living), askers.get(status.workflow_id)) for status in found)
        return tuple(state if asker is None else replace(state, owner=asker.person, owner_name=asker.name) for state, asker in told)

    def _told(self, status: WorkflowStatus, mark: Mark | None, living: dict[str, WorkerRow]) -> JobState:
        """The job; one of whose row a flipped bit made nonsense is a failed one that can be asked for again."""
        try:
            return telling.described(status, mark, living, lambda: self._client.get_event(status.workflow_id, EVENT, 0))
        except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
            return telling.unreadable(status.workflow_id)


def _owner(state: JobState) -> Asker | None:
    return Asker(state.owner, state.owner_name) if state.owner else None
