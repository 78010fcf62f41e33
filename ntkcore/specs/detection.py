"""What is mislabelled: the score that images are ranked by, what was decided of them, and the study that flips labels (Unique-info §6)."""

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ntkcore.specs.base import Image, Spec, Written
from ntkcore.specs.influence import LARGEST_RIDGE, InfluenceSpec

Suspicion = Literal["information", "residual", "loss", "margin", "k_xx", "self"]

SUSPICIONS: dict[Suspicion, str] = {
    "information": "unique information F-SI",
    "residual": "leave-one-out residual",
    "loss": "its own loss",
    "margin": "minus its margin",
    "k_xx": "k(x, x)",
    "self": "self-influence",
}
"""Scores of which a higher one makes a label more suspicious."""
MOST_SEEDS = 50


class LabelsView(Spec):
    """The review of labels and the settings of the study; part of a link, never of a key."""

    by: Suspicion = Field("information", description="score by which the suspicious labels are ranked")
    first: int = Field(100, ge=0, le=100_000, description="how many of the most suspicious are gone through; 0 = all")
    at: int | None = Field(None, ge=0, description="training image under review; None: the first that is not decided")
    accepted: Annotated[tuple[Image, ...], Written("ranges")] = Field((), description="images whose label was found right")
    rejected: Annotated[tuple[Image, ...], Written("ranges")] = Field((), description="images to leave out")
    relabelled: Annotated[tuple[tuple[Image, Image], ...], Written("labels")] = Field(
        (), description="images given another label: image, class"
    )
    share: float = Field(0.1, gt=0.0, le=0.9, description="share of the labels that the study flips")
    seeds: int | None = Field(
        None, ge=1, le=MOST_SEEDS, description="draws of images and of flips in the study; None: 5, or as many as ten minutes allow"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "LabelsView":
        decided = Counter([*self.accepted, *self.rejected, *(image for image, _ in self.relabelled)])
        if twice := [image for image, count in decided.items() if count > 1]:
            raise ValueError(f"image {twice[0]} is decided in two ways: accept it, relabel it or reject it")
        return self

    def undecided(self) -> "LabelsView":
        """The same settings, and nothing decided."""
        return self.model_copy(update={"at": None, "accepted": (), "rejected": (), "relabelled": ()})


class DetectionStudySpec(Spec):
    """How well each score finds flipped labels, over several draws: draw s has the data set's seed + s, its images and its flips."""

    influence: InfluenceSpec = Field(description="the first draw; its label noise is the share that is flipped")
    ridge: float = Field(ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ")
    time: float | None = Field(None, ge=1e-12, le=1e12, allow_inf_nan=False, description="τ of gradient flow; None: the end of training")
    seeds: int = Field(5, ge=1, le=MOST_SEEDS)

    @model_validator(mode="after")
    def _consistent(self) -> "DetectionStudySpec":
        chosen = self.influence.dataset
        flipped = round(chosen.label_noise * chosen.n)
        if not 0 < flipped < chosen.n:
            raise ValueError(f"label_noise: of {chosen.n} labels {flipped} would be flipped; choose a share that flips some and not all")
        if chosen.seed + self.seeds > 2**31:
            raise ValueError("seeds: the last of them would be too large a number; choose a smaller first seed")
        return self

    @property
    def draws(self) -> tuple[InfluenceSpec, ...]:
        """The analysis of each draw."""
        first = self.influence
        return tuple(
            first.model_copy(update={"dataset": first.dataset.model_copy(update={"seed": first.dataset.seed + s})})
            for s in range(self.seeds)
        )
