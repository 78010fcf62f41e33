"""What of a map is shown: the plane that is drawn, what it keeps, the numbers of the images, the gallery and its order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from ntkcore.analyses.look import memoised
from ntkcore.analyses.map.result import MapResult
from ntkcore.analyses.numbers import filters, known
from ntkcore.analyses.numbers.columns import MARK, Words, columns_of
from ntkcore.analyses.numbers.stored import stored_of
from ntkcore.analyses.numbers.tagged import Tagged
from ntkcore.analyses.workspace import Workspace
from ntkcore.embedding import share_kept
from ntkcore.specs.filters import range_of
from ntkcore.specs.map import MapSpec, MapView

NEIGHBOURS = 15
"""True neighbours of each image of which the plane is asked how many it keeps."""
RINGED = 25
"""Images that the map marks of those most alike to one."""
_TENTH = 9

OWN = {
    "apart": "distance to the tenth nearest",
    "alike": "cosine with the most similar",
    "among": "neighbours of its own label",
    "kept": "true neighbours kept by the plane",
}
"""Numbers that the map itself has of every image."""


class Place(NamedTuple):
    """The plane that is drawn: coordinates (n, 2), what each axis is, and whether numbers on it mean anything."""

    points: np.ndarray
    right: str
    up: str
    metric: bool


@dataclass(frozen=True, slots=True)
class Look:
    """A map looked at: its plane with the axes (x, y), and what else is known of its images."""

    result: MapResult
    plane: str
    axes: tuple[int, int]
    others: known.Known
    ws: Workspace

    @classmethod
    def of(cls, result: MapResult, view: MapView, ws: Workspace) -> "Look":
        """The look of a view."""
        last = len(result.shares)
        columns = columns_of(result.spec.dataset, result.ids, ws)
        others = known.Known(stored_of(result.spec.influence, ws), view.ridge, ws, columns, Tagged(result.pack, result.spec.dataset, ws))
        return cls(result, view.plane, (min(view.x, last), min(view.y, last)), others, ws)

    @memoised("plane", "axes")
    def kept(self) -> np.ndarray:
        """(n,) share of each image's 15 true neighbours that are among as many on the plane."""
        return share_kept(place(self).points, self.result.near[:, :NEIGHBOURS])

    @property
    def titles(self) -> dict[str, str]:
        """The numbers that are known of these images, and what each is."""
        return {"k-xx": known.NUMBERS["k-xx"].title} | self.others.titles | OWN

    @property
    def words(self) -> Mapping[str, Words]:
        """Columns of words of the set's table, by their names."""
        return self.others.words

    @property
    def tags(self) -> Tagged | None:
        """Tags that people gave them."""
        return self.others.tags

    def number(self, name: str) -> np.ndarray:
        """(n,) one of :attr:`titles`.

        Raises:
            AtlasError: it is not known, or not at this λ.
        """
        result = self.result
        if name == "kept":
            return self.kept()
        if name == "apart":
            return result.distances[:, min(_TENTH, result.distances.shape[1] - 1)].astype(np.float64)
        if name == "alike":
            return result.cosines[:, 0].astype(np.float64)
        if name == "among":
            return same_label(result)
        if name == "k-xx" and self.others.stored.influence is None:
            return result.diagonal  # of this kernel, whose epoch a learnability analysis need not have
        return self.others.number(name)


def moments(result: MapResult, others: Iterable[MapSpec]) -> dict[int, MapSpec]:
    """The maps of the same images and network at other epochs, and this one, by the epoch; 0 is initialisation.

    Args:
        others: specifications that are stored.
    """

    def still(spec: MapSpec) -> MapSpec:
        return spec.model_copy(update={"training": None})

    own, found = result.spec, {}
    for spec in (*others, own):
        schedule = [held.training.model_copy(update={"epochs": 1}) for held in (spec, own) if held.training is not None]
        if still(spec) == still(own) and all(one == schedule[0] for one in schedule):
            found[0 if spec.training is None else spec.training.epochs] = spec
    return dict(sorted(found.items()))


def place(look: Look) -> Place:
    """The plane that is drawn."""
    result = look.result
    if look.plane == "neighbours":
        return Place(result.neighbours, "neighbour embedding (t-SNE), no unit", "neighbour embedding, no unit", False)
    x, y = (axis - 1 for axis in look.axes)
    return Place(result.coordinates[:, [x, y]], axis_words(result, x), axis_words(result, y), True)


