"""Among which images copies are looked for, and what of the groups is looked at."""

from typing import Literal

from pydantic import Field, model_validator

from ntkcore.specs.base import DatasetSpec, Spec


class DuplicatesSpec(Spec):
    """Copies among images, and among those held out from the same draw."""

    dataset: DatasetSpec = DatasetSpec()
    test: int = Field(200, ge=0, le=10_000, description="images held out, of which copies of the others are leaks; 0: none")

    @model_validator(mode="after")
    def _consistent(self) -> "DuplicatesSpec":
        if self.test == 1:
            raise ValueError("test: hold out two images at least, or none")
        return self


class DuplicatesView(Spec):
    """What of the groups is looked at; part of a link, never of a key."""

    show: Literal["all", "contradictory", "leaks"] = Field(
        "all", description="groups shown: all, those whose labels differ, or those across training and held-out images"
    )
    alike: float | None = Field(
        None,
        ge=0.8,
        le=1.0,
        description="least correlation of the small gray copies of two images of one picture; left out: 0.9 for photographs, 0.97 else",
    )
    network: bool = Field(True, description="images that a network cannot tell apart count as copies, where its kernel is stored")
    kernel: str = Field("", pattern=r"^[0-9a-f]{0,64}$", description="beginning of the key of the stored result whose kernel is asked")
    cosine: float = Field(0.999, ge=0.9, le=1.0, description="least cosine of two images in the kernel that are the same to the network")
    image: int | None = Field(None, ge=0, description="image open in the inspector; held-out ones are numbered after the others")
