"""Specifications: what to compute, complete enough that equal specifications give equal bytes.

A specification is frozen and refuses unknown fields. Its canonical JSON, the content hash of the data and weights it
names, and the version of the method make the key under which the result is stored (:func:`key_of`).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

DatasetName = Literal["digits", "mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn", "own", "clusters", "moons", "waves"]
Architecture = Literal["fcn", "cnn3", "cnn4", "convnet", "resnet20", "resnet18", "wrn16"]
Outputs = Literal["mean", "pseudo", "first", "full"]

DATASETS: tuple[DatasetName, ...] = get_args(DatasetName)
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)

TITLES: dict[str, str] = {
    "fcn": "Fully connected",
    "cnn3": "3-conv CNN",
    "cnn4": "4-conv CNN",
    "convnet": "8-layer ConvNet",
    "resnet20": "CIFAR ResNet-20",
    "resnet18": "ResNet-18",
    "wrn16": "WideResNet-16",
}

# Width of an architecture when none is given: units of a hidden layer (fcn), channels of the first convolution.
# The resnet20 has its published width only; the thesis's width factor WF of the resnet18 and the wrn16 is width / 16.
DEFAULT_WIDTH: dict[str, int] = {"fcn": 256, "cnn3": 32, "cnn4": 32, "convnet": 32, "resnet20": 16, "resnet18": 64, "wrn16": 32}
FIXED_WIDTH = ("resnet20",)
RATE_RANGE = (1e-6, 1000.0)
LARGEST_MOMENTUM = 0.999
DEFAULT_DEPTH = 2  # hidden layers of the fcn
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
# Learning rates that train digits, MNIST and CIFAR-10 pairs with batch 32 and no momentum; four times as much diverges.
DEFAULT_RATE: dict[str, float] = {
    "fcn": 0.05,
    "cnn3": 0.1,
    "cnn4": 0.1,
    "convnet": 0.05,
    "resnet20": 0.01,
    "resnet18": 0.005,
    "wrn16": 0.01,
}
PRETRAINED: dict[str, str] = {"cnn4": "emnist_letters_cnn", "resnet20": "cifar10_resnet20"}

Seed = Annotated[int, Field(ge=0, lt=2**31)]
ContentId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Spec(BaseModel):
    """Base of all specifications: frozen, hashable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def canonical(self) -> str:
        """Canonical JSON: every field present, keys sorted, no spaces."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


class DatasetSpec(Spec):
    """Which images: a named set, or one of your own by the hash of its content, and the selection from it."""

    name: DatasetName = "digits"
    own: ContentId | None = Field(None, description="content id of an imported set; only with name='own'")
    classes: tuple[str, ...] = Field((), description="names of the classes kept; () keeps all")
    n: int = Field(1000, ge=4, le=100_000, description="images drawn without replacement")
    seed: Seed = Field(0, description="seed of the draw and of the label noise")
    label_noise: float = Field(0.0, ge=0.0, le=0.9, description="share of labels moved to another class, uniformly")

    @model_validator(mode="after")
    def _consistent(self) -> "DatasetSpec":
        if (self.name == "own") != (self.own is not None):
            raise ValueError("own: an imported set needs its content id, and only an imported set has one")
        if len(set(self.classes)) != len(self.classes) or len(self.classes) == 1:
            raise ValueError("classes: name at least two different classes, or none to keep all")
        return self


class ModelSpec(Spec):
    """Which network, at which initialisation. ``width`` and ``depth`` have the architecture's default when left out."""

    architecture: Architecture = "fcn"
    width: int = Field(256, ge=1, le=8192, description="units of a hidden layer, or channels of the first convolution")
    depth: int | None = Field(None, ge=1, le=16, description="hidden layers; fcn only")
    weights: Literal["random", "pretrained"] = "random"
    seed: Seed = Field(0, description="seed of the random initialisation (of the new head, if pretrained)")
    initialisation: Literal["pytorch", "he"] = Field(
        "pytorch", description="PyTorch's default, or He's: weights N(0, 2 / fan-in), biases 0 (Thesis, Setting B)"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        values = dict(given)
        architecture = values.get("architecture", "fcn")
        if values.get("width") is None:
            values["width"] = DEFAULT_WIDTH.get(architecture, 1)
        if architecture == "fcn" and values.get("depth") is None:
            values["depth"] = DEFAULT_DEPTH
        return values

    @model_validator(mode="after")
    def _consistent(self) -> "ModelSpec":
        if self.architecture != "fcn" and self.depth is not None:
            raise ValueError("depth: only the fcn has one")
        if self.architecture in FIXED_WIDTH and self.width != DEFAULT_WIDTH[self.architecture]:
            raise ValueError(f"width: {self.architecture} has the fixed width {DEFAULT_WIDTH[self.architecture]}")
        if self.weights == "pretrained":
            if self.architecture not in PRETRAINED:
                raise ValueError(f"weights: there are none for {self.architecture}; pretrained: {', '.join(PRETRAINED)}")
            if self.width != DEFAULT_WIDTH[self.architecture]:
                raise ValueError(f"width: the pretrained {self.architecture} has width {DEFAULT_WIDTH[self.architecture]}")
            if self.initialisation != "pytorch":
                raise ValueError("initialisation: pretrained weights are not drawn at random; leave it out, or choose random weights")
        return self


class TrainingSpec(Spec):
    """How the network is trained: SGD (or full-batch GD) on the summed squared loss, SCIENCE conventions.

    One step moves θ by ``-learning_rate / batch_size`` times the gradient of ``½ Σ_batch ‖f - y‖²``, so one epoch is
    gradient-flow time ``τ = learning_rate / (batch_size (1 - momentum))`` on the summed loss.
    """

    epochs: int = Field(20, ge=0, le=2000)
    learning_rate: float = Field(0.05, ge=RATE_RANGE[0], le=RATE_RANGE[1], allow_inf_nan=False)
    batch_size: int = Field(32, ge=0, le=100_000, description="images in a step; 0 = all of them (gradient descent)")
    momentum: float = Field(0.0, ge=0.0, le=LARGEST_MOMENTUM)
    weight_decay: float = Field(0.0, ge=0.0, le=1.0, description="coefficient of θ added to each step's averaged gradient")
    seed: Seed = Field(0, description="seed of the order of the images")


class RunSpec(Spec):
    """A network trained on an image set: every output after every epoch."""

    dataset: DatasetSpec
    model: ModelSpec
    training: TrainingSpec


class KernelSpec(Spec):
    """The kernel of one network on one image set.

    ``training`` runs up to the epoch at which the kernel is taken, so that all analyses that look at the same network
    share one kernel; None is the network at its initialisation.
    """

    dataset: DatasetSpec
    model: ModelSpec
    training: TrainingSpec | None
    dtype: Literal["float32", "float64"] = "float32"
    outputs: Outputs = Field("mean", description="mean over outputs, pseudo-NTK, first logit, or the full k × k per pair")


class LearnabilitySpec(Spec):
    """Learnability: rank images by k(x,x) and test the ranking against training (Learnability §2-3)."""

    dataset: DatasetSpec = DatasetSpec()
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    kernel_epoch: int = Field(0, ge=0, description="epoch of the training at which the kernel is taken; 0 = initialisation")
    full_kernel: bool = Field(True, description="also solve the coupled dynamics with the whole n × n kernel (eq. 17)")
    dtype: Literal["float32", "float64"] = "float32"

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        """The learning rate left out is the architecture's default."""
        if not isinstance(given, Mapping) or isinstance(given.get("training"), TrainingSpec):
            return given
        values = dict(given)
        model = values.get("model", {})
        architecture = model.get("architecture", "fcn") if isinstance(model, Mapping) else model.architecture
        training = dict(values.get("training", {}))
        training.setdefault("learning_rate", DEFAULT_RATE.get(architecture, 0.05))
        return values | {"training": training}

    @model_validator(mode="after")
    def _consistent(self) -> "LearnabilitySpec":
        if self.kernel_epoch > self.training.epochs:
            raise ValueError(f"kernel_epoch: {self.kernel_epoch} is after the last of {self.training.epochs} epochs")
        return self

    @property
    def run(self) -> RunSpec:
        """The training whose progress tests the ranking."""
        return RunSpec(dataset=self.dataset, model=self.model, training=self.training)

    @property
    def kernel(self) -> KernelSpec:
        """The kernel whose diagonal ranks the images."""
        training = self.training.model_copy(update={"epochs": self.kernel_epoch}) if self.kernel_epoch else None
        return KernelSpec(dataset=self.dataset, model=self.model, training=training, dtype=self.dtype)


class LearnabilityView(Spec):
    """What of a learnability result is looked at; part of a link, never of a key."""

    hard: float = Field(10.0, ge=0.0, le=50.0, description="percent of images with the smallest k(x,x)")
    easy: float = Field(10.0, ge=0.0, le=50.0, description="percent of images with the largest k(x,x)")
    gallery: Literal["hard", "easy", "all"] = "hard"
    # "score" ranks from the end that is shown: hardest first, in the gallery of easy images easiest first
    order: Literal["score", "score-down", "learned", "learned-down", "error", "error-down"] = "score"
    only: tuple[str, ...] = Field((), description="classes shown; () shows all")
    judged: Literal["any", "correct", "wrong", "flipped"] = "any"
    low: float = Field(0.0, ge=0.0, le=100.0, description="smallest percentile of k(x,x) shown")
    high: float = Field(100.0, ge=0.0, le=100.0, description="largest percentile of k(x,x) shown")
    picked: tuple[int, ...] = Field((), description="images selected in a chart; () = no selection")
    basket: tuple[int, ...] = Field((), description="ticked images")
    image: int | None = Field(None, ge=0, description="image open in the inspector")
    marked: int | None = Field(None, ge=0, description="image marked in the charts: the one inspected last")
    errors: Literal["all", "hard", "medium", "easy"] = Field("all", description="groups in the error chart")
    log: bool = Field(False, description="logarithmic error axis")
    page: int = Field(1, ge=1, description="page of the gallery")

    @model_validator(mode="after")
    def _consistent(self) -> "LearnabilityView":
        if self.low > self.high:
            raise ValueError(f"low: percentile {self.low:g} is above the upper end {self.high:g}")
        return self


class ConvergenceSpec(Spec):
    """How pseudo-NTK, first-logit and full NTK compare over width and training (Thesis ch. 3; SCIENCE §7).

    Every width is drawn with the seeds 0 … seeds - 1 and trained once; the kernels are compared at each epoch looked at.
    """

    dataset: DatasetSpec = DatasetSpec(n=120)
    test: int = Field(200, ge=2, le=10_000, description="images held out, drawn after the n training images")
    architecture: Architecture = "fcn"
    depth: int | None = Field(None, ge=1, le=16, description="hidden layers; fcn only")
    initialisation: Literal["pytorch", "he"] = "he"
    widths: tuple[Annotated[int, Field(ge=1, le=8192)], ...] = Field((), description="ascending; () takes the architecture's defaults")
    seeds: int = Field(3, ge=1, le=10, description="initialisations of each width")
    looks: tuple[Annotated[int, Field(ge=0, le=2000)], ...] = Field(
        CONVERGENCE_LOOKS, description="epochs at which the kernels are compared"
    )
    training: TrainingSpec = Field(TrainingSpec(), description="its epochs are the last look")
    ridge: float = Field(0.0, ge=0.0, le=1e6, allow_inf_nan=False, description="λ of the kernel regressions, absolute")
    dtype: Literal["float32", "float64"] = "float32"

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        values = dict(given)
        architecture = values.get("architecture", "fcn")
        values.setdefault("architecture", architecture)
        if not values.get("widths"):
            values["widths"] = CONVERGENCE_WIDTHS.get(architecture, (1,))
        if architecture == "fcn" and values.get("depth") is None:
            values["depth"] = CONVERGENCE_DEPTH
        training = values.get("training", {})
        training = training.model_dump() if isinstance(training, TrainingSpec) else dict(training)
        base = {"learning_rate": CONVERGENCE_RATE.get(architecture, 0.01), "batch_size": 32, "momentum": 0.9, "weight_decay": 1e-4}
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
        return tuple(
            ModelSpec(architecture=self.architecture, width=width, depth=self.depth, seed=seed, initialisation=self.initialisation)
            for width in self.widths
            for seed in range(self.seeds)
        )

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
    point: tuple[int, int, int] | None = Field(None, description="comparison opened: width, seed, epoch")
    heat: Literal["pseudo", "full", "error"] = "pseudo"
    over: Literal["width", "epoch"] = Field("width", description="horizontal axis of the charts")


def key_of(kind: str, version: int, spec: Spec, content: Mapping[str, str]) -> str:
    """Key of an artifact: SHA-256 over its kind, the method's version, the specification and the content hashes.

    Args:
        kind: what is computed, e.g. ``"learnability"``.
        version: the method's version; raise it when the numbers change.
        spec: the specification.
        content: content hash (hex) of everything read that the specification only names: data, weights.

    Returns:
        64 hex digits.
    """
    identity = {"kind": kind, "version": version, "spec": json.loads(spec.canonical()), "content": dict(content)}
    return hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
