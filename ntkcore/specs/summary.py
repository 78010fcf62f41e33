"""What can be dropped: the list to keep, and the study of what dropping costs over several draws (Unique-info §6, A.4)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ntkcore.specs.base import ModelSpec, Spec, TrainingSpec, Written
from ntkcore.specs.detection import MOST_SEEDS
from ntkcore.specs.influence import LARGEST_RIDGE, InfluenceSpec

LARGEST_DROP = 99
"""Percent of the images that may go at most."""
MOST_HELD_OUT = 10_000

Percent = Annotated[int, Field(ge=1, le=LARGEST_DROP)]
Step = Annotated[float, Field(gt=0.0, le=50.0, allow_inf_nan=False)]


class DropView(Spec):
    """The list to keep and the settings of the study; part of a link, never of a key. Shares are in percent of the training images."""

    share: int = Field(50, ge=0, le=LARGEST_DROP, description="percent of the images that the list drops")
    show: Literal["goes", "stays"] = Field("goes", description="images shown")
    judge: Literal["kernel", "network"] = Field("kernel", description="what is trained on the images kept, in the chart")
    step: Step = Field(5.0, description="percent of the images dropped between two scores")
    seeds: int | None = Field(
        None, ge=1, le=MOST_SEEDS, description="draws of images in the study; None: 5, or as many as ten minutes allow"
    )
    shares: Annotated[tuple[Percent, ...], Written("numbers")] = Field(
        (10, 20, 30, 40, 50, 60, 70, 80, 90), description="percents dropped in the study"
    )
    test: int | None = Field(
        None, ge=1, le=MOST_HELD_OUT, description="images the study is judged by; None: as many as are held out, or as are left"
    )
    model: ModelSpec | None = Field(None, description="a network that is trained on the images kept; None: kernel regression alone")
    training: TrainingSpec = TrainingSpec()
    retrained: Annotated[tuple[Percent, ...], Written("numbers")] = Field((50, 80), description="percents dropped at which it is trained")


class SummaryStudySpec(Spec):
    """Test accuracy after dropping more and more training images, in several orders, over several draws.

    The images that F-SI is a mean over and those that accuracy is judged by are different: ``influence.test`` and ``test`` images that
    follow each other in the draw. Draw s has the data set's seed + s, and the network trained anew the seeds of its own + s.
    """

    influence: InfluenceSpec
    test: int = Field(ge=1, le=MOST_HELD_OUT, description="images that accuracy is judged by")
    ridge: float = Field(ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ")
    time: float | None = Field(None, ge=1e-12, le=1e12, allow_inf_nan=False, description="τ of gradient flow; None: the end of training")
    step: Step = 5.0
    seeds: int = Field(5, ge=1, le=MOST_SEEDS)
    shares: tuple[Percent, ...] = Field(min_length=1)
    model: ModelSpec | None = None
    training: TrainingSpec | None = None
    retrained: tuple[Percent, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "SummaryStudySpec":
        dataset = self.influence.dataset
        for name in ("shares", "retrained"):
            if list(given := getattr(self, name)) != sorted(set(given)):
                raise ValueError(f"{name}: give different percents in ascending order")
        if round(self.points[1] / 100 * dataset.n) < 1:
            raise ValueError(f"shares: {self.points[1]} % of {dataset.n} images is none; begin with more, or draw more images")
        if self.influence.test + self.test > MOST_HELD_OUT:
            raise ValueError(
                f"test: {self.influence.test:,} images are held out already, and {MOST_HELD_OUT:,} may be in all; "
                f"judge by {MOST_HELD_OUT - self.influence.test:,} or fewer"
            )
        given = (self.model is not None, self.training is not None, bool(self.retrained))
        if len(set(given)) > 1:
            raise ValueError("model: a network needs a training and percents at which it is trained, and only a network has them")
        if self.training is not None and not self.training.epochs:
            raise ValueError("training: without any epoch the network learns nothing; choose at least one")
        seeds = [dataset.seed, *([self.model.seed] if self.model else []), *([self.training.seed] if self.training else [])]
        if max(seeds) + self.seeds > 2**31:
            raise ValueError("seeds: the last of them would be too large a number; choose a smaller first seed")
        return self

    @property
    def points(self) -> tuple[int, ...]:
        """Percents dropped, ascending, 0 among them."""
        return (0, *sorted({*self.shares, *self.retrained}))

    @property
    def draws(self) -> tuple[InfluenceSpec, ...]:
        """The analysis of each draw: its first held-out images are those that F-SI is a mean over, the others judge."""
        first = self.influence
        return tuple(
            first.model_copy(
                update={
                    "dataset": first.dataset.model_copy(update={"seed": first.dataset.seed + s}),
                    "test": first.test + self.test,
                }
            )
            for s in range(self.seeds)
        )
