"""Studies of groups of images (Unique-info §6, Figs. 2a, 9, 10): sources of one task, an under-sampled sub-class, adversarial examples."""

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, field_validator, model_serializer, model_validator

from ntkcore.specs.architectures import Architecture
from ntkcore.specs.base import RATE_RANGE, ContentId, DatasetName, DatasetSpec, ModelSpec, Seed, Spec, TrainingSpec, Written
from ntkcore.specs.influence import LARGEST_RIDGE, InfluenceKernel, InfluenceSpec

SOURCES_MOST = 4
OF_KERNEL = ("kernel", "model", "dtype", "compression")
"""What of an influence analysis tells its kernel apart, the images aside."""
Count = Annotated[int, Field(ge=2, le=10_000)]


class SourceSpec(Spec):
    """A set that images come from: a named one, or one of your own by the hash of its content."""

    name: DatasetName
    own: ContentId | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "SourceSpec":
        if (self.name == "own") != (self.own is not None):
            raise ValueError("own: an imported set needs its content id, and only an imported set has one")
        return self

    @property
    def token(self) -> str:
        """How a link calls it: ``"mnist"``, ``"own:<content id>"``."""
        return f"own:{self.own}" if self.own else self.name

    @classmethod
    def of(cls, token: str) -> "SourceSpec":
        """The inverse of :attr:`token`. Raises pydantic's ValidationError: there is no such set."""
        name, _, own = token.partition(":")
        return cls.model_validate({"name": name, "own": own or None})


class GroupSpec(Spec):
    """Images of one group in a composed set: the first ``n`` of a draw to train on, the ``test`` after them held out.

    ``classes`` are those of the source that are drawn, and ``labels`` what each is called in the composed set.
    """

    name: str = Field(min_length=1, max_length=200)
    source: SourceSpec
    classes: tuple[str, ...] = Field(min_length=1)
    labels: tuple[str, ...] = Field(min_length=1)
    n: int = Field(ge=1, le=100_000)
    test: int = Field(ge=0, le=100_000)

    @model_validator(mode="after")
    def _consistent(self) -> "GroupSpec":
        if len(self.classes) != len(self.labels) or len(set(self.classes)) != len(self.classes):
            raise ValueError("labels: name one for each class, and each class once")
        return self


