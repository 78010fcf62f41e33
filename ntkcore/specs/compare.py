"""What the compare page computes, and what of it is looked at: two kernel regressions on the same images."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, model_validator

from ntkcore.specs.base import DatasetSpec, Images, ModelSpec, SizingSpec, Spec, faults
from ntkcore.specs.influence import LARGEST_RIDGE, InfluenceKernel, InfluenceSpec, RegressionSpec

_SEED = 1
"""Of B's initialisation where nobody says another: A's is 0."""
_SIZING = tuple(SizingSpec.model_fields)


class OtherSpec(RegressionSpec, SizingSpec):
    """B of a comparison: a kernel on A's images, in a size of its own where the network wants one."""

    kernel: InfluenceKernel = Field("pseudo", description="B's kernel")


class CompareSpec(InfluenceSpec):
    """Two kernel regressions on the same images: A by its own fields, B by those of :attr:`other`.

    Images, labels and their division are A's for both. λ is no part of it, as of each of them.
    """

    kernel: InfluenceKernel = Field("pseudo", description="A's kernel")
    other: OtherSpec = Field(OtherSpec(model=ModelSpec(seed=_SEED)), description="B, on the same images")

    @model_validator(mode="before")
    @classmethod
    def _other(cls, given: Any) -> Any:
        """A network of B that is drawn is another draw, unless somebody says which."""
        if not isinstance(given, Mapping) or isinstance(given.get("other"), OtherSpec):
            return given
        other = dict(given.get("other") or {})
        if other.get("kernel", "pseudo") != "two-layer" and not isinstance(other.get("model"), ModelSpec):
            other["model"] = {"seed": _SEED} | dict(other.get("model") or {})
        return dict(given) | {"other": other}

    @model_validator(mode="after")
    def _goes_together(self) -> "CompareSpec":
        try:
            _ = self.two
        except ValidationError as error:
            raise ValueError(faults(error)[0]) from None
        return self

    @property
    def one(self) -> InfluenceSpec:
        """A."""
        return InfluenceSpec.model_validate(self.model_dump(exclude={"other"}))

    @property
    def two(self) -> InfluenceSpec:
        """B."""
        other = self.other.model_dump()
        sizing = {name: getattr(self.other, name) for name in _SIZING}
        chosen = {name: other[name] for name in RegressionSpec.model_fields if name in other}
        dataset = DatasetSpec.model_validate(self.dataset.model_dump() | sizing)
        return InfluenceSpec.model_validate(chosen | {"dataset": dataset, "test": self.test})

    @classmethod
    def of(cls, one: InfluenceSpec, two: InfluenceSpec) -> "CompareSpec":
        """A against B, whose own images, but for their size, do not count."""
        dumped = two.model_dump(exclude={"dataset", "test"})
        sizing = {name: getattr(two.dataset, name) for name in _SIZING}
        return cls.model_validate(one.model_dump(exclude={"other"}) | {"other": OtherSpec.model_validate(dumped | sizing)})

    @property
    def swapped(self) -> "CompareSpec":
        """B against A."""
        return self.of(self.two, self.one)


class CompareView(Spec):
    """What of a comparison is looked at; part of a link, never of a key."""

    ridge: float = Field(1e-2, ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ of A")
    b_ridge: float | None = Field(None, ge=0.0, le=LARGEST_RIDGE, allow_inf_nan=False, description="λ of B; left out: A's")
    score: str = Field("information", max_length=40, description="number by which the images are compared")
    ranks: bool = Field(False, description="the scatter has ranks, not values")
    only: tuple[str, ...] = Field((), description="classes shown; () shows all")
    picked: Images = Field((), description="images selected in the scatter")
    basket: Images = Field((), description="ticked images")
    image: int | None = Field(None, ge=0, description="image open in the inspector")
    like: int | None = Field(None, ge=0, description="image whose nearest ones by each kernel's cosine the galleries show")

    @property
    def ridges(self) -> tuple[float, float]:
        """λ of A and of B."""
        return self.ridge, self.ridge if self.b_ridge is None else self.b_ridge

    @property
    def swapped(self) -> "CompareView":
        """B against A."""
        one, two = self.ridges
        return self.model_copy(update={"ridge": two, "b_ridge": None if one == two else one})
