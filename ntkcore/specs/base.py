"""What every analysis chooses from: images, networks, trainings, kernels; and the key of what is computed from a choice."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from ntkcore.specs.architectures import (
    DEFAULT_DEPTH,
    PRETRAINED,
    Architecture,
    by_name,
    default_rate,
    default_width,
    fixed_width,
    has_weights,
)

DatasetName = Literal["digits", "mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn", "own", "clusters", "moons", "waves"]
Outputs = Literal["mean", "pseudo", "first", "full"]
Interpolation = Literal["bilinear", "bicubic"]

DATASETS: tuple[DatasetName, ...] = get_args(DatasetName)

VECTOR_SETS: tuple[DatasetName, ...] = ("clusters", "moons", "waves")
"""Sets of generated points."""

RATE_RANGE = (1e-6, 1000.0)
LARGEST_MOMENTUM = 0.999


@dataclass(frozen=True, slots=True)
class Written:
    """How an address writes a field of several numbers: images as ranges, ``"0-3,7"``; numbers one by one, ``"32,128"``; images with a
    class each, ``"0~12,40.1~7"``; or one point, ``"512-0-20"``."""

    form: Literal["ranges", "numbers", "labels", "point"]


Image = Annotated[int, Field(ge=0)]
Images = Annotated[tuple[int, ...], Written("ranges")]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
ContentId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


HEAD_SIZE = 0.01  # of a random head where none is given: at 0.03 the other layers' part of the kernel drowns the head's
Sees = Annotated[
    str | None,
    Field(
        max_length=500,
        pattern=r"^[A-Za-z0-9_.]+(,[A-Za-z0-9_.]+)*$",
        description="parameters that the kernel is taken over and training moves: all, last (the last stage and the head), head, or layers "
        "by their names with commas between; left out: the head of a pretrained network of a library, else all",
    ),
]
Head = Annotated[
    Literal["drawn", "kept", "zero", "random", "ridge"] | None,
    Field(
        description="start of the last layer: as the architecture draws it, kept from the weights, zero, random with a deviation, or "
        "fitted by ridge regression on the features; left out: zero for a pretrained network of a library, kept for the server's own",
    ),
]
HeadSize = Annotated[
    Annotated[float, Field(gt=0.0, le=10.0, allow_inf_nan=False)] | None,
    AfterValidator(lambda size: None if size == HEAD_SIZE else size),
    Field(description="standard deviation of a random head's weights; left out: 0.01"),
]
BatchNorm = Annotated[
    Literal["frozen", "batch"] | None,
    Field(
        description="batch normalisation in training: its statistics stay, or are each batch's; left out: they stay in pretrained networks "
        "by name, else each batch's",
    ),
]


class Spec(BaseModel):
    """Base of all specifications: frozen, hashable, no unknown fields.

    Attributes:
        later: fields that were added when results were stored already. At their default they are left out of what is written, so that
            whatever does not use them keeps its key.
    """

    later: ClassVar[tuple[str, ...]] = ()

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)

    def canonical(self) -> str:
        """Canonical JSON: every field present but those of :attr:`later` at their default, keys sorted, no spaces."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = write(self)
        for name in self.later:
            if name in values and getattr(self, name) == type(self).model_fields[name].default:
                del values[name]
        return values


class SizingSpec(Spec):
    """How large images are for the network: the preprocessing that published weights of ImageNet state.

    The short side is scaled, antialiased, to ``floor(size / crop)`` pixels, and the central ``size`` × ``size`` are cut out.
    """

    size: int | None = Field(None, ge=32, le=384, description="side of the square images in pixels, 32 to 384; left out: as imported")
    crop: float = Field(1.0, ge=0.25, le=1.0, description="share of the short side that the central square keeps; only with a size")
    interpolation: Interpolation = Field("bilinear", description="how images are scaled; only with a size")

    @model_validator(mode="after")
    def _sized(self) -> "SizingSpec":
        if self.size is None and (self.crop != 1.0 or self.interpolation != "bilinear"):
            raise ValueError("size: how images are cut and scaled needs the size they get")
        return self


