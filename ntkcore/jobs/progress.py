"""How far a job is and how long it will take: planned seconds before, measured rates while it runs."""

import threading
from collections import deque
from collections.abc import Iterable
from typing import TypedDict

_WINDOW = 20.0  # seconds of reports the rate is measured over
_PACE = (0.1, 10.0)  # bounds on measured seconds per planned second


class Snapshot(TypedDict):
    """Progress as JSON."""

    stage: str
    done: float
    total: float
    fraction: float
    rate: float | None
    unit: str
    eta: float | None


class _Stage:
    def __init__(self, name: str, unit: str, total: float, seconds: float) -> None:
        self.name, self.unit, self.total, self.seconds = name, unit, float(total), float(seconds)
        self.done = 0.0
        self.first: tuple[float, float] | None = None  # time and amount of the first report: what was there on resuming
        self.recent: deque[tuple[float, float]] = deque()

    def report(self, done: float, now: float) -> None:
        self.done = done
        if self.first is None:
            self.first = (now, done)
        if len(self.recent) < 2 or now - self.recent[-2][0] >= 0.1:
            self.recent.append((now, done))
        else:
            self.recent[-1] = (now, done)
        while len(self.recent) > 2 and now - self.recent[1][0] > _WINDOW:
            self.recent.popleft()

    @property
    def share(self) -> float:
        """Finished share, 0 to 1."""
        return min(max(self.done / self.total, 0.0), 1.0) if self.total > 0 else 1.0

    @property
    def rate(self) -> float | None:
        """Units per second over the last reports."""
        if len(self.recent) < 2:
            return None
        (start, before), (end, after) = self.recent[0], self.recent[-1]
        return (after - before) / (end - start) if end > start and after > before else None

    @property
    def measured(self) -> tuple[float, float]:
        """Seconds it took so far in this run, and the planned seconds of what was done in them."""
        if self.first is None:
            return 0.0, 0.0
        start, before = self.first
        return self.recent[-1][0] - start, self.seconds * max(self.done - before, 0.0) / self.total if self.total > 0 else 0.0


class Progress:
    """Stages one after another, in the planned order; may be reported from one thread and read from another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: list[_Stage] = []
        self._current = -1

    def plan(self, stages: Iterable[tuple[str, str, float, float]]) -> None:
        """Set the stages: ``(name, unit, total, planned seconds)``; names must differ."""
        planned = [_Stage(*stage) for stage in stages]
        if len({stage.name for stage in planned}) != len(planned):
            raise ValueError("stages: two have the same name")
        with self._lock:
            self._stages, self._current = planned, -1

    def total(self, name: str) -> float:
        """Planned total of a stage."""
        return self._stages[self._find(name)].total

    def report(self, name: str, done: float, now: float) -> None:
        """``done`` of the stage's total are finished at time ``now`` (seconds on any steady clock)."""
        at = self._find(name)
        with self._lock:
            self._current = at
            self._stages[at].report(float(done), now)

    def snapshot(self, now: float) -> Snapshot:
        """Where it stands at time ``now``; stages before the current one count as finished."""
        with self._lock:
            if not self._stages:
                return Snapshot(stage="", done=0.0, total=0.0, fraction=0.0, rate=None, unit="", eta=None)
            planned = sum(stage.seconds for stage in self._stages)
            if self._current < 0:
                first = self._stages[0]
                eta = planned if planned > 0 else None
                return Snapshot(stage="", done=0.0, total=first.total, fraction=0.0, rate=None, unit=first.unit, eta=eta)
            stage = self._stages[self._current]
            return Snapshot(
                stage=stage.name,
                done=stage.done,
                total=stage.total,
                fraction=self._fraction(planned),
                rate=stage.rate,
                unit=stage.unit,
                eta=self._eta(stage, now),
            )

    def _fraction(self, planned: float) -> float:
        weights = [stage.seconds if planned > 0 else 1.0 for stage in self._stages]
        shares = [1.0 if at < self._current else stage.share for at, stage in enumerate(self._stages)]
        shares[self._current + 1 :] = [0.0] * (len(shares) - self._current - 1)
        return sum(weight * share for weight, share in zip(weights, shares, strict=True)) / sum(weights)

    def _eta(self, stage: _Stage, now: float) -> float:
        spent, worth = map(sum, zip(*(stage.measured for stage in self._stages), strict=True))
        pace = min(max(spent / worth, _PACE[0]), _PACE[1]) if spent > 0 and worth > 0 else 1.0
        left = stage.seconds * (1 - stage.share) * pace
        if stage.rate is not None and stage.total > stage.done:
            left = (stage.total - stage.done) / stage.rate
        since = now - stage.recent[-1][0]
        return max(left - since, 0.0) + pace * sum(later.seconds for later in self._stages[self._current + 1 :])

    def _find(self, name: str) -> int:
        for at, stage in enumerate(self._stages):
            if stage.name == name:
                return at
        raise ValueError(f"stage: {name!r} is not planned; planned are {[stage.name for stage in self._stages]}")
