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