class DatasetSpec(SizingSpec):
    """Which images: a named set, or one of your own by the hash of its content, the selection from it, and how large they are."""

    later: ClassVar[tuple[str, ...]] = ("size", "crop", "interpolation", "part", "without")

    name: DatasetName = Field("digits", description="the data set")
    own: ContentId | None = Field(None, description="content id of an imported set; only with name='own'")
    classes: tuple[str, ...] = Field((), description="names of the classes kept; () keeps all")
    n: int = Field(1000, ge=4, le=100_000, description="images drawn without replacement")
    seed: Seed = Field(0, description="seed of the draw and of the label noise")
    label_noise: float = Field(0.0, ge=0.0, le=0.9, description="share of labels moved to another class, uniformly")
    part: str = Field(
        "",
        max_length=100,
        description="part of the set's division that the images are drawn from, those held out from the others; left out: everything",
    )
    without: Images = Field((), description="images left out, such as copies of others, by their places in the set")

    @model_validator(mode="after")
    def _consistent(self) -> "DatasetSpec":
        if self.name in VECTOR_SETS and (self.size is not None or self.part or self.without):
            raise ValueError("size: generated points are no pictures, and have no size, no parts, and nothing to leave out (without)")
        if (self.name == "own") != (self.own is not None):
            raise ValueError("own: an imported set needs its content id, and only an imported set has one")
        if len(set(self.classes)) != len(self.classes) or len(self.classes) == 1:
            raise ValueError("classes: name at least two different classes, or none to keep all")
        return self


class ModelSpec(Spec):
    """Which network, at which initialisation, and which of its parameters count.

    ``width`` and ``depth`` have the architecture's default when left out. ``sees``, ``head``, ``head_size`` and ``batch_norm`` are None
    where they are the default, so that what was computed before there was a choice keeps its key; :attr:`seen`, :attr:`head_start` and
    :attr:`statistics` tell what None stands for. The parameters seen are those that the kernel is taken over and that training moves.
    """

    later: ClassVar[tuple[str, ...]] = ("sees", "head", "head_size", "batch_norm")

    architecture: Architecture = Field(
        "fcn", description="the network's architecture, or timm:NAME, torchvision:NAME of a library, mine:NAME of the server's own"
    )
    width: int = Field(256, ge=1, le=8192, description="units of a hidden layer, or channels of the first convolution")
    depth: int | None = Field(None, ge=1, le=16, description="hidden layers; fcn only")
    weights: Literal["random", "pretrained"] = Field("random", description="weights that it starts from")
    seed: Seed = Field(0, description="seed of the random initialisation (of the new head, if pretrained)")
    initialisation: Literal["pytorch", "he"] = Field(
        "pytorch", description="PyTorch's default, or He's: weights N(0, 2 / fan-in), biases 0 (Thesis, Setting B)"
    )
    sees: Sees = None
    head: Head = None
    head_size: HeadSize = None
    batch_norm: BatchNorm = None

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        values = dict(given)
        architecture = values.get("architecture", "fcn")
        if values.get("width") is None:
            values["width"] = default_width(architecture) if isinstance(architecture, str) else 1
        if architecture == "fcn" and values.get("depth") is None:
            values["depth"] = DEFAULT_DEPTH
        if isinstance(architecture, str):
            usual = usual_of(architecture, values.get("weights", "random"))
            values |= {name: None for name, default in usual.items() if values.get(name) == default}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> "ModelSpec":
        architecture = self.architecture
        if architecture != "fcn" and self.depth is not None:
            raise ValueError("depth: only the fcn has one")
        if fixed_width(architecture) and self.width != default_width(architecture):
            has = "its own width; leave it out" if by_name(architecture) else f"the fixed width {default_width(architecture)}"
            raise ValueError(f"width: {architecture} has {has}")
        if by_name(architecture) and self.initialisation != "pytorch":
            raise ValueError(f"initialisation: {architecture} draws its weights itself; leave it out")
        if self.weights == "pretrained":
            if not has_weights(architecture):
                raise ValueError(f"weights: there are none for {architecture}; pretrained: {', '.join(PRETRAINED)}, and networks by name")
            if self.width != default_width(architecture):
                raise ValueError(f"width: the pretrained {architecture} has width {default_width(architecture)}")
            if self.initialisation != "pytorch":
                raise ValueError("initialisation: pretrained weights are not drawn at random; leave it out, or choose random weights")
        if self.head == "kept" and not (by_name(architecture) and self.weights == "pretrained"):
            raise ValueError("head: it is kept from the weights of a pretrained network by name; leave it out")
        if self.head_size is not None and self.head_start != "random":
            raise ValueError("head_size: only a random head has one")
        return self

    @property
    def seen(self) -> str:
        """``all``, ``last``, ``head``, or names of layers with commas between."""
        return self.sees or usual_of(self.architecture, self.weights)["sees"]

    @property
    def head_start(self) -> str:
        """``drawn``, ``kept``, ``zero``, ``random`` or ``ridge``."""
        return self.head or usual_of(self.architecture, self.weights)["head"]

    @property
    def statistics(self) -> str:
        """Of batch normalisation in training: ``frozen``, or each ``batch``'s."""
        return self.batch_norm or usual_of(self.architecture, self.weights)["batch_norm"]


