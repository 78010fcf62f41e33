"""A reporter for tests: remembers what it was told, and cancels or dies where a test wants it to."""

from collections.abc import Callable, Sequence

from ntkcore.errors import Cancelled


class Recording:
    """Implements the progress protocol; ``stop_at`` (stage, done) raises ``Cancelled`` there."""

    def __init__(self, stop_at: tuple[str, float] | None = None, device: str = "cpu") -> None:
        self.device = device
        self.stages: dict[str, float] = {}
        self.reports: list[tuple[str, float]] = []
        self.warnings: list[str] = []
        self._stop_at = stop_at

    def plan(self, stages: Sequence[tuple[str, str, float, float]]) -> None:
        self.stages = {name: total for name, _, total, _ in stages}

    def report(self, stage: str, done: float) -> None:
        self.reports.append((stage, done))
        if self._stop_at and stage == self._stop_at[0] and done >= self._stop_at[1]:
            raise Cancelled

    def progress(self, stage: str) -> Callable[[int, int], None]:
        return lambda done, total: self.report(stage, self.stages.get(stage, 0) * done / max(total, 1))

    def warn(self, text: str) -> None:
        self.warnings.append(text)
