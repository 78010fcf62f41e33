"""What is told about jobs and workers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Status = Literal["queued", "running", "cancelling", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class JobState:
    """One job at one moment; times in UTC.

    Attributes:
        id: the key of what it computes.
        kind: which handler computes it; "" where the list of jobs is damaged.
        queue: where it waits, or waited.
        stage, stage_done, stage_total: what it is doing, how much of that is done, of how much.
        fraction: how much of everything is done, 0 to 1, stages weighted by their planned seconds.
        rate, rate_unit: ``rate_unit`` of the stage done per second, or None before it is known.
        eta_seconds: seconds left, or None before they are known.
        message, remedy: why it failed and what to do; for a queued job whose worker was lost, that it goes on.
        warnings: what the user should know about the result.
        deaths: how often its worker died while computing it.
        worker: id of the worker that has it, or had it last.
        payload: what was asked for; ``result``: what its handler returned.
        owner: id of the person whose it is; "" where nobody knows. ``owner_name``: as others read them.
    """

    id: str
    kind: str
    title: str
    queue: str
    status: Status
    stage: str
    stage_done: float
    stage_total: float
    fraction: float
    rate: float | None
    rate_unit: str
    eta_seconds: float | None
    message: str
    remedy: str
    warnings: tuple[str, ...]
    created: datetime | None
    started: datetime | None
    finished: datetime | None
    deaths: int
    worker: str
    payload: dict[str, Any]
    result: dict[str, Any]
    owner: str = ""
    owner_name: str = ""

    @property
    def active(self) -> bool:
        """Whether it still waits, runs or is stopping."""
        return self.status in ("queued", "running", "cancelling")

    @property
    def readable(self) -> bool:
        """Whether the list of jobs still says what it is."""
        return bool(self.kind)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a queued job waits for.

    Attributes:
        ahead: titles of the jobs before it, the running ones first.
        seconds: about how long they take, or None where nobody knows.
        served: whether a worker lives that will take it.
    """

    ahead: tuple[str, ...]
    seconds: float | None
    served: bool


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker process; ``lane``: what it takes; ``job``: id of the job it computes, or None; ``started`` in UTC."""

    id: str
    host: str
    device: str
    lane: str
    pid: int
    alive: bool
    job: str | None
    started: datetime
