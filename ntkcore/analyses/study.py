"""A study: one question asked of several pieces (seeds, architectures, removals), each stored as soon as it is done.

What runs it, resumes it and opens it is the same for all. Its pieces have arrays of equal shapes, stored with the piece as their first
axis, so that an interrupted study goes on with those that are missing.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from ntkcore.analyses.analysis import Analysis, V
from ntkcore.analyses.drafts import one_device
from ntkcore.analyses.progress import STUDY, Reporter, Stage
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs import Spec
from ntkcore.store import Artifact

S = TypeVar("S", bound=Spec)
Shapes = Mapping[str, tuple[int, ...]]


class PartReporter:
    """The reporter of one part: whatever it plans or reports in between only asks whether to go on; :meth:`tell` is its progress."""

    def __init__(self, to: Reporter, part: int) -> None:
        self._to, self._part, self._told = to, part, 0.0
        self.device, self.warn = to.device, to.warn

    def tell(self, fraction: float) -> None:
        """So much of the part is done, 0 to 1."""
        self._told = min(max(fraction, self._told), 1.0)
        self._to.report(STUDY, self._part + self._told)

    def plan(self, stages: Sequence[tuple[str, str, float, float]]) -> None:
        """Nothing: the study's stages are announced."""

    def report(self, stage: str, done: float) -> None:
        """Go on, or raise ``Cancelled``."""
        self._to.report(STUDY, self._part + self._told)

    def progress(self, stage: str) -> Callable[[int, int], None]:
        """A callback that does as :meth:`report`."""
        return lambda done, total: self.report(stage, 0.0)

    def share(self, first: float, last: float) -> Callable[[int, int], None]:
        """A ``progress(done, total)`` callback that tells the fractions from ``first`` to ``last``."""
        return lambda done, total: self.tell(first + (last - first) * done / max(total, 1))


class Study(Analysis[S, V, "Parts[S]"]):
    """An analysis made of equal pieces; it says how many there are, the arrays of each, and how one is computed."""

    @abstractmethod
    def count(self, spec: S) -> int:
        """How many pieces there are."""

    @abstractmethod
    def shapes(self, spec: S, ws: Workspace) -> Shapes:
        """The arrays of one piece."""

    @abstractmethod
    def piece(self, spec: S, number: int, ws: Workspace, reporter: PartReporter) -> Mapping[str, np.ndarray]:
        """The arrays of piece ``number`` of ``range(count)``, stored as float64."""

    def run(self, spec: S, part: int, ws: Workspace, reporter: Reporter) -> None:
        """Compute the pieces that are not stored yet; finished ones stay when it is interrupted."""
        started = time.monotonic()
        count = self.count(spec)
        reporter.plan([Stage(STUDY, "parts", count, self.forecast(spec, ws).seconds)])
        with ws.store.draft(self.kind, self.key(spec, ws), self.identity(spec), waiting=lambda: reporter.report(STUDY, 0)) as draft:
            if draft is None:
                return
            shapes = self.shapes(spec, ws)
            one_device(draft, reporter, tuple(shapes))
            for name, shape in shapes.items():
                draft.create(name, (count, *shape), "float64", (1, *shape))
            missing = sorted({tile[0] for name in shapes for tile in draft.missing(name)})
            for number in missing:
                inner = PartReporter(reporter, number)
                inner.tell(0.0)
                found = self.piece(spec, number, ws, inner)
                for name, shape in shapes.items():
                    values = np.asarray(found[name], dtype=np.float64)
                    assert values.shape == shape, f"{self.kind}: {name} is {values.shape}, not {shape}"
                    draft.write(name, (number,) + (0,) * len(shape), values[None])
            draft.publish({"seconds": time.monotonic() - started, "device": reporter.device})
        reporter.report(STUDY, count)
        ws.store.evict()

    def load(self, artifact: Artifact, spec: S, ws: Workspace) -> "Parts[S]":
        """The stored study."""
        arrays = {name: artifact.read(name) for name in self.shapes(spec, ws)}
        info = artifact.info
        return Parts(spec, artifact.key, arrays, info["created"], info["seconds"], info["device"])


@dataclass(frozen=True, slots=True, eq=False)
class Parts(Generic[S]):
    """A study's result.

    Attributes:
        spec, key: what was asked for, and its key.
        arrays: name to (parts, ...) float64.
        created, seconds, device: when (UTC, ISO 8601), how long and on what it was computed; seconds of the last attempt.
    """

    spec: S
    key: str
    arrays: Mapping[str, np.ndarray]
    created: str
    seconds: float
    device: str

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(values.nbytes for values in self.arrays.values())

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]
