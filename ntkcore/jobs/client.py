"""Asking for jobs and looking at them; used by pages, notebooks and the command line."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from dbos import DBOSClient, DBOSPortableJSONSerializer, WorkflowStatus
from dbos import error as dbos_error

from ntkcore.errors import AtlasError
from ntkcore.jobs.book import Mark, WorkerRow
from ntkcore.jobs.device_lock import held, host, lock_path
from ntkcore.jobs.queue import APPLICATION, EVENT, PART, QUEUE, VERSION, key_of_part, part_id, prepare, reached
from ntkcore.jobs.state import JobState, Status, WorkerState
from ntkcore.settings import Settings

_LOST = "Its worker stopped; the job goes on from where it was as soon as a worker takes it."


class Jobs:
    """The job queue. One per process serves all its threads; a look at a job takes a few milliseconds.

    Raises:
        AtlasError: here and in every method, when the queue's database cannot be reached.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._book = prepare(settings)
        with reached():
            self._client = DBOSClient(
                system_database_url=settings.queue_url,
                application_name=APPLICATION,
                serializer=DBOSPortableJSONSerializer(),
                retry_connection_errors=False,
            )

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()
        self._book.close()

    def submit(self, kind: str, key: str, payload: dict[str, Any], title: str, *, again: bool = False) -> JobState:
        """Ask for a job; the same key is the same job, whoever asks and however often.

        One that failed or was cancelled is started again, with the payload it was first asked with.

        Args:
            kind: which handler computes it.
            key: key of what it computes.
            payload: JSON for the handler.
            title: what the user calls it.
            again: also start one again that is done: its result is no longer stored.
        """
        with reached():
            state = self.state(key)
            if state is None:
                options: Any = {"workflow_name": PART, "queue_name": QUEUE, "workflow_id": part_id(key), "app_version": VERSION}
                self._client.enqueue(options, kind, key, title, payload)
            elif not state.active or state.status == "cancelling":
                if state.status != "done" or again:
                    self._restart(key)
            else:
                return state
            submitted = self.state(key)
        if submitted is None:
            raise AtlasError(f"The job {title!r} was removed while it was asked for.", "Ask for it again.")
        return submitted

    def cancel(self, key: str) -> None:
        """Stop a job: a waiting one at once, a running one at its next report. Nothing happens when it has ended."""
        with reached():
            state = self.state(key)
            if state is not None and state.status in ("queued", "running"):
                self._client.cancel_workflows([part_id(key)])
                self._book.forgive(part_id(key))

    def state(self, key: str) -> JobState | None:
        """The job as it is now, or None when it was never asked for."""
        with reached():
            found = self._client.list_workflows(workflow_ids=[part_id(key)])
            return self._described(found)[0] if found else None

    def list(self, limit: int = 50) -> tuple[JobState, ...]:
        """The jobs asked for last, newest first."""
        with reached():
            return self._described(self._client.list_workflows(name=PART, limit=limit, sort_desc=True))

    def forget(self, key: str) -> None:
        """Remove an ended job from the list; what it stored stays.

        Raises:
            AtlasError: it has not ended.
        """
        state = self.state(key)
        if state is None:
            return
        if state.active:
            raise AtlasError(f"The job {state.title!r} has not ended.", "Cancel it first.")
        with reached():
            self._client.delete_workflows([part_id(key)], delete_children=True)
            self._book.forget(part_id(key))

    def workers(self) -> tuple[WorkerState, ...]:
        """Workers heard of within a day, with the jobs they compute."""
        with reached():
            rows = self._book.workers()
        return tuple(
            WorkerState(
                row.id,
                row.host,
                row.device,
                row.pid,
                alive := self._alive(row),
                key_of_part(row.job) if row.job and alive else None,
                datetime.fromtimestamp(row.started, UTC),
            )
            for row in rows
        )

    def _restart(self, key: str) -> None:
        try:
            self._client.rewind_workflow(part_id(key), queue_name=QUEUE)
        except dbos_error.DBOSException:
            state = self.state(key)
            if state is None or not state.active:  # else somebody else has just started it again
                raise

    def _alive(self, row: WorkerRow) -> bool:
        if row.silent > max(self._settings.lease_seconds, 2.0):
            return False
        return row.host != host() or held(lock_path(self._settings.cache_dir, row.id))

    def _described(self, found: Sequence[WorkflowStatus]) -> tuple[JobState, ...]:
        marks = self._book.marks([status.workflow_id for status in found])
        living = {row.instance: row for row in self._book.workers() if self._alive(row)}
        return tuple(self._describe(status, marks.get(status.workflow_id), living) for status in found)

    def _describe(self, status: WorkflowStatus, mark: Mark | None, living: dict[str, WorkerRow]) -> JobState:
        kind, _, title, payload = status.input["args"] if isinstance(status.input, dict) else ("", "", "", {})
        has_it = mark is not None and mark.run is not None and mark.instance in living
        outcome = status.output if status.status == "SUCCESS" and isinstance(status.output, dict) else {}
        progress = outcome.get("progress")
        if progress is None and (status.status in ("PENDING", "CANCELLED") or (mark is not None and mark.deaths)):
            progress = self._client.get_event(status.workflow_id, EVENT, 0)
        progress = progress or {}
        lost = all(row.id != status.executor_id for row in living.values())
        state, message, remedy = _standing(status, outcome, has_it, lost)
        running = state in ("running", "cancelling")
        started = progress.get("started") or (status.dequeued_at / 1000 if status.dequeued_at else None)
        return JobState(
            id=key_of_part(status.workflow_id),
            kind=kind,
            title=title,
            status=state,
            stage=progress.get("stage", ""),
            stage_done=progress.get("done", 0.0),
            stage_total=progress.get("total", 0.0),
            fraction=1.0 if state == "done" else progress.get("fraction", 0.0),
            rate=progress.get("rate") if running else None,
            rate_unit=progress.get("unit", ""),
            eta_seconds=progress.get("eta") if state == "running" else None,
            message=message,
            remedy=remedy,
            warnings=tuple(progress.get("warnings", ())),
            created=_moment(status.created_at),
            started=datetime.fromtimestamp(started, UTC) if started else None,
            finished=None if running or state == "queued" else _finished(progress.get("ended"), started, status.completed_at),
            deaths=outcome.get("deaths", mark.deaths if mark else 0),
            worker=status.executor_id or "",
            payload=payload,
            result=outcome.get("result") or {},
        )


def _standing(status: WorkflowStatus, outcome: dict[str, Any], has_it: bool, lost: bool) -> tuple[Status, str, str]:
    """A job's status, and message and remedy where there is something to say.

    Args:
        status, outcome: what the queue says, and what the handler's run came to.
        has_it: a living worker is computing it, cancelled or not.
        lost: the worker that took it from the queue is not living.
    """
    match status.status:
        case "ENQUEUED" | "DELAYED":
            return "queued", "", ""
        case "PENDING":
            return ("queued", _LOST, "") if lost else ("running", "", "")
        case "CANCELLED":
            return ("cancelling", "", "") if has_it else ("cancelled", "", "")
        case "SUCCESS" if outcome:
            return outcome["status"], outcome.get("message", ""), outcome.get("remedy", "")
        case _:
            return "failed", "Internal error: the job ended without an outcome.", "Compute again; the worker's log file says more."


def _finished(ended: float | None, started: float | None, completed: int | None) -> datetime | None:
    """The end by the worker's clock, else by the database's, which may count in whole seconds."""
    moment = ended or (completed / 1000 if completed else None)
    return datetime.fromtimestamp(max(moment, started or 0.0), UTC) if moment else None


def _moment(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
