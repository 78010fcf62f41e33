"""What a handler gets while it computes."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from ntkcore.errors import Cancelled
from ntkcore.jobs.progress import Progress


class JobContext:
    """A running job as its handler sees it.

    Attributes:
        device: device to compute on: ``"cpu"``, ``"cuda:0"``.
        job: the job's id.
    """

    def __init__(self, device: str, job: str) -> None:
        self.device, self.job = device, job
        self._progress = Progress()
        self._warnings: list[str] = []
        self._stopped = threading.Event()

    def plan(self, stages: Sequence[tuple[str, str, float, float]]) -> None:
        """Announce the stages in their order: ``(name, unit, total, planned seconds)``.

        Raises:
            Cancelled: see :meth:`check`.
        """
        self.check()
        self._progress.plan(stages)

    def report(self, stage: str, done: float) -> None:
        """``done`` of the stage's total are finished. Costs microseconds: report often, so that a cancel is seen soon.

        Raises:
            Cancelled: see :meth:`check`.
            ValueError: the stage was not planned.
        """
        self.check()
        self._progress.report(stage, done, time.monotonic())

    def progress(self, stage: str) -> Callable[[int, int], None]:
        """A ``progress(done, total)`` callback that reports the same share of ``stage``, whatever it counts."""

        def tell(done: int, total: int) -> None:
            self.report(stage, self._progress.total(stage) * done / total if total else 0.0)

        return tell

    def warn(self, text: str) -> None:
        """Tell the user something about the result; the same text is kept once."""
        self.check()
        if text not in self._warnings:
            self._warnings.append(text)

    def check(self) -> None:
        """Go on, or stop here.

        Raises:
            Cancelled: the user cancelled the job, or another worker has taken it over.
        """
        if self._stopped.is_set():
            raise Cancelled

    def stop(self) -> None:
        """Make every further call raise ``Cancelled``."""
        self._stopped.set()

    def snapshot(self) -> dict[str, Any]:
        """Progress and warnings as JSON."""
        return {**self._progress.snapshot(time.monotonic()), "warnings": list(self._warnings)}
