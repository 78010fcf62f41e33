"""What of one page's choice another page takes over: the images and the network, so that whoever goes on asks of the same."""

import hashlib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from ntkcore.analyses import defaults
from ntkcore.analyses.compare.differences import suggestions
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import AtlasError
from ntkcore.specs import DatasetSpec, ModelSpec, Spec, TrainingSpec, by_name, default_rate
from ntkcore.specs.active import ActiveSpec
from ntkcore.specs.compare import CompareSpec
from ntkcore.specs.convergence import ConvergenceSpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.learnability import LearnabilitySpec

S = TypeVar("S", bound=Spec)
_OWN_SIZE = (ConvergenceSpec, ActiveSpec)
"""Of which a number of images means something else: a full kernel of few, a pool to label from."""


def carried(to: S, came: Spec, ws: Workspace) -> S:
    """A page's specification about the images and the network of another page's; what does not go together stays as it was.

    Args:
        to: the one that the page had, or its default.
        came: the other page's.
    """
    if isinstance(came, CompareSpec):
        came = came.one
    if isinstance(to, CompareSpec):
        one = carried(to.one, came, ws)
        two = to.two if to != CompareSpec() else next(iter(suggestions(one).values()), to.two)  # a pair that somebody chose keeps its B
        return to if one == to.one else type(to).model_validate(CompareSpec.of(one, two).model_dump())
    if isinstance(to, InfluenceSpec) and isinstance(came, InfluenceSpec):
        return type(to).model_validate(came.model_dump())
    images = _images(to, came)
    if images is None:
        return to
    for network in (dict(_network(to, came)), {}):
        try:
            found = type(to).model_validate(to.model_dump() | network | {"dataset": images.model_dump()})
        except ValidationError:
            continue
        return to if found == to else _fitting(found, ws)
    return to


def same_images(one: Spec, other: Spec) -> bool:
    """Whether image i of one choice is image i of the other, as far as both have it: draws are nested."""
    drawn, again = getattr(one, "dataset", None), getattr(other, "dataset", None)
    return drawn is not None and again is not None and draw(drawn) == draw(again)


def draw(dataset: DatasetSpec) -> str:
    """32 hex digits that name a draw, however many of its images there are: draws are nested."""
    return hashlib.sha256(dataset.model_copy(update={"n": 0}).canonical().encode()).hexdigest()[:32]


def _fitting(spec: Any, ws: Workspace) -> Any:
    """With as many images as were meant where there are so many, else as many as fit."""
    kept = defaults.fitted(spec, {"n"}, ws)
    try:
        room = defaults.room_of_choice(spec.dataset, ws)
    except AtlasError:  # said where its images are drawn
        return kept
    return kept if kept.dataset.n + getattr(kept, "test", 0) <= room.images else defaults.fitted(spec, (), ws)


def _images(to: Spec, came: Spec) -> DatasetSpec | None:
    held, chosen = getattr(to, "dataset", None), getattr(came, "dataset", None)
    if not isinstance(held, DatasetSpec) or not isinstance(chosen, DatasetSpec):
        return None
    return chosen.model_copy(update={"n": held.n}) if isinstance(to, _OWN_SIZE) or isinstance(came, _OWN_SIZE) else chosen


def _network(to: Spec, came: Spec) -> Mapping[str, Any]:
    """The fields of a specification that say the network, as another one has it."""
    model, training = _network_of(came)
    held = to.architecture if isinstance(to, ConvergenceSpec) else getattr(getattr(to, "model", None), "architecture", None)
    if model is None or (held == model.architecture and ConvergenceSpec in (type(to), type(came))):
        return {}  # of many widths, or one of many: the architecture is what they share
    if isinstance(to, InfluenceSpec):
        kernel = to.kernel if to.kernel in ("pseudo", "full") else "pseudo"
        return {"kernel": kernel, "model": model.model_dump(), "training": None if training is None else training.model_dump()}
    if isinstance(to, ConvergenceSpec):
        drawn = {"initialisation": model.initialisation} if model.weights == "pretrained" or by_name(model.architecture) else {}
        alike = {name: getattr(model, name) for name in ConvergenceSpec.later}
        return {"architecture": model.architecture, "depth": model.depth, "widths": None, "training": {}} | drawn | alike
    if isinstance(to, LearnabilitySpec | ActiveSpec):
        found: dict[str, Any] = {"model": model.model_dump()}
        if to.model.architecture != model.architecture:
            found["training"] = to.training.model_dump() | {"learning_rate": default_rate(model.architecture)}
        if isinstance(to, LearnabilitySpec) and training is not None:
            longer = max(training.epochs, to.training.epochs)
            found |= {"training": training.model_dump() | {"epochs": longer}, "kernel_epoch": training.epochs}
        return found
    return {}


def _network_of(spec: Spec) -> tuple[ModelSpec | None, TrainingSpec | None]:
    """The network of a specification and the training up to where its kernel is taken; None: it has none, or it is at initialisation."""
    if isinstance(spec, InfluenceSpec):
        return (None, None) if spec.kernel == "two-layer" else (spec.model, spec.training)
    if isinstance(spec, LearnabilitySpec):
        return spec.model, spec.kernel.training
    if isinstance(spec, ActiveSpec):
        return spec.model, None
    if isinstance(spec, ConvergenceSpec):
        alike = {name: getattr(spec, name) for name in ("architecture", "depth", "initialisation", *ConvergenceSpec.later)}
        return ModelSpec(**alike), None
    return None, None
