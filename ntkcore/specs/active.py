"""What the active learning study computes, and what of it is looked at (Thesis ch. 2; SCIENCE §8)."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ntkcore.specs.base import DatasetSpec, ModelSpec, Spec, TrainingSpec, with_rate
from ntkcore.specs.influence import CHAINS, LARGEST_RIDGE

STRATEGIES: dict[str, str] = {
    "random": "Random",
    "entropy": "Entropy",
    "margin": "Margin",
    "least-confident": "Least confident",
    "badge": "BADGE",
    "core-set": "Core-set",
    "max-herding": "MaxHerding",
    "uherding": "UHerding",
    "lookahead": "Look-ahead (pNTK)",
    "lookahead-emoc": "Look-ahead (expected change)",
    "lookahead-eer": "Look-ahead (expected error)",
    "lookahead-flips": "Look-ahead (flips)",
    "lookahead-first": "Look-ahead (first logit)",
    "lookahead-full": "Look-ahead (full eNTK)",
    "step": "One step of SGD",
    "infinite": "Look-ahead (infinite NTK)",
    "gp": "GP (infinite NTK)",
    "naive": "Naive retraining",
    "loss-prediction": "LL4AL (predicted loss)",
    "oracle": "Oracle",
}
"""The strategies by their names in an address, each with what it is called; the order in which charts and tables have them."""

CEILING = "oracle"
"""The one that no strategy could follow, since it knows the labels: shown with the others, and compared with none."""
MOST_SEEDS = 50
START, QUERY, CYCLES = 100, 20, 10
"""The thesis's protocol on MNIST: labelled at first, labels a cycle; and how many cycles."""
_EPOCHS = 60  # of some hundred images; by then the squares of those are fitted

Strategies = Annotated[tuple[str, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Protocol:
    """How many images have a label at first, how many more in each cycle, and how many cycles there are."""

    start: int
    query: int
    cycles: int

    @property
    def labels(self) -> tuple[int, ...]:
        """(cycles + 1,) labels at which the network is trained."""
        return tuple(self.start + cycle * self.query for cycle in range(self.cycles + 1))


class ActiveSpec(Spec):
    """Pool-based active learning with labels that are known: strategies compete on the same starts, draws and initialisations.

    Seed s of the study has the network's and the training's seeds + s, and a start and draws of its own; the images are the same for all.
    """

    dataset: DatasetSpec = DatasetSpec()
    test: int = Field(500, ge=2, le=10_000, description="images held out, by which accuracy is measured")
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec(epochs=_EPOCHS)
    strategies: Strategies = Field(("random", "margin", "lookahead"), description=f"strategies that compete, of: {', '.join(STRATEGIES)}")
    start: int | None = Field(None, ge=2, description=f"images labelled at first; None: {START}, or a quarter of all where that is fewer")
    balanced: bool = Field(False, description="the first labelled images are as many of each class, rather than drawn at random")
    query: int | None = Field(None, ge=1, description=f"labels asked for in a cycle; None: {QUERY}, or fewer where there are few images")
    cycles: int | None = Field(None, ge=1, le=200, description=f"cycles; None: {CYCLES}, or as many as there are images for")
    pool: int = Field(4000, ge=2, le=20_000, description="candidates drawn from the unlabelled images in each cycle; all of fewer")
    seeds: int = Field(6, ge=1, le=MOST_SEEDS, description="repeats, each with another start, draw and initialisation")
    warm: bool = Field(False, description="training goes on from the last cycle's network, rather than from a new one")
    sequential: bool = Field(False, description="look-ahead is told each label before it chooses the next, not all of a cycle at once")
    ridge: float = Field(1e-2, ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ of looking ahead, absolute")
    reference: Literal["linear", "network"] = Field(
        "linear", description="what a prediction's change is measured from: the linearised network, or, as eq. 2.13 has it, the trained one"
    )
    probabilities: Literal["simplex", "softmax"] = Field(
        "simplex", description="how outputs become probabilities: the nearest point of the simplex, or softmax"
    )
    points: int = Field(
        500,
        ge=1,
        le=20_000,
        description="candidates that expected error and change by one step are summed over, drawn at random",
    )
    drawn: int = Field(50, ge=1, le=20_000, description="candidates that naive retraining trains with, drawn at random")
    batches: int = Field(100, ge=1, le=10_000, description="random batches of which the oracle takes the best")
    dtype: Literal["float32", "float64"] = Field("float32", description="precision of the kernels; all is solved in float64")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        """The epochs are more than elsewhere, as there are few images."""
        return with_rate(given, epochs=_EPOCHS)

    @model_validator(mode="after")
    def _consistent(self) -> "ActiveSpec":
        if unknown := [name for name in self.strategies if name not in STRATEGIES]:
            raise ValueError(f"strategies: there is no {unknown[0][:40]!r}; choose from {', '.join(STRATEGIES)}")
        if len(set(self.strategies)) != len(self.strategies):
            raise ValueError("strategies: name each of them once")
        if self.fault:
            raise ValueError(self.fault)
        infinite = [name for name in self.strategies if name in ("infinite", "gp")]
        if infinite and (self.model.architecture not in CHAINS or self.model.weights != "random"):
            raise ValueError(f"strategies: {infinite[0]} needs a network that is not pretrained, and one of {', '.join(CHAINS)}")
        if self.model.head_start == "ridge":
            raise ValueError("head: one that is fitted on all labels would know those that are still to be asked for; choose another start")
        if not self.training.epochs:
            raise ValueError("training: without any epoch the network learns nothing; choose at least one")
        if max(self.dataset.seed, self.model.seed, self.training.seed) + self.seeds > 2**31:
            raise ValueError("seeds: the last of them would be too large a number; choose a smaller first seed")
        return self

    @property
    def fault(self) -> str:
        """What is contradictory about its numbers, a sentence; "" when nothing. Other images may make it so later."""
        held, n = self.protocol, self.dataset.n
        if held.query > self.pool:
            return f"A cycle asks for {held.query:,} labels and draws {self.pool:,} candidates: draw as many as are asked for, at least."
        if held.labels[-1] > n:
            return (
                f"{held.start:,} images labelled at first and {held.cycles:,} cycles of {held.query:,} make {held.labels[-1]:,} labels, "
                f"and there are {n:,} images: everything would be labelled before the end."
            )
        return ""

    @property
    def protocol(self) -> Protocol:
        """The numbers that were chosen, or those that fit the images where they were not."""
        n = self.dataset.n
        start = min(START, max(2, n // 4)) if self.start is None else self.start
        left = max(1, n - start)
        query = min(QUERY, max(1, left // (2 * CYCLES))) if self.query is None else self.query
        cycles = min(CYCLES, max(1, left // query)) if self.cycles is None else self.cycles
        return Protocol(start, query, cycles)


class ActiveView(Spec):
    """What of a study is looked at; part of a link, never of a key."""

    level: float | None = Field(
        None, ge=0.0, le=100.0, description="percent of the held-out images right that labels are counted for; None: what random reaches"
    )
    cycle: int | None = Field(None, ge=1, description="cycle whose choices are shown and that is compared after; None: the middle one")
    only: tuple[str, ...] = Field((), description="strategies in charts and galleries; () shows all")
    repeat: int = Field(0, ge=0, lt=MOST_SEEDS, description="repeat whose choices are shown, from 0 on")
    image: int | None = Field(None, ge=0, description="image open in the inspector")