class GroupStudySpec(Spec):
    """What the studies of groups have in common: a kernel at initialisation or of pretrained weights, λ, τ, and how often it is drawn."""

    kernel: InfluenceKernel = "two-layer"
    model: ModelSpec | None = None
    dtype: Literal["float32", "float64"] = "float32"
    compression: Literal["none", "subset"] = Field("none", description="of a network's gradients")
    ridge: float = Field(1e-2, ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ")
    time: float | None = Field(None, ge=1e-12, le=1e12, allow_inf_nan=False, description="τ; None: the end of training")
    seed: Seed = Field(0, description="of the first draw; each repeat has the next one")
    repeats: int = Field(3, ge=1, le=20)

    @model_validator(mode="after")
    def _of_kernel(self) -> "GroupStudySpec":
        self.chosen()
        return self

    def chosen(self, **changes: Any) -> InfluenceSpec:
        """The kernel as an influence analysis asks for it, with other values where they are given."""
        return InfluenceSpec.model_validate({name: getattr(self, name) for name in OF_KERNEL} | changes)

    @model_serializer(mode="wrap")
    def _unsaid(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the compression where there is none, as an influence analysis is written."""
        values: dict[str, Any] = write(self)
        if values.get("compression") == "none":
            del values["compression"]
        return values


class SourcesSpec(GroupStudySpec):
    """Two or more sources of one task: ``n`` images of each to train on, ``test`` held out."""

    sources: tuple[SourceSpec, ...] = Field(min_length=2, max_length=SOURCES_MOST)
    classes: tuple[str, ...] = Field((), description="classes kept of each; () keeps all")
    n: int = Field(500, ge=4, le=5_000, description="images of each source")
    test: int = Field(250, ge=2, le=2_500, description="held-out images of each source")

    @model_validator(mode="after")
    def _different(self) -> "SourcesSpec":
        if len(set(self.sources)) != len(self.sources):
            raise ValueError("sources: name different ones; an image set tells nothing new beside itself")
        return self


class SubclassSpec(GroupStudySpec):
    """A class of two sub-classes that its labels do not tell apart, the rare one at each of ``counts``, against another class."""

    source: SourceSpec
    rare: str
    common: str
    other: str
    counts: tuple[Count, ...] = Field((10, 25, 50, 100, 250, 500), min_length=1, max_length=12, description="images of the rare one")
    common_count: int = Field(500, ge=2, le=10_000)
    other_count: int = Field(500, ge=2, le=10_000)
    test: int = Field(300, ge=3, le=10_000, description="held-out images in all")
    held: Literal["as-trained", "equal"] = Field("as-trained", description="shares of the three among them")

    @model_validator(mode="after")
    def _different(self) -> "SubclassSpec":
        if len({self.rare, self.common, self.other}) < 3:
            raise ValueError("rare, common, other: name three different classes")
        if list(self.counts) != sorted(set(self.counts)):
            raise ValueError("counts: name different ones, the smallest first")
        return self


class AdversarialSpec(GroupStudySpec):
    """FGSM examples among the training images, made on a network trained on the clean ones, judged by another one's kernel."""

    dataset: DatasetSpec
    test: int = Field(200, ge=1, le=10_000, description="held-out images, drawn after the training images")
    attacked: ModelSpec
    training: TrainingSpec
    epsilon: float = Field(0.01, gt=0.0, le=1.0, allow_inf_nan=False, description="ε, of inputs from 0 to 1")
    share: float = Field(0.1, gt=0.0, le=0.5, description="of the training images that are replaced, at most")

    @model_validator(mode="after")
    def _trained(self) -> "AdversarialSpec":
        if not self.training.epochs:
            raise ValueError("epochs: the attacked network is trained; name at least one")
        if self.dataset.label_noise:
            raise ValueError("dataset: adversarial examples are of images whose labels are right; flip none")
        return self


class SourcesView(Spec):
    """The sources question; part of a link."""

    others: tuple[str, ...] = Field((), max_length=SOURCES_MOST - 1, description="sources beside the page's own data set")
    n: int | None = Field(None, ge=4, le=5_000, description="images of each source; None: 500, or what fits")
    test: int | None = Field(None, ge=2, le=2_500, description="held-out images of each source; None: 250, or what is left")
    repeats: int | None = Field(None, ge=1, le=20, description="draws of images; None: 3, or as many as ten minutes allow")
    part: int = Field(0, ge=0, description="repeat whose images are shown")

    @field_validator("others")
    @classmethod
    def _sets(cls, others: tuple[str, ...]) -> tuple[str, ...]:
        for token in others:
            try:
                SourceSpec.of(token)
            except ValidationError as error:
                raise ValueError(f"there is no image set {token[:80]!r}") from error
        return others


class GroupsView(Spec):
    """The sub-class and adversarial questions; part of a link."""

    study: Literal["subclass", "adversarial"] = Field("subclass", description="the question that is shown")
    rare: str | None = Field(None, description="the rare sub-class; None: see the study")
    common: str | None = Field(None, description="the common sub-class; None: see the study")
    other: str | None = Field(None, description="the other class; None: see the study")
    count: int | None = Field(None, ge=2, le=10_000, description="images of the rare sub-class whose scores are shown; None: about 50")
    counts: Annotated[tuple[Count, ...] | None, Written("numbers")] = Field(
        None,
        min_length=1,
        max_length=12,
        description="images of the rare sub-class, each count a training set; None: 10 to 500, as far as there are as many",
    )
    common_count: int | None = Field(None, ge=2, le=10_000, description="images of the common sub-class; None: 500, or what fits")
    other_count: int | None = Field(None, ge=2, le=10_000, description="images of the other class; None: 500, or what fits")
    test: int | None = Field(None, ge=3, le=10_000, description="held-out images in all; None: 300, or what is left")
    held: Literal["as-trained", "equal"] = Field("as-trained", description="shares of the three among the held-out images")
    repeats: int | None = Field(None, ge=1, le=20, description="draws of images; None: 3, or as many as ten minutes allow")
    part: int = Field(0, ge=0, description="repeat whose images are shown")
    epsilon: float = Field(0.01, gt=0.0, le=1.0, allow_inf_nan=False, description="ε of FGSM, of inputs from 0 to 1")
    share: float = Field(0.1, gt=0.0, le=0.5, description="share of the training images that is attacked")
    network: Architecture | None = Field(None, description="network that is attacked; None: the kernel's own")
    weights: Literal["random", "pretrained"] | None = Field(None, description="it starts from; None: as the kernel's own network")
    epochs: int = Field(10, ge=1, le=2000, description="of the attacked network's training")
    rate: float | None = Field(
        None, ge=RATE_RANGE[0], le=RATE_RANGE[1], allow_inf_nan=False, description="its learning rate; None: the network's default"
    )
    batch: int = Field(32, ge=0, le=100_000, description="images in a step of it; 0: all")
