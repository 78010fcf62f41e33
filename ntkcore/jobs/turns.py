"""Turns: jobs of several people are taken one of each in turn, and who asked for a job is who may stop it.

A job's turn is a number; the queue takes the lowest one first, and of the same turn what was asked for first. A person's next job has the
turn after their last one that still waits, and none before the turn that is under way: start-time fair queueing (Goyal, Vin and Cheng
1996) with every job of the same length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dbos import WorkflowStatus

from ntkcore.errors import AtlasError

LAST = 2**31 - 1  # the highest turn that the queue has


@dataclass(frozen=True, slots=True)
class Asker:
    """Whoever asks for a job: the id of a person, as others read them, and how many jobs of theirs may wait (0: any number)."""

    person: str
    name: str
    waiting: int = 0


class Guard(Protocol):
    """Who may do what with jobs."""

    def start(self, kind: str) -> Asker:
        """Whoever asks for a job of a kind.

        Raises:
            AtlasError: they may not.
        """
        ...

    def stop(self, owner: Asker | None, title: str) -> None:
        """Whoever asks stops a job, or takes it off the list; its owner is None where nobody knows.

        Raises:
            AtlasError: they may not.
        """
        ...


class Open:
    """Everybody may do everything, as one person."""

    def start(self, kind: str) -> Asker:
        """The one person."""
        return Asker("local", "")

    def stop(self, owner: Asker | None, title: str) -> None:
        """Allowed."""


def turn(person: str, there: Sequence[WorkflowStatus], owners: Mapping[str, Asker]) -> int:
    """The turn of a person's next job.

    Args:
        there: the jobs of the queue that wait or run.
        owners: of these, by their ids.
    """
    running = [status.priority or 0 for status in there if status.status == "PENDING"]
    waiting = [status.priority or 0 for status in there if status.status != "PENDING"]
    under_way = max(running) if running else min(waiting, default=0)
    theirs = [status.priority or 0 for status in there if _is_of(person, status, owners)]
    return min(max(under_way, max(theirs, default=0) + 1, 1), LAST)


def require_room(asker: Asker, there: Sequence[WorkflowStatus], owners: Mapping[str, Asker]) -> None:
    """Refuse one more job of a person who has as many waiting as one may have.

    Raises:
        AtlasError: says so.
    """
    if asker.waiting and room(asker, there, owners) <= 0:
        raise AtlasError(
            f"{asker.waiting} jobs of yours are waiting, as many as one person may have on this server.",
            "Wait until one has run, or cancel one.",
        )


def room(asker: Asker, there: Sequence[WorkflowStatus], owners: Mapping[str, Asker]) -> int:
    """How many more jobs of a person may wait."""
    return asker.waiting - sum(status.status != "PENDING" and _is_of(asker.person, status, owners) for status in there)


def _is_of(person: str, status: WorkflowStatus, owners: Mapping[str, Asker]) -> bool:
    owner = owners.get(status.workflow_id)
    return owner is not None and owner.person == person
