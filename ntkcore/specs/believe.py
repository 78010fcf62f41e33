"""What the question "Can I believe the number?" measures: retraining beside its estimates, and agreement between networks (Unique-info)."""

from typing import Literal, get_args

from pydantic import Field, model_validator

from ntkcore.specs.architectures import DEFAULT_DEPTH, DEFAULT_WIDTH, PRETRAINED
from ntkcore.specs.base import ModelSpec, Seed, Spec
from ntkcore.specs.influence import LARGEST_RIDGE, MOST_RETRAINED, InfluenceSpec, VerificationSpec

PAPER_RIDGE = 1e3
"""λ of the paper's regularised rows. Its loss is a sum, as ours is (§2, App. F), so that λ needs no conversion."""

NetworkName = Literal[
    "fcn-1", "fcn-2", "fcn-3", "cnn3", "cnn4", "cnn4-pretrained", "convnet", "resnet20", "resnet20-pretrained", "resnet18", "wrn16"
]
"""A network to compare with: an architecture, of the fcn its hidden layers, of others whether its weights are pretrained."""

NETWORK_NAMES: tuple[NetworkName, ...] = get_args(NetworkName)


class BelieveView(Spec):
    """Part of a link, never of a key."""

    show: Literal["retraining", "agreement", "times", "noise"] = Field("retraining", description="the check that is shown")
    removals: int | None = Field(
        None,
        ge=1,
        le=MOST_RETRAINED,
        description="training images left out, each in a training of its own; None: 20, or as many as ten minutes allow",
    )
    seed: Seed = Field(0, description="seed of the images left out")
    ridge: float = Field(PAPER_RIDGE, ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="the second λ; 0: λ = 0 alone")
    plot: Literal["plain", "regularised"] = Field("plain", description="whether the charts are of λ = 0 or of the second λ")
    others: tuple[NetworkName, ...] = Field((), description="networks that this one is compared with")
    seeds: int | None = Field(None, ge=1, le=10, description="initialisations of each network; None: 3, or as many as ten minutes allow")
    rate: float = Field(0.01, ge=1e-9, le=1e3, allow_inf_nan=False, description="η of SGD, whose noise blurs the weights")
    batch: int = Field(1, ge=1, le=100_000, description="b, images of a step of SGD")


class RetrainingStudySpec(Spec):
    """Real retraining without each of some random training images, beside linearisation and influence functions (Table 1)."""

    influence: InfluenceSpec
    time: float = Field(gt=0.0, le=1e6, allow_inf_nan=False, description="τ, the learning rate times the steps")
    removals: int = Field(ge=1, le=MOST_RETRAINED, description="images left out, each in a training of its own")
    seed: Seed = Field(0, description="seed of the images left out")
    ridges: tuple[float, ...] = Field((0.0,), min_length=1, max_length=4, description="λ, each in trainings of its own")

    @model_validator(mode="after")
    def _consistent(self) -> "RetrainingStudySpec":
        if self.removals >= self.influence.dataset.n:
            raise ValueError(f"removals: there are {self.influence.dataset.n} training images; leave out fewer")
        if list(self.ridges) != sorted(set(self.ridges)) or not all(0 <= ridge <= LARGEST_RIDGE for ridge in self.ridges):
            raise ValueError(f"ridges: give ascending numbers from 0 to {LARGEST_RIDGE:g}")
        if self.influence.kernel not in ("pseudo", "full"):
            raise ValueError("kernel: a kernel of infinite width has no network to retrain; choose a network's own kernel")
        if self.influence.training is not None:
            raise ValueError("training: retraining begins where the kernel was taken; take it at initialisation")
        return self

    def verification(self, ridge: float, images: tuple[int, ...]) -> VerificationSpec:
        """The trainings at one λ, as :mod:`ntkcore.analyses.verification.analysis` has them."""
        return VerificationSpec(influence=self.influence, removed=images, ridge=ridge, time=self.time)


class AgreementStudySpec(Spec):
    """F-SI of the same images by several networks, each from several initialisations (Unique-info A.4)."""

    influence: InfluenceSpec
    others: tuple[NetworkName, ...] = Field((), description="networks besides the analysis's own, in their default width")
    seeds: int = Field(ge=1, le=10, description="initialisations of each network, the analysis's own first")
    ridge: float = Field(ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ")
    time: float | None = Field(None, ge=1e-12, le=1e12, allow_inf_nan=False, description="τ; None: the end of training")

    @model_validator(mode="after")
    def _consistent(self) -> "AgreementStudySpec":
        if self.influence.kernel not in ("pseudo", "full"):
            raise ValueError("kernel: a kernel of infinite width is the same from every initialisation; choose a network's own kernel")
        if len(set(self.others)) != len(self.others):
            raise ValueError("others: name each network once")
        own = self.influence.model
        assert own is not None  # a network's own kernel has one
        if own in [_plain(name, own.seed) for name in self.others]:
            raise ValueError("others: the analysis's own network is compared anyway; leave it out")
        if len(self.variants) < 2:
            raise ValueError("others: one network from one initialisation has nothing to agree with; add networks or initialisations")
        return self

    @property
    def variants(self) -> tuple[InfluenceSpec, ...]:
        """The analyses compared, network by network, each from all its initialisations."""
        own = self.influence.model
        assert own is not None
        seeds = range(own.seed, own.seed + self.seeds)
        models = [own.model_copy(update={"seed": seed}) for seed in seeds]
        models += [_plain(name, seed) for name in self.others for seed in seeds]
        return tuple(self.influence.model_copy(update={"model": model}) for model in models)


def _plain(name: NetworkName, seed: int) -> ModelSpec:
    """The network of a name, in its default width."""
    base, _, rest = name.partition("-")
    return ModelSpec(
        architecture=base,
        width=DEFAULT_WIDTH[base],
        depth=(int(rest) if rest.isdigit() else DEFAULT_DEPTH) if base == "fcn" else None,
        weights="pretrained" if rest == "pretrained" and base in PRETRAINED else "random",
        seed=seed,
    )
