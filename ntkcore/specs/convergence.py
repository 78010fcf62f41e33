"""What the convergence page computes, and what of it is looked at (Thesis ch. 3; SCIENCE §7)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from ntkcore.specs.architectures import Architecture, by_name, default_rate, default_width
from ntkcore.specs.base import BatchNorm, DatasetSpec, Head, HeadSize, ModelSpec, Sees, Spec, TrainingSpec, Written, usual_of

# Defaults of the convergence page: small enough for two cores; depth 3 is the thesis's.
CONVERGENCE_DEPTH = 3
CONVERGENCE_WIDTHS: dict[str, tuple[int, ...]] = {
    "fcn": (32, 128, 512, 2048),
    "cnn3": (8, 16, 32, 64),
    "cnn4": (8, 16, 32, 64),
    "convnet": (8, 16, 32, 64),
    "resnet20": (16,),
    "resnet18": (8, 16, 32, 64),
    "wrn16": (8, 16, 32, 64),
}
# Rates for momentum 0.9, weight decay 1e-4 and squared loss: the critical rate falls as the width grows, and these are below that of
# the widest default network on digits and CIFAR-10 where there is no BatchNorm.
CONVERGENCE_RATE: dict[str, float] = {
    "fcn": 0.001,
    "cnn3": 0.002,
    "cnn4": 0.002,
    "convnet": 0.005,
    "resnet20": 0.002,
    "resnet18": 0.001,
    "wrn16": 0.002,
}
CONVERGENCE_LOOKS = (0, 20, 100)


class ConvergenceSpec(Spec):
    """How pseudo-NTK, first-logit and full NTK compare over width and training (Thesis ch. 3; SCIENCE §7).

    Every width is drawn with the seeds 0 … seeds - 1 and trained once; the kernels are compared at each epoch looked at.
    """

    later: ClassVar[tuple[str, ...]] = ("weights", "sees", "head", "head_size", "batch_norm")

    dataset: DatasetSpec = DatasetSpec(n=120)
    test: int = Field(200, ge=2, le=10_000, description="images held out, drawn after the n training images")
    architecture: Architecture = Field("fcn", description="the networks' architecture")
    depth: int | None = Field(None, ge=1, le=16, description="hidden layers; fcn only")
    initialisation: Literal["pytorch", "he"] = Field("he", description="PyTorch's default, or He's: weights N(0, 2 / fan-in), biases 0")
    weights: Literal["random", "pretrained"] = Field("random", description="weights that the networks start from")
    sees: Sees = None
    head: Head = None
    head_size: HeadSize = None
    batch_norm: BatchNorm = None
    widths: Annotated[tuple[Annotated[int, Field(ge=1, le=8192)], ...], Written("numbers")] = Field(
        (), description="ascending; () takes the architecture's defaults"
    )
    seeds: int = Field(3, ge=1, le=10, description="initialisations of each width")
    looks: Annotated[tuple[Annotated[int, Field(ge=0, le=2000)], ...], Written("numbers")] = Field(
        CONVERGENCE_LOOKS, description="epochs at which the kernels are compared"
    )
    training: TrainingSpec = Field(TrainingSpec(), description="its epochs are the last look")
    ridge: float = Field(0.0, ge=0.0, le=1e6, allow_inf_nan=False, description="λ of the kernel regressions, absolute")
    dtype: Literal["float32", "float64"] = Field("float32", description="precision of the kernels")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        values = dict(given)
        architecture = values.get("architecture", "fcn")
        values.setdefault("architecture", architecture)
        pretrained = values.get("weights") == "pretrained"
        if not values.get("widths"):
            own = (default_width(architecture),)
            values["widths"] = own if pretrained else CONVERGENCE_WIDTHS.get(architecture, own)
        if pretrained or by_name(architecture):
            values.setdefault("initialisation", "pytorch")
        if architecture == "fcn" and values.get("depth") is None:
            values["depth"] = CONVERGENCE_DEPTH
        training = values.get("training", {})
        training = training.model_dump() if isinstance(training, TrainingSpec) else dict(training)
        if isinstance(architecture, str):
            usual = usual_of(architecture, values.get("weights", "random"))
            values |= {name: None for name, default in usual.items() if values.get(name) == default}
        rate = CONVERGENCE_RATE.get(architecture, default_rate(architecture))
        base = {"learning_rate": rate, "batch_size": 32, "momentum": 0.9, "weight_decay": 1e-4}
        looks = values.get("looks", CONVERGENCE_LOOKS)
        last = max((int(look) for look in looks), default=0) if isinstance(looks, list | tuple) else 0
        return values | {"training": base | training | {"epochs": last}}

    @model_validator(mode="after")
    def _consistent(self) -> "ConvergenceSpec":
        for name, chosen in (("widths", self.widths), ("looks", self.looks)):
            if not chosen or len(chosen) > 12 or list(chosen) != sorted(set(chosen)):
                raise ValueError(f"{name}: give one to twelve different numbers in ascending order")
        for model in self.models():
            assert model.width in self.widths
        return self

    def models(self) -> tuple[ModelSpec, ...]:
        """The networks, by width, then by seed."""
        alike = {name: getattr(self, name) for name in ("architecture", "depth", "initialisation", *self.later)}
        return tuple(ModelSpec(**alike, width=width, seed=seed) for width in self.widths for seed in range(self.seeds))

    def points(self) -> tuple["ComparisonSpec", ...]:
        """The comparisons in the order in which they are computed: every network at initialisation, then network by network."""
        last = self.training

        def point(model: ModelSpec, look: int) -> ComparisonSpec:
            training = last.model_copy(update={"epochs": look}) if look else None
            return ComparisonSpec(dataset=self.dataset, test=self.test, model=model, training=training, ridge=self.ridge, dtype=self.dtype)

        start = [point(model, 0) for model in self.models() if 0 in self.looks]
        return (*start, *(point(model, look) for model in self.models() for look in self.looks if look))


class ComparisonSpec(Spec):
    """Pseudo-NTK, first-logit and full NTK of one network, compared: one point of the convergence page's charts."""

    dataset: DatasetSpec
    test: int
    model: ModelSpec
    training: TrainingSpec | None = Field(description="up to the epoch looked at; None: at initialisation")
    ridge: float
    dtype: Literal["float32", "float64"]

    @property
    def epoch(self) -> int:
        """The epoch looked at."""
        return self.training.epochs if self.training else 0


class ConvergenceView(Spec):
    """What of a convergence result is looked at; part of a link, never of a key."""

    epoch: int | None = Field(None, ge=0, description="epoch shown in the charts over width; None: the first look")
    width: int | None = Field(None, ge=1, description="width shown in the spectra and over epochs; None: the widest")
    kernel: Literal["pseudo", "first"] = Field("pseudo", description="the cheap kernel that is compared with the full one")
    point: Annotated[tuple[int, int, int] | None, Written("point")] = Field(None, description="comparison opened: width, seed, epoch")
    heat: Literal["pseudo", "full", "error"] = "pseudo"
    over: Literal["width", "epoch"] = Field("width", description="horizontal axis of the charts")
    jittered: bool = Field(False, description="whether regressions that rest on a jitter count in means, fits and the answer")
