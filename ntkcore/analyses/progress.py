"""What a long computation tells while it runs; a job's context and the command line both implement it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from ntkcore.specs.convergence import ComparisonSpec

# Names of the stages, in the order in which they run.
IMAGES, TRAINING, SCORES = "Reading images", "Training", "Scores k(x,x)"
KERNEL, SPECTRUM, DYNAMICS = "Full kernel", "Spectrum", "Coupled dynamics"
STATISTICS = "Statistics"
KERNELS = {"pseudo": "Pseudo-NTK", "first": "First-logit kernel", "full": KERNEL}
COMPARISON, TIMING = "Comparison", "Timing"
RETRAINING = "Retraining"
GRADIENTS, LISSA = "Conjugate gradients", "LiSSA"
PAIRS = "Kernel"  # of training images with each other and with held-out ones
STUDY = "Study"
LOOKS = "Hashes of the images"


class Stage(NamedTuple):
    """One stage of a computation: its name, what it counts, how many of them, and the seconds it is expected to take."""

    name: str
    unit: str
    total: float
    seconds: float


def of_point(stage: str, point: ComparisonSpec) -> str:
    """The stage of one network of many, at one epoch; training is one stage of a network."""
    at = "" if stage == TRAINING else f", epoch {point.epoch}"
    return f"{stage} (width {point.model.width}, seed {point.model.seed}{at})"


class Reporter(Protocol):
    """Receives progress. Every method may raise ``Cancelled``."""

    @property
    def device(self) -> str:
        """Device to compute on: ``"cpu"``, ``"cuda:0"``."""
        ...

    def plan(self, stages: Sequence[tuple[str, str, float, float]]) -> None:
        """Announce the stages."""
        ...

    def report(self, stage: str, done: float) -> None:
        """``done`` of the stage's total are finished."""
        ...

    def progress(self, stage: str) -> Callable[[int, int], None]:
        """A ``progress(done, total)`` callback for the core that reports to ``stage``."""
        ...

    def warn(self, text: str) -> None:
        """Something the user should know about the result."""
        ...


class Planned:
    """A reporter for work whose stages are announced already, because it is part of other work: what it announces is left out."""

    def __init__(self, to: Reporter) -> None:
        self._to = to

    @property
    def device(self) -> str:
        """As of the whole."""
        return self._to.device

    def plan(self, stages: Sequence[tuple[str, str, float, float]]) -> None:
        """Nothing: the stages are announced."""

    def report(self, stage: str, done: float) -> None:
        """As the whole does."""
        self._to.report(stage, done)

    def progress(self, stage: str) -> Callable[[int, int], None]:
        """As the whole does."""
        return self._to.progress(stage)

    def warn(self, text: str) -> None:
        """As the whole does."""
        self._to.warn(text)


class Named(Planned):
    """The reporter of an analysis that is made within another one's: its stages have that one's name for it before theirs."""

    def __init__(self, to: Reporter, name: str) -> None:
        super().__init__(to)
        self._name = name

    def report(self, stage: str, done: float) -> None:
        """Of the stage by its name there."""
        super().report(self.of(stage), done)

    def progress(self, stage: str) -> Callable[[int, int], None]:
        """Of the stage by its name there."""
        return super().progress(self.of(stage))

    def of(self, stage: str) -> str:
        """What a stage is called there."""
        return f"{self._name}: {stage}"


class Kept(Protocol):
    """Where an unfinished piece leaves what it would go on from."""

    def get(self) -> bytes | None:
        """What an interrupted attempt left last; None: nothing."""

    def put(self, data: bytes) -> None:
        """Leave this in place of it, all or nothing."""


class PieceReporter(Planned):
    """The reporter of one piece of a stage: whatever is reported on the way only asks whether to go on, :meth:`tell` is its progress.

    Args:
        to: of the whole.
        stage: the stage that is made of pieces, each 1 of its total.
        number: of the piece, from 0.
        kept: where the piece leaves what it would go on from; None: an interrupted piece is begun anew.
    """

    def __init__(self, to: Reporter, stage: str, number: int, kept: Kept | None = None) -> None:
        super().__init__(to)
        self._stage, self._number, self._told = stage, number, 0.0
        self._expected: dict[str, tuple[float, float, float]] = {}
        self.kept = kept

    def tell(self, fraction: float) -> None:
        """So much of the piece is done, 0 to 1; it never goes back. May raise ``Cancelled``."""
        self._told = min(max(fraction, self._told), 1.0)
        self._to.report(self._stage, self._number + self._told)

    def share(self, first: float, last: float) -> Callable[[int, int], None]:
        """A ``progress(done, total)`` callback that tells the fractions from ``first`` to ``last``."""
        return lambda done, total: self.tell(first + (last - first) * done / max(total, 1))

    def expect(self, stage: str, total: float, first: float, last: float) -> None:
        """From here on ``report`` of this stage, of so many in all, tells the fractions from ``first`` to ``last``."""
        self._expected[stage] = total, first, last

    def report(self, stage: str, done: float) -> None:
        """Tell what is expected of the stage, else nothing new; go on, or raise ``Cancelled``."""
        total, first, last = self._expected.get(stage, (1.0, 0.0, 0.0))
        self.tell(first + (last - first) * done / max(total, 1))

    def progress(self, stage: str) -> Callable[[int, int], None]:
        """A callback that does as :meth:`report`."""
        return lambda done, total: self.report(stage, self._expected.get(stage, (0.0,))[0] * done / max(total, 1))
