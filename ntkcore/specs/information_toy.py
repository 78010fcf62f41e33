"""What the toy of the information page trains and shows (Unique-info Fig. 3)."""

from typing import Literal

from pydantic import Field

from ntkcore.specs.base import Seed, Spec

TOY_POINTS = 80


class ToyView(Spec):
    """Part of a link, never of a key. The source's settings are the defaults; its points it does not give."""

    shown: bool = Field(False, description="whether the toy is open")
    point: int = Field(52, ge=0, lt=TOY_POINTS, description="point whose information is asked for: left out, and exchanged for another")
    apart: float = Field(1.0, ge=0.0, le=4.0, allow_inf_nan=False, description="distance of the two classes, in units of the source's code")
    seed: Seed = Field(0, description="seed of the points and of SGD's chance")
    runs: int = Field(1000, ge=200, le=10_000, description="trainings that each distribution is seen by")
    rate: float = Field(0.1, ge=1e-3, le=2.0, allow_inf_nan=False, description="learning rate")
    batch: int = Field(5, ge=1, le=TOY_POINTS - 1, description="points of a step")
    epochs: int = Field(200, ge=1, le=2000)
    order: Literal["shuffled", "drawn"] = Field("shuffled", description="batches: parts of a shuffled epoch, or drawn with replacement")
