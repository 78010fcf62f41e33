"""What of an influence result the information page looks at (Unique-info; SCIENCE §6). It computes what the influence page computes."""

from typing import Literal

from pydantic import Field, model_validator

from ntkcore.specs.base import Images, Spec
from ntkcore.specs.believe import BelieveView
from ntkcore.specs.detection import LabelsView
from ntkcore.specs.filters import Among, Filters
from ntkcore.specs.groups import GroupsView, SourcesView
from ntkcore.specs.influence import LARGEST_RIDGE
from ntkcore.specs.information_toy import ToyView
from ntkcore.specs.summary import DropView

Question = Literal["informative", "mislabelled", "drop", "sources", "groups", "believe"]
Measure = Literal["loss", "margin", "k_xx", "influence", "weights", "residual", "information"]
Score = Literal["held-out", "training", "loss", "residual"]

SCORES: dict[Score, str] = {
    "held-out": "unique information F-SI, nats",
    "training": "training information, nats",
    "loss": "change of the mean training loss",
    "residual": "leave-one-out residual",
}
"""By what images are ranked: what an image's removal changes (F-SI: the held-out outputs), or how far off its label the network is that
has not seen it."""

MEASURES: dict[str, str] = {
    "loss": "its own loss",
    "margin": "its margin",
    "k_xx": "k(x, x)",
    "influence": "influence on the held-out loss",
    "weights": "information in the weights",
    "residual": SCORES["residual"],
    "information": "unique information F-SI",
}
"""What the score is held against, image by image."""
SAME: dict[Score, str] = {"held-out": "information", "residual": "residual"}
"""Scores that are measures, too."""


class InformationView(Spec):
    """Part of a link, never of a key."""

    ask: Question = Field("informative", description="the question whose answer is shown")
    ridge: float = Field(1e-2, ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ, absolute")
    time: float | None = Field(None, ge=1e-12, le=1e12, allow_inf_nan=False, description="τ of gradient flow; None: the end of training")
    score: Score = Field(
        "held-out",
        description="what images are ranked by: what a removal changes, these outputs or the training loss; or the leave-one-out residual",
    )
    descent: float | None = Field(
        None,
        ge=1e-12,
        le=1e6,
        allow_inf_nan=False,
        description="rate of gradient descent, whose steps time then counts; None: gradient flow",
    )
    averaged: bool = Field(
        False, description="a removal keeps the averaged loss's rate and λ, as the authors' code does, not the summed one's"
    )
    show: Literal["most", "least"] = Field("most", description="end of the ranking that the gallery begins with")
    every: bool = Field(False, description="all images in the gallery, not the first of the ranking only")
    only: tuple[str, ...] = Field((), description="classes shown; () shows all")
    filters: Filters = ()
    among: Among = ()
    by: str = Field("", max_length=40, description="number that the gallery is sorted by instead; -NAME: the smallest first")
    against: Measure = Field("loss", description="what the score is held against in the scatter")
    picked: Images = Field((), description="training images selected in a chart")
    basket: Images = Field((), description="ticked training images")
    like: int | None = Field(None, ge=0, description="training image whose nearest ones by the kernel's cosine come first")
    image: int | None = Field(None, ge=0, description="training image open in the inspector")
    labels: LabelsView = LabelsView()
    drop: DropView = DropView()
    believe: BelieveView = BelieveView()
    sources: SourcesView = SourcesView()
    groups: GroupsView = GroupsView()
    toy: ToyView = ToyView()

    @model_validator(mode="after")
    def _whole(self) -> "InformationView":
        if self.descent is not None and self.time is not None and self.time != int(self.time):
            raise ValueError(f"time: with a rate of gradient descent it counts whole steps, not {self.time:g}")
        return self

    @property
    def flow_time(self) -> float | None:
        """τ, also where training is in steps: their number times their rate."""
        return self.time if self.time is None or self.descent is None else self.time * self.descent
