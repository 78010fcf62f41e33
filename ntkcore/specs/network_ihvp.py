"""What the reliability page compares on a real network: the IHVP method's estimates beside the truth by retraining (IF-NTK eq. 12)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ntkcore.specs.base import Seed, Spec
from ntkcore.specs.influence import InfluenceSpec, VerificationSpec

Curvature = Literal["hessian", "gauss-newton"]

_RUNS = 1000  # seeds apart, so that the runs of two seeds share none
_DEEPEST = 100_000

Depth = Annotated[int, Field(ge=1, le=_DEEPEST)]


class TrainedSpec(Spec):
    """The network that a verification trains on all images: what of it decides θ."""

    influence: InfluenceSpec
    ridge: float
    time: float
    width: int | None
    kappa: float
    seed: Seed

    @classmethod
    def of(cls, spec: VerificationSpec) -> "TrainedSpec":
        """That of a verification, whatever it leaves out."""
        return cls(**{name: getattr(spec, name) for name in cls.model_fields})


class EstimateSpec(Spec):
    """One estimate of every training image's influence on one held-out image, at a trained network.

    By conjugate gradients to ``tolerance``, or by one run of LiSSA, whose scale and depth are given, or its own choice, or those of the
    run ``like``.
    """

    network: TrainedSpec
    target: int
    curvature: Curvature
    tolerance: float | None = None
    batch: int | None = Field(None, description="images of a step of LiSSA; None: conjugate gradients")
    seed: int = Field(0, description="of LiSSA's batches")
    scale: float | None = None
    depth: int | None = None
    like: "EstimateSpec | None" = None


class NetworkIhvpSpec(Spec):
    """The IHVP method on the network that a verification trains: by conjugate gradients, and by repeated runs of LiSSA."""

    verification: VerificationSpec
    target: int = Field(ge=0, description="held-out image whose influences are estimated")
    tolerance: float = Field(
        1e-4, ge=1e-6, le=0.1, allow_inf_nan=False, description="relative residual at which conjugate gradients stop (in single precision)"
    )
    depth: Depth | None = Field(None, description="steps of LiSSA's recursion; None: log(100) scale / λ")
    scale: float | None = Field(
        None, gt=0.0, le=1e12, allow_inf_nan=False, description="LiSSA's scale, above the largest curvature of a batch; None: measured"
    )
    batch: int = Field(64, ge=1, le=100_000, description="images of a step of LiSSA, drawn without replacement; as many as there are: all")
    repeats: int = Field(8, ge=2, le=64, description="runs of LiSSA, by which its scatter is judged")
    seed: Seed = Field(0, description="seed of LiSSA's batches")

    @model_validator(mode="after")
    def _consistent(self) -> "NetworkIhvpSpec":
        if self.verification.together or self.verification.label is not None:
            raise ValueError("verification: leave each image out once; the formula is for one image")
        if self.verification.ridge == 0:
            raise ValueError("ridge: without λ the Hessian has no inverse, as the network has more weights than images; choose λ above 0")
        if self.target >= self.verification.influence.test:
            raise ValueError(f"target: the held-out images are 0 to {self.verification.influence.test - 1}")
        return self

    @property
    def curvatures(self) -> tuple[Curvature, ...]:
        """Those that differ: the two-layer network is piecewise linear in its weights, so that its Hessian is the Gauss-Newton matrix."""
        return ("hessian", "gauss-newton") if self.verification.width is None else ("hessian",)

    def exact(self, curvature: Curvature) -> EstimateSpec:
        """Conjugate gradients."""
        return EstimateSpec(network=TrainedSpec.of(self.verification), target=self.target, curvature=curvature, tolerance=self.tolerance)

    def run(self, number: int, curvature: Curvature) -> EstimateSpec:
        """One run of LiSSA; what is not given of its scale and depth, the run of number 0 decides."""
        first = EstimateSpec(
            network=TrainedSpec.of(self.verification),
            target=self.target,
            curvature=curvature,
            batch=self.batch,
            seed=self.seed * _RUNS,
            scale=self.scale,
            depth=self.depth,
        )
        return first if number == 0 else _as(first, self.batch, first.seed + number)

    def without_chance(self, curvature: Curvature) -> EstimateSpec:
        """LiSSA's recursion with all images in every step, which is the mean over all its possible runs."""
        return _as(self.run(0, curvature), self.verification.influence.dataset.n, 0)


def _as(first: EstimateSpec, batch: int, seed: int) -> EstimateSpec:
    decided = first.scale is not None and first.depth is not None
    changes: dict[str, object] = {"batch": batch, "seed": seed}
    return first.model_copy(update=changes if decided else changes | {"scale": None, "depth": None, "like": first})