def usual_of(architecture: str, weights: Any) -> dict[str, str]:
    """What is seen, how the head starts and which statistics are taken where nobody says.

    Of a pretrained network of a library the head alone is seen, and starts at zero: its kernel, the features' products, is the same for
    every seed and size, and the only one of a zero head, which passes no gradient on to the layers below. The server's own come with a
    head.
    """
    if architecture.startswith("mine:") and weights == "pretrained":
        return {"sees": "all", "head": "kept", "batch_norm": "frozen"}
    if by_name(architecture) and weights == "pretrained":
        return {"sees": "head", "head": "zero", "batch_norm": "frozen"}
    return {"sees": "all", "head": "drawn", "batch_norm": "batch"}


class TrainingSpec(Spec):
    """How the network is trained: SGD (or full-batch GD) on the summed squared loss, SCIENCE conventions.

    One step moves θ by ``-learning_rate / batch_size`` times the gradient of ``½ Σ_batch ‖f - y‖²``, so one epoch is
    gradient-flow time ``τ = learning_rate / (batch_size (1 - momentum))`` on the summed loss.
    """

    epochs: int = Field(20, ge=0, le=2000, description="passes over the images")
    learning_rate: float = Field(
        0.05,
        ge=RATE_RANGE[0],
        le=RATE_RANGE[1],
        allow_inf_nan=False,
        description="learning rate on the batch's mean; by the architecture if left out",
    )
    batch_size: int = Field(32, ge=0, le=100_000, description="images in a step; 0 = all of them (gradient descent)")
    momentum: float = Field(0.0, ge=0.0, le=LARGEST_MOMENTUM, description="share of the last step that is taken again")
    weight_decay: float = Field(0.0, ge=0.0, le=1.0, description="coefficient of θ added to each step's averaged gradient")
    seed: Seed = Field(0, description="seed of the order of the images")


def with_rate(given: Any, **usual: Any) -> Any:
    """What a specification of a network and its training was given, before it is read: what of the training is left out has a default.

    The learning rate's is the architecture's. A training that is a :class:`TrainingSpec` already says everything.

    Args:
        given: ``model`` and ``training`` among it, as dictionaries or specifications.
        usual: further fields of the training, which have another default than everywhere.
    """
    if not isinstance(given, Mapping) or isinstance(given.get("training"), TrainingSpec):
        return given
    model = given.get("model", {})
    architecture = model.get("architecture", "fcn") if isinstance(model, Mapping) else model.architecture
    base = usual | {"learning_rate": default_rate(architecture)}
    return dict(given) | {"training": base | dict(given.get("training", {}))}


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


@dataclass(frozen=True)
class Method:
    """A way of computing that others build on, such as the kernel engine; raise its version when its numbers change."""

    name: str
    version: int


def key_of(kind: str, version: int, spec: Spec, content: Mapping[str, str], uses: Sequence[Method] = ()) -> str:
    """Key of an artifact: SHA-256 over its kind, the methods' versions, the specification and the content hashes.

    Args:
        kind: what is computed, e.g. ``"learnability"``.
        version: the version of its own method; raise it when the numbers change.
        spec: the specification.
        content: content hash (hex) of everything read that the specification only names: data, weights, other artifacts by their keys.
        uses: the methods that its numbers come from besides its own.

    Returns:
        64 hex digits.
    """
    identity = {"kind": kind, "version": version, "spec": json.loads(spec.canonical()), "content": dict(content), "uses": versions(uses)}
    return hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def versions(uses: Sequence[Method]) -> dict[str, int]:
    """The methods' versions by their names, as keys and manifests hold them."""
    return {method.name: method.version for method in uses}


def faults(error: ValidationError) -> tuple[str, ...]:
    """What a specification's validators found wrong, each in its own words."""
    return tuple(item["msg"].removeprefix("Value error, ") for item in error.errors())
