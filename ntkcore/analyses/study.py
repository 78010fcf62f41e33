"""A study: one question asked of several parts (seeds, architectures, removals), each stored as soon as it is done.

A study is described by a :class:`Study`; what runs it, resumes it and opens it is the same for all. Its parts have arrays of equal shapes,
stored with the part as their first axis, so that an interrupted study goes on with the parts that are missing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import pandas as pd

from ntkcore.analyses.drafts import identity_of, one_device
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.progress import STUDY, Reporter, Stage
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.specs import InfluenceSpec, InformationView, Spec, key_of

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


@dataclass(frozen=True, slots=True)
class Study(Generic[S]):
    """What a study is.

    Attributes:
        kind, version: name of its artifacts and of its command, and of its method; raise the version when the numbers change.
        spec: its kind of specification.
        asked: the study that the information page's choice asks for; raises SpecError where there is none.
        table: the numbers, for people: a row for each thing that was measured.
        title: in words, for the list of jobs.
        content: hashes, or keys, of what the specification only names.
        parts: how many.
        shapes: the arrays of one part.
        forecast: what it takes on this machine; refuses what cannot fit.
        compute: one part's arrays, stored as float64; the part is ``range(parts)``'s.
    """

    kind: str
    version: int
    spec: type[S]
    asked: Callable[[InfluenceSpec, InformationView], S]
    table: Callable[["Parts[S]"], pd.DataFrame]
    title: Callable[[S, Workspace], str]
    content: Callable[[S, Workspace], Mapping[str, str]]
    parts: Callable[[S], int]
    shapes: Callable[[S, Workspace], Shapes]
    forecast: Callable[[S, Workspace], Forecast]
    compute: Callable[[S, int, Workspace, PartReporter], Mapping[str, np.ndarray]]

    def key(self, spec: S, ws: Workspace) -> str:
        """Key of the study, which is also the id of its job."""
        return key_of(self.kind, self.version, spec, self.content(spec, ws))

    def state(self, spec: S, ws: Workspace) -> str:
        """``"ready"``, ``"partial"`` or ``"absent"`` in the store."""
        return ws.store.state(self.kind, self.key(spec, ws))

    def run(self, spec: S, ws: Workspace, reporter: Reporter) -> None:
        """Compute the parts that are not stored yet; finished ones stay when it is interrupted.

        Raises:
            AtlasError: it cannot be had, or cannot fit; says why and what to do.
            Cancelled: the user cancelled.
        """
        started = time.monotonic()
        count = self.parts(spec)
        forecast = self.forecast(spec, ws)
        if forecast.refusal:
            raise SpecError(forecast.refusal, "Choose fewer images, or a smaller network.")
        reporter.plan([Stage(STUDY, "parts", count, forecast.seconds)])
        with ws.store.draft(
            self.kind, self.key(spec, ws), identity_of(spec, self.version), waiting=lambda: reporter.report(STUDY, 0)
        ) as draft:
            if draft is None:
                return
            shapes = self.shapes(spec, ws)
            one_device(draft, reporter, tuple(shapes))
            for name, shape in shapes.items():
                draft.create(name, (count, *shape), "float64", (1, *shape))
            missing = sorted({tile[0] for name in shapes for tile in draft.missing(name)})
            for part in missing:
                inner = PartReporter(reporter, part)
                inner.tell(0.0)
                found = self.compute(spec, part, ws, inner)
                for name, shape in shapes.items():
                    values = np.asarray(found[name], dtype=np.float64)
                    assert values.shape == shape, f"{self.kind}: {name} is {values.shape}, not {shape}"
                    draft.write(name, (part,) + (0,) * len(shape), values[None])
            draft.publish({"seconds": time.monotonic() - started, "device": reporter.device})
        reporter.report(STUDY, count)
        ws.store.evict()

    def open(self, spec: S, ws: Workspace) -> "Parts[S]":
        """The stored study, from memory when it is hot.

        Raises:
            StoreError: it is not stored; CorruptArtifact: it is damaged.
        """
        artifact = ws.store.open(self.kind, self.key(spec, ws))
        info = artifact.info

        def load() -> Parts[S]:
            arrays = {name: artifact.read(name) for name in self.shapes(spec, ws)}
            return Parts(spec, artifact.key, arrays, info["created"], info["seconds"], info["device"])

        return ws.hot.get((self.kind, artifact.key, info["created"]), load, lambda parts: 1 + sum(a.nbytes for a in parts.arrays.values()))


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

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]
