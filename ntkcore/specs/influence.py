"""What the influence and reliability pages compute, and what of it is looked at (IF-NTK; SCIENCE §3-5)."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, ValidationInfo, field_validator, model_serializer, model_validator

from ntkcore.specs.architectures import default_rate
from ntkcore.specs.base import DatasetSpec, Images, ModelSpec, Seed, Spec, TrainingSpec
from ntkcore.specs.filters import Among, Cell, Filters

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
_TOLD = {"learning_rate": "rate", "batch_size": "batch", "weight_decay": "decay", "seed": "shuffle"}  # as an address calls them
MOST_RETRAINED = 200
"""Trainings of one verification, each without another image."""


class RegressionSpec(Spec):
    """A kernel to regress with: which one, of which network, after which training."""

    kernel: InfluenceKernel = Field(
        "two-layer",
        description="of the two-layer ReLU network or a network, of infinite width; or a network's own pseudo-NTK or full kernel",
    )
    model: ModelSpec | None = Field(None, description="the network; None for the two-layer kernel, which has no choice")
    training: TrainingSpec | None = Field(None, description="up to the epoch at which the kernel is taken; None: at initialisation")
    dtype: Literal["float32", "float64"] = Field("float32", description="precision of a network's kernel; closed forms are in float64")
    compression: Literal["none", "subset"] = Field(
        "none", description="of a network's gradients: 2000 random weights of each parameter tensor stand for all (Unique-info §5)"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        """A network is needed, or there is none to choose; the learning rate left out is the architecture's default."""
        if not isinstance(given, Mapping):
            return given
        values = dict(given)
        chosen, training = values.pop("model", None), values.pop("training", None)
        if values.get("kernel", cls.model_fields["kernel"].default) != "two-layer":
            values["model"] = chosen = chosen or {}
        elif chosen:
            values["model"] = chosen
        if isinstance(training, Mapping):
            _trained(training)
            architecture = chosen.get("architecture", "fcn") if isinstance(chosen, Mapping) else chosen.architecture if chosen else "fcn"
            base = {"epochs": 0, "learning_rate": default_rate(architecture)}
            training = base | dict(training) if training else None
        values["training"] = training
        return values

    @field_validator("model")
    @classmethod
    def _seedless(cls, model: ModelSpec | None, known: ValidationInfo) -> ModelSpec | None:
        """An infinitely wide network is the same from every seed."""
        return model.model_copy(update={"seed": 0}) if model is not None and known.data.get("kernel") == "infinite" else model

    @field_validator("training")
    @classmethod
    def _begun(cls, training: TrainingSpec | None) -> TrainingSpec | None:
        """A training of no epochs is none, however it is said."""
        return training if training is not None and training.epochs else None

    @model_validator(mode="after")
    def _consistent(self) -> "RegressionSpec":
        if self.kernel == "two-layer" and self.model is not None:
            raise ValueError("model: the two-layer kernel is that of one network, of infinite width; leave it out")
        if self.kernel in ("two-layer", "infinite") and (self.training is not None or self.dtype != "float32"):
            raise ValueError("training: a kernel of infinite width does not change in training, and is computed in float64")
        if self.kernel in ("two-layer", "infinite") and self.compression != "none":
            raise ValueError("compress: a kernel of infinite width is not made of gradients; only a network's can be compressed")
        if self.kernel == "infinite" and self.model is not None:
            if self.model.architecture not in CHAINS:
                raise ValueError(f"model: the infinite width is known of {', '.join(CHAINS)}")
            if self.model.weights != "random":
                raise ValueError("weights: infinite width has none that are pretrained")
            if self.model.seen != "all" or self.model.head_start != "drawn":
                raise ValueError("sees: a kernel of infinite width is over all parameters, as they are drawn; leave out sees and head")
        return self

    @model_serializer(mode="wrap")
    def _unsaid(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the compression where there is none, so that results from before there was a choice keep their keys."""
        values: dict[str, Any] = write(self)
        if values.get("compression") == "none":
            del values["compression"]
        return values


class InfluenceSpec(RegressionSpec):
    """Which training image influenced which prediction: a kernel on training and held-out images, decomposed once.

    λ and the training time are not part of it: one decomposition answers for all of them.
    """

    dataset: DatasetSpec = DatasetSpec(n=500)
    test: int = Field(200, ge=1, le=10_000, description="images held out, drawn after the n training images")


def _trained(training: Mapping[str, Any]) -> None:
    """Refuse a training that is described but has no epochs: what was asked for would be dropped."""
    told = [_TOLD.get(name, name) for name in training if name != "epochs"]
    if told and training.get("epochs", 0) in (0, "0"):
        raise ValueError(f"training: {', '.join(told)} given without epochs; say how many there are before the kernel is taken")


class AdditionSpec(Spec):
    """The kernel of an influence analysis on its held-out images with each other: with it any of them can enter the training set."""

    influence: InfluenceSpec


class VerificationSpec(Spec):
    """Real retraining of what an influence analysis predicts (IF-NTK Fig. 1, Table 1).

    A network is trained from one θ0 by full-batch gradient descent, once on everything and once for each of :attr:`changes`, or once with
    held-out images added, and its change of loss on the held-out images is held against the kernel's. The two-layer kernel is verified on
    the paper's network of ``width`` units, a network's kernel on the network itself.
    """

    influence: InfluenceSpec
    removed: tuple[Annotated[int, Field(ge=0)], ...] = Field((), max_length=100_000, description="training images, each left out once")
    added: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (), max_length=10_000, description="held-out images that are learned with their labels, too, in one training"
    )
    together: bool = Field(False, description="all of them left out at once, in one training")
    label: int | None = Field(None, ge=0, description="class that they are given instead of being left out")
    target: int | None = Field(None, ge=0, description="held-out image that they influence most; None: they were chosen otherwise")
    ridge: float = Field(ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ")
    time: float = Field(gt=0.0, le=1e6, allow_inf_nan=False, description="τ, the learning rate times the steps")
    width: int | None = Field(None, ge=16, le=65_536, description="units of the two-layer network; None for a network's own kernel")
    kappa: float = Field(0.01, gt=0.0, le=1.0, description="κ, standard deviation of the two-layer network's first weights")
    seed: Seed = 0

    @model_validator(mode="after")
    def _consistent(self) -> "VerificationSpec":
        if bool(self.removed) == bool(self.added):
            raise ValueError("removed: name training images to leave out, or held-out images to add")
        if len(set(self.removed)) != len(self.removed) or max(self.removed, default=0) >= self.influence.dataset.n:
            raise ValueError("removed: name different training images")
        if len(set(self.added)) != len(self.added) or max(self.added, default=0) >= self.influence.test:
            raise ValueError("added: name different held-out images")
        if self.added and (len(self.added) == self.influence.test or not self.together or self.label is not None):
            raise ValueError("added: they enter together with their own labels; leave one held-out image to judge by")
        if not self.together and len(self.removed) > MOST_RETRAINED:
            raise ValueError(f"removed: each is a training of its own; name at most {MOST_RETRAINED}")
        if self.together and self.label is None and len(self.removed) == self.influence.dataset.n:
            raise ValueError("removed: leave at least one image to train on")
        if self.target is not None and self.target >= self.influence.test:
            raise ValueError(f"target: the held-out images are 0 to {self.influence.test - 1}")
        if self.influence.kernel == "infinite":
            raise ValueError("kernel: retrain the two-layer network, or a network whose own kernel was taken")
        if (self.influence.kernel == "two-layer") != (self.width is not None):
            raise ValueError("width: the two-layer network needs one, and only it has one to choose")
        if self.influence.training is not None:
            raise ValueError("training: retraining begins where the kernel was taken; take it at initialisation")
        return self

    @model_serializer(mode="wrap")
    def _unsaid(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the added images where there are none, so that results from before one could add keep their keys."""
        values: dict[str, Any] = write(self)
        if not values.get("added"):
            values.pop("added", None)
        return values

    @property
    def changes(self) -> tuple[tuple[int, ...], ...]:
        """The images that each training after the first does without, learns with another label, or learns too."""
        return (self.removed or self.added,) if self.together else tuple((image,) for image in self.removed)


class InfluenceView(Spec):
    """What of an influence result is looked at; part of a link, never of a key."""

    ridge: float = Field(1e-2, ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ, absolute")
    time: float | None = Field(None, ge=1e-12, le=1e12, allow_inf_nan=False, description="τ of gradient flow; None: the end of training")
    target: int | None = Field(None, ge=0, description="held-out image chosen; None: the first of the gallery")
    tests: Literal["wrong", "loss", "all"] = Field("loss", description="held-out images shown: misclassified, by loss, as drawn")
    only: tuple[str, ...] = Field((), description="classes of the held-out images shown; () shows all")
    cell: Cell = None
    mean: Literal["no", "shown", "ticked"] = Field("no", description="whose influences: the chosen image's, or a mean over a group")
    picked: Images = Field((), description="ticked held-out images")
    show: Literal["helpful", "harmful", "idle"] = Field("helpful", description="gallery of training images")
    filters: Filters = ()
    among: Among = ()
    by: str = Field("", max_length=40, description="number that the training images shown are sorted by instead; -NAME: the smallest first")
    group: int | None = Field(None, ge=0, description="group by influence whose images are shown, 0 the most harmful; None: the last")
    like: int | None = Field(None, ge=0, description="training image whose nearest ones by the kernel's cosine the gallery shows")
    image: int | None = Field(None, ge=0, description="training image open in the inspector")
    held: int | None = Field(None, ge=0, description="held-out image open in the inspector")
    verify: int = Field(512, ge=16, le=65_536, description="units of the two-layer network that is retrained")
    check: Literal["leading", "ticked"] = Field("leading", description="images left out in turn: the most influential, or the basket's")
    leading: int | None = Field(
        None, ge=1, le=MOST_RETRAINED, description="most influential images left out in turn; None: 40, or as many as ten minutes allow"
    )
    basket: Images = Field((), description="ticked training images")
    deed: Literal["delete", "relabel", "add"] = Field(
        "delete",
        description="what is done: the basket's images are left out or called otherwise, or the ticked held-out images are learned",
    )
    label: int | None = Field(None, ge=0, description="class that the basket's images are given; None: the one that fewest of them have")

    @model_validator(mode="after")
    def _consistent(self) -> "InfluenceView":
        if self.image is not None and self.held is not None:
            raise ValueError("held: the inspector shows one image; leave out this one or the training image")
        return self
