"""The result of the convergence analysis."""

from dataclasses import dataclass

from ntkcore.analyses.convergence.comparison import Comparison
from ntkcore.analyses.convergence.timing import Timing
from ntkcore.short import short
from ntkcore.specs.convergence import ConvergenceSpec


@dataclass(frozen=True, slots=True)
class ConvergenceResult:
    """A convergence analysis, as far as it is computed.

    Attributes:
        spec, key: what was asked for, and its key.
        points: the comparisons in the order of ``spec.points()``; None where not computed yet.
        timing: seconds per pair over outputs and depth; None until everything else is done.
        class_names: the classes; () until a comparison is there.
        warnings: what a reader should know, each with how many comparisons it concerns.
        created, seconds, device: when (UTC, ISO 8601) the whole was finished, how long the last job took, and on what; "" and 0
            until then.
    """

    spec: ConvergenceSpec
    key: str
    points: tuple[Comparison | None, ...]
    timing: Timing | None
    class_names: tuple[str, ...]
    warnings: tuple[str, ...]
    created: str
    seconds: float
    device: str

    __repr__ = short

    @property
    def ready(self) -> int:
        """How many comparisons are there."""
        return sum(point is not None for point in self.points)

    @property
    def complete(self) -> bool:
        """Whether everything is there."""
        return self.ready == len(self.points) and self.timing is not None

    @property
    def nbytes(self) -> int:
        """Bytes of its own; each comparison is kept for itself."""
        return 0
