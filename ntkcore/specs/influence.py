"""What the influence and reliability pages compute, and what of it is looked at (IF-NTK; SCIENCE §3-5)."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from ntkcore.specs.base import DEFAULT_RATE, DatasetSpec, ModelSpec, Spec, TrainingSpec

InfluenceKernel = Literal["two-layer", "infinite", "pseudo", "full"]

INFLUENCE_KERNELS: dict[str, str] = {
    "two-layer": "Infinite two-layer ReLU network",
    "infinite": "Infinitely wide network",
    "pseudo": "Pseudo-NTK of a network",
    "full": "Full eNTK of a network",
}
CHAINS = ("fcn", "cnn3", "cnn4", "convnet")
"""Architectures whose infinite width is known."""
LARGEST_RIDGE = 1e6


class InfluenceSpec(Spec):
    """Which training image influenced which prediction: a kernel on training and held-out images, decomposed once.

    λ and the training time are not part of it: one decomposition answers for all of them.
    """

    dataset: DatasetSpec = DatasetSpec(n=500)
    test: int = Field(200, ge=1, le=10_000, description="images held out, drawn after the n training images")
    kernel: InfluenceKernel = "two-layer"
    model: ModelSpec | None = Field(None, description="the network; None for the two-layer kernel, which has no choice")
    training: TrainingSpec | None = Field(None, description="up to the epoch at which the kernel is taken; None: at initialisation")
    dtype: Literal["float32", "float64"] = Field("float32", description="precision of a network's kernel; closed forms are in float64")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        """A network is needed, or there is none to choose."""
        if not isinstance(given, Mapping):
            return given
        values = dict(given)
        chosen, training = values.pop("model", None), values.pop("training", None)
        if values.get("kernel", "two-layer") != "two-layer":
            chosen = chosen or {}
        if chosen or values.get("kernel", "two-layer") != "two-layer":
            values["model"] = chosen
        if isinstance(training, Mapping):
            architecture = chosen.get("architecture", "fcn") if isinstance(chosen, Mapping) else chosen.architecture if chosen else "fcn"
            base = {"epochs": 0, "learning_rate": DEFAULT_RATE.get(architecture, 0.05)}
            training = base | dict(training) if training else None
        values["training"] = None if isinstance(training, dict) and not training["epochs"] else training
        return values

    @model_validator(mode="after")
    def _consistent(self) -> "InfluenceSpec":
        if self.kernel == "two-layer" and self.model is not None:
            raise ValueError("model: the two-layer kernel is that of one network, of infinite width; leave it out")
        if self.kernel in ("two-layer", "infinite") and (self.training is not None or self.dtype != "float32"):
            raise ValueError("training: a kernel of infinite width does not change in training, and is computed in float64")
        if self.kernel == "infinite" and self.model is not None:
            if self.model.architecture not in CHAINS:
                raise ValueError(f"model: the infinite width is known of {', '.join(CHAINS)}")
            if self.model.weights != "random":
                raise ValueError("weights: infinite width has none that are pretrained")
        return self


class InfluenceView(Spec):
    """What of an influence result is looked at; part of a link, never of a key."""

    ridge: float = Field(1e-2, ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ, absolute")
    time: float | None = Field(None, gt=0.0, le=1e12, allow_inf_nan=False, description="τ of gradient flow; None: the end of training")
    target: int | None = Field(None, ge=0, description="held-out image chosen; None: the first of the gallery")
    tests: Literal["wrong", "loss", "all"] = Field("loss", description="held-out images shown: misclassified, by loss, as drawn")
    show: Literal["helpful", "harmful", "idle"] = Field("helpful", description="gallery of training images")
    basket: tuple[int, ...] = Field((), description="ticked training images")
    deed: Literal["delete", "relabel"] = Field("delete", description="what is done to the basket")
    label: int | None = Field(None, ge=0, description="class that the basket's images are given")
