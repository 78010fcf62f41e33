"""What the learnability page computes, and what of it is looked at (Learnability §2-3)."""

from typing import Any, Literal

from pydantic import Field, model_validator

from ntkcore.specs.base import DatasetSpec, Images, KernelSpec, ModelSpec, RunSpec, Spec, TrainingSpec, with_rate
from ntkcore.specs.filters import Among, Cell, Filters


class LearnabilitySpec(Spec):
    """Learnability: rank images by k(x,x) and test the ranking against training (Learnability §2-3)."""

    dataset: DatasetSpec = DatasetSpec()
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    kernel_epoch: int = Field(0, ge=0, description="epoch of the training at which the kernel is taken; 0 = initialisation")
    full_kernel: bool = Field(True, description="also solve the coupled dynamics with the whole n × n kernel (eq. 17)")
    dtype: Literal["float32", "float64"] = Field("float32", description="precision of the kernel")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        return with_rate(given)

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
    gallery: Literal["hard", "easy", "all"] = Field("hard", alias="show", description="images shown")
    # "score" ranks from the end that is shown: hardest first, in the gallery of easy images easiest first
    order: Literal["score", "score-down", "learned", "learned-down", "error", "error-down"] = "score"
    only: tuple[str, ...] = Field((), description="classes shown; () shows all")
    cell: Cell = None
    filters: Filters = ()
    among: Among = ()
    by: str = Field("", max_length=40, description="number that the gallery is sorted by instead; -NAME: the smallest first")
    judged: Literal["any", "correct", "wrong", "flipped"] = "any"
    low: float = Field(0.0, ge=0.0, le=100.0, description="smallest percentile of k(x,x) shown")
    high: float = Field(100.0, ge=0.0, le=100.0, description="largest percentile of k(x,x) shown")
    picked: Images = Field((), description="images selected in a chart; () = no selection")
    basket: Images = Field((), description="ticked images")
    like: int | None = Field(None, ge=0, description="image whose nearest ones by the kernel's cosine come first")
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