def axis_words(result: MapResult, axis: int) -> str:
    """What an axis of the kernel's plane is: "2nd eigenvector of the centred kernel, 7 % of its trace"."""
    ordinal = {0: "1st", 1: "2nd", 2: "3rd"}.get(axis, f"{axis + 1}th")
    return f"{ordinal} eigenvector of the centred kernel, {100 * result.shares[axis]:.2g} % of its trace"


def same_label(result: MapResult) -> np.ndarray:
    """(n,) share of each image's 15 nearest by the kernel's distance that have its label."""
    return np.asarray((result.labels[result.near[:, :NEIGHBOURS]] == result.labels[:, None]).mean(1))


def of_classes(labels: np.ndarray, names: tuple[str, ...], view: MapView) -> np.ndarray:
    """Whether each is of the classes shown."""
    return np.isin(labels, [at for at, name in enumerate(names) if name in view.only or not view.only])


def passing(look: Look, view: MapView) -> np.ndarray:
    """(n,) whether each image is of the classes shown and within all ranges that are chosen."""
    result = look.result
    found = of_classes(result.labels, result.class_names, view)
    chosen = filters.within(view, look, len(result.labels))
    return found if chosen is None else np.asarray(found & chosen)


def shown(look: Look, view: MapView) -> np.ndarray:
    """Images of the gallery in its order: those that pass, of those selected on the map where some are.

    The nearest of an image come first where such are asked for, then, as without one, by a number, else by class.
    """
    n = len(look.result.labels)
    kept = passing(look, view)
    if picked := [image for image in view.picked if image < n]:
        kept &= np.isin(np.arange(n), picked)
    if view.like is not None and view.like < n:
        order = alike_first(look.result, view.like)
    elif (by := filters.order_by(view.order, look.titles, look.number)) is not None:
        order = by
    else:
        order = np.argsort(look.result.labels, kind="stable")
    return order[kept[order]]


def cosines(result: MapResult, image: int, others: np.ndarray) -> np.ndarray:
    """(g,) cosine of an image with others; 1 with itself, NaN with those that are not among the nearest that are kept."""
    known_of = dict(zip(result.alike[image].tolist(), result.cosines[image].tolist(), strict=True)) | {image: 1.0}
    return np.array([known_of.get(int(other), np.nan) for other in others])


def alike_first(result: MapResult, image: int) -> np.ndarray:
    """The image, then those it is most alike to by the kernel's cosine: as many as are kept of each, up to 100."""
    return np.concatenate(([image], result.alike[image]))


def alike_shown(result: MapResult, view: MapView) -> list[int]:
    """What :func:`alike_first` gives of the image that a view asks for; [] where it asks for none, or none that there is."""
    return [] if view.like is None or view.like >= len(result.labels) else alike_first(result, view.like).tolist()


def table(result: MapResult, view: MapView, ws: Workspace) -> pd.DataFrame:
    """A row for each image: its place on the plane, the most similar image and its cosine, and what the plane keeps."""
    look = Look.of(result, view, ws)
    points = place(look).points
    columns = {
        "image": np.arange(len(result.labels)),
        "id": list(result.ids),
        "label": [result.class_names[label] for label in result.labels],
        "flipped": result.labels != result.true_labels,
        "x": points[:, 0],
        "y": points[:, 1],
        "k_xx": result.diagonal,
        "most_alike": result.alike[:, 0],
        "cosine": result.cosines[:, 0].astype(np.float64),
        "same_label": same_label(result),
        "kept": look.kept(),
    }
    if view.colour in look.words:
        columns[look.words[view.colour].title] = look.words[view.colour].values
    elif view.colour not in ("class", "k-xx", *OWN):
        columns[view.colour] = look.number(view.colour)
    return pd.DataFrame(columns)


def missing_from(result: MapResult, view: MapView) -> str:
    """What a link names that this result does not have, or ""."""
    n, last = len(result.labels), len(result.shares)
    said = [
        f"There is no training image {image:,}: they are 0 to {n - 1:,}."
        for image in dict.fromkeys((view.image, view.like))
        if image is not None and image >= n
    ]
    if any(image >= n for image in (*view.picked, *view.basket)):
        said.append("Some of the images selected do not exist here.")
    if unknown := [name for name in view.only if name not in result.class_names]:
        said.append(f"There is no class {unknown[0]}.")
    if max(view.x, view.y) > last:
        said.append(f"There are {last} eigenvectors here.")
    names = {"class", *known.NUMBERS, *OWN}
    asked = view.colour, view.sized, view.order.removeprefix("-"), *(range_of(text)[0] for text in view.filters)
    if wrong := [name for name in asked if name and not name.startswith(MARK) and name not in names]:
        said.append(f"There is no number {wrong[0]}.")
    return " ".join(said)
