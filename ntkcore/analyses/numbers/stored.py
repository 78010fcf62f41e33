"""Which stored results speak of the same images."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import AtlasError
from ntkcore.specs import DatasetSpec, ModelSpec, Spec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.learnability import LearnabilitySpec

S = TypeVar("S", bound=Spec)


@dataclass(frozen=True, slots=True)
class Stored:
    """The results there are; None: there is none.

    Attributes:
        influence: of the same images and kernel.
        learnability: of the same images and network, the most recently used.
    """

    influence: InfluenceSpec | None
    learnability: LearnabilitySpec | None


def stored_of(spec: InfluenceSpec, ws: Workspace) -> Stored:
    """What is stored of the images and the kernel of a specification."""
    there = spec if INFLUENCE.ready(spec, ws) else None
    return Stored(there, None if spec.model is None else learnability_of(spec.dataset, spec.model, ws))


def stored_beside(spec: LearnabilitySpec, ws: Workspace) -> Stored:
    """What is stored of the images and the network of a learnability analysis, besides itself: at initialisation or any epoch."""
    found = (other for other in specs_of(INFLUENCE, spec.dataset, ws) if other.model == spec.model and other.kernel in ("pseudo", "full"))
    return Stored(next(found, None), spec)


def learnability_of(dataset: DatasetSpec, model: ModelSpec, ws: Workspace) -> LearnabilitySpec | None:
    """The learnability analysis of these images and this network that was used last; None: none is stored."""
    return next((spec for spec in specs_of(LEARNABILITY, dataset, ws) if spec.model == model), None)


def specs_of(analysis: Analysis[S, Any, Any], dataset: DatasetSpec, ws: Workspace) -> Iterator[S]:
    """The specifications of all stored results of an analysis on these very images, the most recently used first."""
    return specs_on(analysis, lambda drawn: drawn == dataset, ws)


def specs_on(analysis: Analysis[S, Any, Any], wanted: Callable[[DatasetSpec], bool], ws: Workspace) -> Iterator[S]:
    """The specifications of all stored results of an analysis on images that are wanted, the most recently used first.

    Those that an earlier version stored under other fields, that are damaged, or of data that are gone, are nobody's.
    """

    def read() -> tuple[S, ...]:
        found = []
        for entry in ws.store.entries(analysis.kind):
            with suppress(ValidationError):
                if entry.spec:
                    found.append(analysis.spec.model_validate(entry.spec))
        return tuple(found)

    every = ws.hot.get(("numbers.specs", analysis.kind, ws.store.stamp(analysis.kind)), read, lambda specs: 1000 * (1 + len(specs)))
    return (spec for spec in every if wanted(spec.dataset) and _ready(analysis, spec, ws))  # type: ignore[attr-defined]


def _ready(analysis: Analysis[S, Any, Any], spec: S, ws: Workspace) -> bool:
    try:
        return analysis.ready(spec, ws)
    except AtlasError:  # its data, or its weights, are gone
        return False
