"""What of an influence result the information page looks at (Unique-info; SCIENCE §6). It computes what the influence page computes."""

from typing import Literal

from pydantic import Field

from ntkcore.specs.base import Images, Spec
from ntkcore.specs.believe import BelieveView
from ntkcore.specs.detection import LabelsView
from ntkcore.specs.groups import GroupsView, SourcesView
from ntkcore.specs.influence import LARGEST_RIDGE
from ntkcore.specs.information_toy import ToyView
from ntkcore.specs.summary import DropView

Question = Literal["informative", "mislabelled", "drop", "sources", "groups", "believe"]
Measure = Literal["loss", "margin", "k_xx", "influence", "weights"]

MEASURES: dict[str, str] = {
    "loss": "its own loss",
    "margin": "its margin",
    "k_xx": "k(x, x)",
    "influence": "influence on the held-out loss",
    "weights": "information in the weights",
}
"""What F-SI is held against, image by image."""


class InformationView(Spec):
    """Part of a link, never of a key."""

    ask: Question = Field("informative", description="the question whose answer is shown")
    ridge: float = Field(1e-2, ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ, absolute")
    time: float | None = Field(None, ge=1e-12, le=1e12, allow_inf_nan=False, description="τ of gradient flow; None: the end of training")
    show: Literal["most", "least"] = Field("most", description="end of the ranking that the gallery begins with")
    every: bool = Field(False, description="all images in the gallery, not the first of the ranking only")
    only: tuple[str, ...] = Field((), description="classes shown; () shows all")
    against: Measure = Field("loss", description="what F-SI is held against in the scatter")
    picked: Images = Field((), description="training images selected in a chart")
    basket: Images = Field((), description="ticked training images")
    image: int | None = Field(None, ge=0, description="training image open in the inspector")
    labels: LabelsView = LabelsView()
    drop: DropView = DropView()
    believe: BelieveView = BelieveView()
    sources: SourcesView = SourcesView()
    groups: GroupsView = GroupsView()
    toy: ToyView = ToyView()
