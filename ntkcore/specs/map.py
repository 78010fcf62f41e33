"""What the map computes, and what of it is looked at: the images on a plane of a network's own kernel."""

from typing import Annotated, Literal

from pydantic import Field

from ntkcore.specs.base import Images, Spec
from ntkcore.specs.filters import Among, Filters
from ntkcore.specs.influence import LARGEST_RIDGE, InfluenceSpec

Plane = Literal["kernel", "neighbours"]
AXES = 10
"""Leading eigenvectors that are kept to choose axes from."""


class MapSpec(InfluenceSpec):
    """A map of the training images of an influence analysis: it shares that one's kernel where it is stored."""

    @property
    def influence(self) -> InfluenceSpec:
        """The analysis on the same kernel."""
        return InfluenceSpec.model_validate(self.model_dump())


class MapView(Spec):
    """What of a map is looked at; part of a link, never of a key."""

    plane: Plane = Field("kernel", description="leading eigenvectors of the centred kernel, or a neighbour embedding of its distances")
    x: Annotated[int, Field(ge=1, le=AXES)] = Field(1, description="eigenvector drawn to the right")
    y: Annotated[int, Field(ge=1, le=AXES)] = Field(2, description="eigenvector drawn upwards")
    colour: str = Field("class", max_length=40, description="what points are coloured by: class, or the name of a number")
    sized: str = Field("", max_length=40, description="number that points are sized by, the larger the larger; left out: all alike")
    held: bool = Field(False, description="held-out images are drawn, too")
    contours: bool = Field(True, description="lines of equal density, where there are many images and the map is not zoomed in")
    ridge: float = Field(1e-2, ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ of the numbers that depend on it")
    kept: bool = Field(False, description="points are drawn the paler, the fewer of their true neighbours lie near them")
    only: tuple[str, ...] = Field((), description="classes shown; () shows all")
    filters: Filters = ()
    among: Among = ()
    order: str = Field("", max_length=40, description="number that the gallery is sorted by, the largest first; -NAME: the smallest first")
    like: int | None = Field(None, ge=0, description="image whose nearest ones by the kernel's cosine come first")
    picked: Images = Field((), description="images selected on the map")
    basket: Images = Field((), description="ticked images")
    image: int | None = Field(None, ge=0, description="image open in the inspector")
