"""One image on every page: the stored results that have it, by its set and its name there, and what they say of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.map import views as map_views
from ntkcore.analyses.map.analysis import MAP
from ntkcore.analyses.numbers import known
from ntkcore.analyses.numbers.stored import Stored, specs_on
from ntkcore.analyses.words import number
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import AtlasError
from ntkcore.specs import DatasetSpec, Spec
from ntkcore.specs.map import MapView

_MOST = 6  # results that are asked


@dataclass(frozen=True, slots=True)
class Source:
    """A stored result that has an image.

    Attributes:
        analysis: of which it is, named as its page.
        spec: its specification.
        image: the image's place in it.
        title: what it is, in words.
        same: whether it is on the very images that were looked at.
    """

    analysis: Analysis[Any, Any, Any]
    spec: Spec
    image: int
    title: str
    same: bool


def sources(dataset: DatasetSpec, image: int, name: str, ws: Workspace) -> list[Source]:
    """The stored results that have an image: those on the same draw first, then those on other draws of the same set.

    Args:
        dataset, image: where it was looked at, and its place there.
        name: of the image in its set, which is the same in every draw.
    """
    found: list[Source] = []
    asked: tuple[Analysis[Any, Any, Any], ...] = (LEARNABILITY, INFLUENCE, MAP)
    for analysis in asked:
        for spec in specs_on(analysis, lambda drawn: (drawn.name, drawn.own) == (dataset.name, dataset.own), ws):
            at = image if spec.dataset == dataset else _place(analysis, spec, name, ws)
            if at is not None:
                found.append(Source(analysis, spec, at, analysis.title(spec, ws), spec.dataset == dataset))
    return sorted(found, key=lambda source: not source.same)[:_MOST]


def facts(source: Source, ridge: float, ws: Workspace) -> list[tuple[str, str]]:
    """What a result says of its image: each number's title, and its value with its rank among all images.

    Args:
        ridge: λ of the numbers that have one.
    """
    if source.analysis is MAP:
        look = map_views.Look.of(MAP.open(MAP.spec.model_validate(source.spec.model_dump()), ws), MapView(), ws)
        return [(title, _ranked(look.number(name), source.image)) for name, title in map_views.OWN.items()]
    there: Any = source.spec
    stored = Stored(there if source.analysis is INFLUENCE else None, there if source.analysis is LEARNABILITY else None)
    rows = []
    for name in known.available(stored):
        title = known.NUMBERS[name].title
        try:
            rows.append((title, _ranked(known.values(name, stored, ridge, ws), source.image)))
        except AtlasError as error:
            rows.append((title, error.message))
    return rows


def _place(analysis: Analysis[Any, Any, Any], spec: Spec, name: str, ws: Workspace) -> int | None:
    """Where an image is in another draw; None: it is not."""
    key = analysis.key(spec, ws)
    places: dict[str, int] = ws.hot.get(
        ("numbers.places", analysis.kind, key),
        lambda: {held: at for at, held in enumerate(ws.store.open(analysis.kind, key).json("images")["ids"])},
        lambda found: 100 * (1 + len(found)),
    )
    return places.get(name)


def _ranked(values: np.ndarray, image: int) -> str:
    value = float(values[image])
    if not np.isfinite(value):
        return "never" if value > 0 else "–"
    return f"{number(value)}, number {1 + int((values > value).sum()):,} of {len(values):,} from the largest"
