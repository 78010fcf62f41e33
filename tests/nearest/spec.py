"""What is asked for: how near each image is to an image of another class."""

from typing import Literal

from pydantic import Field

from ntkcore.specs import DatasetSpec, Images, Spec


class NearestSpec(Spec):
    """Distances between images in pixels."""

    dataset: DatasetSpec = DatasetSpec(n=200)
    norm: Literal["euclidean", "largest"] = Field("euclidean", description="distance between two images")


class NearestView(Spec):
    """What of it is looked at; part of a link, never of a key."""

    show: Literal["near", "far"] = Field("near", description="end of the ranking that is shown")
    picked: Images = Field((), description="images selected")
