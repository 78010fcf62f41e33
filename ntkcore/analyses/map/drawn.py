"""A map as a view draws it: what points are coloured and sized by, the held-out images beside them, how densely they lie."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.map.result import HeldOut
from ntkcore.analyses.map.views import Look, Place, of_classes, passing, place
from ntkcore.analyses.materials.thumbnails import noun
from ntkcore.analyses.numbers import known
from ntkcore.embedding import among, outside
from ntkcore.errors import DataError
from ntkcore.specs.map import MapView

GROUPS = 10
"""Words that have a colour of their own."""
MANY = 300
"""Images from which on lines of equal density are drawn."""
_BINS, _BLUR = 60, 2.0  # of the density: a side of its grid, and the deviation of its kernel in bins


@dataclass(frozen=True, slots=True)
class Colours:
    """What points are coloured by: values (n,), NaN where an image has none; what they are; the ends of the scale, 98 % of the images
    within them; whether 0 is in its middle."""

    values: np.ndarray
    title: str
    ends: tuple[float, float]
    signed: bool


def held_out(look: Look) -> HeldOut | None:
    """The held-out images; of a map of an earlier version from the influence analysis of the same kernel, None where that is not stored."""
    result, ws = look.result, look.ws
    if result.held is not None or not INFLUENCE.ready(result.spec.influence, ws):
        return result.held

    def made() -> HeldOut:
        other = INFLUENCE.open(result.spec.influence, ws)
        kernel, others = (_one(values) for values in (other.regression.kernel, other.k_test))
        found = outside(kernel, others, result.coordinates)
        return HeldOut(found, other.test_labels, other.test_ids, other.test_pack)

    return ws.hot.get(("map.held", result.key), made, lambda held: held.outside.coordinates.nbytes + 100 * len(held.ids))


def _one(kernel: np.ndarray) -> np.ndarray:
    """A kernel (a, b), of k × k blocks their mean diagonal."""
    return kernel if kernel.ndim == 2 else np.trace(kernel, axis1=2, axis2=3) / kernel.shape[2]


def colours(look: Look, view: MapView) -> Colours | None:
    """The number that points are coloured by; None: they are by class, or by a column of words.

    Raises:
        AtlasError: it is not known, or not at this λ.
    """
    if view.colour == "class" or view.colour in look.words:
        return None
    values = _number(look, view.colour)
    signed = view.colour in known.NUMBERS and known.NUMBERS[view.colour].signed
    ends = np.nanpercentile(np.abs(values) if signed else values, (1, 99)) if np.isfinite(values).any() else (0.0, 1.0)
    low, high = (-float(ends[1]), float(ends[1])) if signed else (float(ends[0]), float(ends[1]))
    return Colours(values, look.titles[view.colour], (low, high), signed)


def _number(look: Look, name: str) -> np.ndarray:
    """(n,) float64, NaN where an image has none; raises as :func:`colours`."""
    if name not in look.titles:
        raise DataError(f"The number {name!r} is not known of these images.", f"Known are: {', '.join(look.titles)}.")
    values = look.number(name).astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


@dataclass(frozen=True, slots=True)
class Aside:
    """Held-out images as they are drawn: points (m, 2), of which classes (m,), and which of them are shown (m,) bool."""

    points: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    shown: np.ndarray


@dataclass(frozen=True, slots=True)
class Density:
    """How densely images lie: images (b, b) in each cell around x (b,) and y (b,), smoothed; its first axis is y."""

    x: np.ndarray
    y: np.ndarray
    images: np.ndarray


@dataclass(frozen=True, slots=True)
class Drawn:
    """The map as it is drawn.

    Attributes:
        place: the plane.
        groups, names: (n,) which group of images each is of, and their names: classes, or the words of a column.
        centroids: (c, 2) mean of each group on the plane; NaN of one without images.
        passing: (n,) whether each image passes the filters.
        colours: what points are coloured by; None: their group.
        kept: (n,) share of true neighbours kept, where that is marked.
        sizes: (n,) from 0 to 1, where points are sized by a number; ``sized_by`` what that is.
        held: the held-out images, where they are shown.
        density: of the images that pass, where there are many.
        noun: what one of them is called.
    """

    place: Place
    groups: np.ndarray
    names: tuple[str, ...]
    centroids: np.ndarray
    passing: np.ndarray
    colours: Colours | None
    kept: np.ndarray | None
    noun: str
    sizes: np.ndarray | None
    sized_by: str
    held: Aside | None
    density: Density | None


def _groups(look: Look, view: MapView) -> tuple[np.ndarray, tuple[str, ...]]:
    """The classes, or the words of the column that points are coloured by: the rarer ones of many together."""
    if view.colour not in look.words:
        return look.result.labels, look.result.class_names
    column = look.words[view.colour]
    named = column.choices if len(column.choices) <= GROUPS else column.choices[: GROUPS - 1]
    code = {word: at for at, word in enumerate(named)}
    rest = len(named)
    groups = np.array([code.get(word, rest) for word in column.values])
    return groups, named if rest == len(column.choices) else (*named, "other words")


def drawn(look: Look, view: MapView) -> Drawn:
    """The map as a view draws it; raises as :func:`colours`."""
    result, where = look.result, place(look)
    groups, names = _groups(look, view)
    members = [where.points[groups == at] for at in range(len(names))]
    centroids = np.array([own.mean(0) if len(own) else (np.nan, np.nan) for own in members])
    kept = look.kept() if view.kept else None
    kind = noun(result.pack, look.ws)
    shown = passing(look, view)
    sizes = _sizes(look, view)
    aside = _aside(look, view) if view.held else None
    dense = density(where.points[shown]) if view.contours and shown.sum() >= MANY else None
    title = look.titles[view.sized] if sizes is not None else ""
    return Drawn(where, groups, names, centroids, shown, colours(look, view), kept, kind, sizes, title, aside, dense)


def _sizes(look: Look, view: MapView) -> np.ndarray | None:
    """(n,) from 0 to 1: where each image is between the ends that 98 % lie in; by magnitude where a number is signed. 0 without one."""
    if not view.sized:
        return None
    values = _number(look, view.sized)
    if view.sized in known.NUMBERS and known.NUMBERS[view.sized].signed:
        values = np.abs(values)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, (1, 99)) if len(finite) else (0.0, 1.0)
    return np.asarray(np.nan_to_num(np.clip((values - low) / max(high - low, 1e-300), 0, 1), nan=0.0))


def _aside(look: Look, view: MapView) -> Aside | None:
    held, result = held_out(look), look.result
    if held is None:
        return None
    if look.plane == "neighbours":
        points = among(result.neighbours, held.outside.near)
    else:
        points = held.outside.coordinates[:, [axis - 1 for axis in look.axes]]
    return Aside(points, held.labels, result.class_names, of_classes(held.labels, result.class_names, view))


def density(points: np.ndarray) -> Density:
    """Of points (n, 2): a histogram smoothed by a Gaussian."""
    margin = 0.05 * np.ptp(points, axis=0)
    low, high = points.min(0) - margin, points.max(0) + margin
    counts, x, y = np.histogram2d(points[:, 0], points[:, 1], bins=_BINS, range=np.stack([low, high], axis=1))
    return Density((x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2, gaussian_filter(counts.T, _BLUR, mode="constant"))
