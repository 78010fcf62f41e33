"""What of an influence result the reliability page looks at (IF-NTK; SCIENCE §4). It computes what the influence page computes."""

from typing import Literal

from pydantic import Field

from ntkcore.specs.base import Images, Spec
from ntkcore.specs.filters import Among, Filters
from ntkcore.specs.influence import LARGEST_RIDGE, MOST_RETRAINED

Bandwidth = Literal["scott", "silverman", "cv"]


class ReliabilityView(Spec):
    """Part of a link, never of a key."""

    ridge: float = Field(1.0, ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ, absolute")
    average: Literal["mean", "median"] = Field("mean", description="how a training image's error rate is taken over the held-out images")
    dimension: int = Field(10, ge=1, le=500, description="principal components that the density is estimated in")
    bandwidth: Bandwidth = Field("scott", description="rule for the density estimate's bandwidth")
    picked: Images = Field((), description="training images selected in the density chart")
    filters: Filters = ()
    among: Among = ()
    by: str = Field("", max_length=40, description="number that the training images are sorted by instead; -NAME: the smallest first")
    light: Literal["all", "green", "amber", "red"] = Field("all", description="held-out images shown")
    target: int | None = Field(None, ge=0, description="held-out image chosen; None: the first that is shown")
    verify: int = Field(512, ge=16, le=65_536, description="units of the two-layer network that is retrained")
    leading: int | None = Field(
        None, ge=1, le=MOST_RETRAINED, description="most influential images left out in turn; None: 40, or as many as ten minutes allow"
    )
    time: float = Field(5.0, gt=0.0, le=1e6, allow_inf_nan=False, description="τ that the real network is trained to")
    steps: int | None = Field(None, ge=1, le=100_000, description="depth of LiSSA’s recursion; None: log(100) scale / λ")
    minibatch: int = Field(64, ge=1, le=100_000, description="images in a step of LiSSA")
    runs: int = Field(8, ge=2, le=64, description="runs of LiSSA")
    scale: int = Field(5, ge=1, le=50, description="simulated clusters have scale · 2^k samples, k = 1 … 5")
