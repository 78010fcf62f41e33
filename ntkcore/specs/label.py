"""A session of labelling: what is labelled, into which classes, and the network that suggests (Thesis ch. 2)."""

from typing import Any

from pydantic import Field, model_validator

from ntkcore.specs.base import DatasetSpec, Image, ModelSpec, Spec, TrainingSpec, with_rate

MOST_ITEMS = 6_000
"""Things of one session, held-out ones included: the kernel of all of them stays in memory."""
_EPOCHS = 100


class LabelSpec(Spec):
    """What a session is of. Its labels are not part of it: they are in the library."""

    dataset: DatasetSpec = Field(DatasetSpec(n=500), description="what is labelled")
    more: tuple[str, ...] = Field((), description="classes that the set does not name")
    practise: bool = Field(True, description="hide the labels of a set that has them, to practise")
    start: int = Field(10, ge=0, le=MOST_ITEMS, description="when practising, so many of the draw come labelled")
    held: int = Field(200, ge=0, le=MOST_ITEMS, description="when practising, further ones of the draw, on which accuracy is measured")
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec(epochs=_EPOCHS)
    ridge: float = Field(1e-3, gt=0.0, le=1e3, allow_inf_nan=False, description="λ, in units of the mean of the kernel's diagonal")
    every: int = Field(10, ge=1, le=10_000, description="new labels after which a new network is trained in the background")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        """Of few images, an epoch is few steps."""
        return with_rate(given, epochs=_EPOCHS)

    @model_validator(mode="after")
    def _consistent(self) -> "LabelSpec":
        if self.dataset.n + self.held > MOST_ITEMS:
            raise ValueError(f"n: at most {MOST_ITEMS:,} are labelled in one session, with those held out; choose fewer")
        if self.start > self.dataset.n:
            raise ValueError(f"start: only {self.dataset.n:,} are drawn; choose fewer that come labelled")
        if not self.practise and self.held:
            raise ValueError("held: only where labels are known, in practice, can some be held out to measure by")
        if self.model.head_start == "ridge":
            raise ValueError("head: one that is fitted on all labels would know those that are still to be given; choose another start")
        if self.dataset.label_noise:
            raise ValueError("label_noise: labels that are given by people are not moved")
        if len(set(self.more)) != len(self.more) or not all(name.strip() for name in self.more):
            raise ValueError("more: each further class has a name of its own")
        return self


class LabelNetworkSpec(Spec):
    """The network trained on the labels of one moment of a session."""

    session: LabelSpec
    labelled: tuple[tuple[Image, Image], ...] = Field((), description="item and class, by item")

    @model_validator(mode="after")
    def _consistent(self) -> "LabelNetworkSpec":
        items = [item for item, _ in self.labelled]
        if items != sorted(set(items)):
            raise ValueError("labelled: each item once, in order")
        return self
