"""What the queue says of a job, told to people."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from dbos import WorkflowStatus

from ntkcore.jobs.book import Mark, WorkerRow
from ntkcore.jobs.queue import key_of_part
from ntkcore.jobs.state import JobState, Status

FORECAST = "seconds"
"""In a payload: what the job was expected to take."""
_LOST = "Its worker stopped; the job goes on from where it was as soon as a worker takes it."


def described(status: WorkflowStatus, mark: Mark | None, living: Mapping[str, WorkerRow], reported: Callable[[], Any]) -> JobState:
    """A job as people read it.

    Args:
        status: what the queue says.
        mark, living: whether a worker has it that lives.
        reported: asks for the progress that it last told.

    Raises:
        TypeError, ValueError, LookupError and their like: what the queue says is damaged.
    """
    kind, _, title, payload = status.input["args"]
    if not (isinstance(kind, str) and isinstance(title, str) and isinstance(payload, dict)):
        raise TypeError(f"{status.workflow_id}: arguments of other types")
    has_it = mark is not None and mark.run is not None and mark.instance in living
    outcome = status.output if status.status == "SUCCESS" and isinstance(status.output, dict) else {}
    progress = outcome.get("progress")
    if progress is None and (status.status in ("PENDING", "CANCELLED") or (mark is not None and mark.deaths)):
        progress = reported()
    progress = progress or {}
    lost = all(row.id != status.executor_id for row in living.values())
    state, message, remedy = _standing(status, outcome, has_it, lost)
    running = state in ("running", "cancelling")
    started = progress.get("started") or (status.dequeued_at / 1000 if status.dequeued_at else None)
    return JobState(
        id=key_of_part(status.workflow_id),
        kind=kind,
        title=title,
        queue=status.queue_name or "",
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


def left(state: JobState) -> float | None:
    """Seconds until a job ends that runs or waits; None where nobody knows."""
    if state.eta_seconds is not None:
        return state.eta_seconds
    forecast = state.payload.get(FORECAST)
    return forecast * (1.0 - state.fraction) if isinstance(forecast, int | float) else None


def unreadable(part: str) -> JobState:
    """A job of which the list of jobs says nothing that can be read."""
    return JobState(
        id=key_of_part(part),
        kind="",
        title="Damaged entry",
        queue="",
        status="failed",
        stage="",
        stage_done=0.0,
        stage_total=0.0,
        fraction=0.0,
        rate=None,
        rate_unit="",
        eta_seconds=None,
        message="What the list of jobs says of this job is damaged.",
        remedy="Compute it again: finished parts are kept.",
        warnings=(),
        created=None,
        started=None,
        finished=None,
        deaths=0,
        worker="",
        payload={},
        result={},
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
