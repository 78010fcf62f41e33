"""A study: one question asked of several pieces (seeds, architectures, removals), each stored as soon as it is done.

What runs it, resumes it and opens it is the same for all. Its pieces have arrays of equal shapes, stored with the piece as their first
axis, so that an interrupted study goes on with those that are missing. A piece that takes long may leave on the way what it goes on from.
"""

import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from pydantic import ValidationError

from ntkcore.analyses.analysis import Analysis, V
from ntkcore.analyses.drafts import one_device
from ntkcore.analyses.progress import STUDY, PieceReporter, Reporter, Stage
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.short import short
from ntkcore.specs import Spec, faults
from ntkcore.store import Artifact, Draft

S = TypeVar("S", bound=Spec)
Shapes = Mapping[str, tuple[int, ...]]


class Study(Analysis[S, V, "Pieces[S]"]):
    """An analysis made of equal pieces; it says how many there are, the arrays of each, and how one is computed."""

    @abstractmethod
    def pieces(self, spec: S) -> int:
        """How many there are."""

    @abstractmethod
    def shapes(self, spec: S, ws: Workspace) -> Shapes:
        """Name and shape of each array of one piece; all pieces have the same, so that what one lacks is NaN."""

    @abstractmethod
    def piece(self, spec: S, number: int, ws: Workspace, reporter: PieceReporter) -> Mapping[str, np.ndarray]:
        """The arrays of piece ``number``, from 0; they are stored as float64. Progress is told by ``reporter.tell``."""

    def run(self, spec: S, part: int, ws: Workspace, reporter: Reporter) -> None:
        """Compute the pieces that are not stored yet; finished ones stay when it is interrupted."""
        started = time.monotonic()
        count = self.pieces(spec)
        reporter.plan([Stage(STUDY, "pieces", count, self.forecast(spec, ws).seconds)])
        with ws.store.draft(self.kind, self.key(spec, ws), self.identity(spec), waiting=lambda: reporter.report(STUDY, 0)) as draft:
            if draft is None:
                return
            shapes = self.shapes(spec, ws)
            one_device(draft, reporter, (*shapes, *(_Unfinished.of(number) for number in range(count))))
            for name, shape in shapes.items():
                draft.create(name, (count, *shape), "float64", (1, *shape))
            missing = sorted({tile[0] for name in shapes for tile in draft.missing(name)})
            for number in missing:
                inner = PieceReporter(reporter, STUDY, number, _Unfinished(draft, number))
                inner.tell(0.0)
                found = self.piece(spec, number, ws, inner)
                for name, shape in shapes.items():
                    values = np.asarray(found[name], dtype=np.float64)
                    assert values.shape == shape, f"{self.kind}: {name} is {values.shape}, not {shape}"
                    draft.write(name, (number,) + (0,) * len(shape), values[None])
            for number in range(count):  # also of those that were written when an earlier attempt was interrupted
                draft.drop(_Unfinished.of(number))
            draft.publish({"seconds": time.monotonic() - started, "device": reporter.device})
        reporter.report(STUDY, count)
        ws.store.evict()

    def load(self, artifact: Artifact, spec: S, ws: Workspace) -> "Pieces[S]":
        """The stored study."""
        arrays = {name: artifact.read(name) for name in self.shapes(spec, ws)}
        info = artifact.info
        return Pieces(spec, artifact.key, arrays, info["created"], info["seconds"], info["device"])


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """What a piece leaves with the draft until all are done (:class:`~ntkcore.analyses.progress.Kept`)."""

    draft: Draft
    number: int

    @staticmethod
    def of(number: int) -> str:
        """What it is called there."""
        return f"unfinished-{number}"

    def get(self) -> bytes | None:
        return self.draft.get_blob(self.of(self.number))

    def put(self, data: bytes) -> None:
        self.draft.put_blob(self.of(self.number), data)


@dataclass(frozen=True, slots=True, eq=False)
class Pieces(Generic[S]):
    """A study's result.

    Attributes:
        spec, key: what was asked for, and its key.
        arrays: name to (pieces, ...) float64.
        created, seconds, device: when (UTC, ISO 8601), how long and on what it was computed; seconds of the last attempt.
    """

    spec: S
    key: str
    arrays: Mapping[str, np.ndarray]
    created: str
    seconds: float
    device: str

    __repr__ = short

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(values.nbytes for values in self.arrays.values())

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]


def unasked(error: ValidationError, remedy: str, said: str = "{}.") -> SpecError:
    """Why a choice asks for no study: the first thing that the study's specification finds wrong.

    Args:
        remedy: what to choose instead, a sentence.
        said: the sentence around it, when that does not stand alone.
    """
    fault = faults(error)[0]
    named, _, rest = fault.partition(": ")
    fault = rest or named  # a field's name is no word for people
    text = said.format(fault)
    return SpecError(text[0].upper() + text[1:], remedy)
