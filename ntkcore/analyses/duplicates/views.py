"""Groups of copies: what they have in common, whether their labels contradict each other, and which image of each stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ntkcore.analyses.defaults import LEAST
from ntkcore.analyses.duplicates.kernels import Known, known_kernels, pairs_of
from ntkcore.analyses.duplicates.result import DuplicatesResult
from ntkcore.analyses.workspace import Workspace
from ntkcore.data.duplicates import same_picture
from ntkcore.kernels.duplicates import Pairs, groups_of
from ntkcore.specs.duplicates import DuplicatesSpec, DuplicatesView

BITS = 10
"""Signs of 64 in which the hashes of one picture may differ; whether it is one, the small copies decide."""
How = Literal["bytes", "picture", "network"]
WORDS: dict[How, str] = {"bytes": "the same bytes", "picture": "the same picture", "network": "the same to the network"}


@dataclass(frozen=True, slots=True)
class Group:
    """Images of which one is enough.

    Attributes:
        images: in ascending order; held-out ones are numbered after the others.
        how: the least that they have in common: all the same bytes, pictures all the same, or some the same to the network alone.
        labels: their classes, each once.
        leak: whether training and held-out images are among them.
        kept: the one that stays: the first of those with a class that most have, a training image where there is one.
    """

    images: tuple[int, ...]
    how: How
    labels: tuple[int, ...]
    leak: bool
    kept: int

    @property
    def contradictory(self) -> bool:
        """Whether their labels differ."""
        return len(self.labels) > 1

    @property
    def gone(self) -> tuple[int, ...]:
        """All but the one that stays."""
        return tuple(image for image in self.images if image != self.kept)


@dataclass(frozen=True, slots=True)
class Copies:
    """All groups of a result: contradictory ones first, then leaks, then the largest.

    Attributes:
        result: of what.
        groups: them.
        network: whose kernel was asked; None: no network's.
    """

    result: DuplicatesResult
    groups: tuple[Group, ...]
    network: Known | None

    @property
    def gone(self) -> tuple[int, ...]:
        """Images that go when all but one of each group are left out."""
        return tuple(sorted(image for group in self.groups for image in group.gone))


def copies(result: DuplicatesResult, view: DuplicatesView, ws: Workspace) -> Copies:
    """The groups as the view asks for them, kept in memory."""
    network = asked_network(result.spec, view, ws)
    by_network = np.empty((0, 2), dtype=np.int64)
    if network is not None:
        by_network = pairs_of(network, result.spec, view.cosine, ws)
    which = None if network is None else (network.key, network.whole, view.cosine)
    key = ("duplicates groups", result.key, result.created, view.alike, which)
    return ws.hot.get(key, lambda: Copies(result, _groups(result, view.alike, by_network), network), _bytes)


def _bytes(found: Copies) -> int:
    return sum(200 + 40 * len(group.images) for group in found.groups)


def asked_network(spec: DuplicatesSpec, view: DuplicatesView, ws: Workspace) -> Known | None:
    """The stored kernel that the view names, or the one used last; None where none is stored, or none is asked for."""
    if not view.network:
        return None
    known = known_kernels(spec, ws)
    return next((one for one in known if view.kernel and one.key.startswith(view.kernel)), known[0] if known else None)


def shown(found: Copies, view: DuplicatesView) -> list[Group]:
    """Those that the view shows."""
    return [
        group
        for group in found.groups
        if view.show == "all" or (view.show == "contradictory" and group.contradictory) or (view.show == "leaks" and group.leak)
    ]


def answer(found: Copies) -> tuple[str, ...]:
    """How many groups there are, and of which kinds."""
    result, groups = found.result, found.groups
    held = len(result.labels) - result.n
    of = f"{result.n:,} images" + (f" and {held:,} held out" if held else "")
    asked = (
        ""
        if found.network is None
        else f" A network was asked, too: {found.network.title}"
        + ("." if found.network.whole or not held else ", among training images alone, as the held-out ones’ kernel is not stored.")
    )
    if not groups:
        return (f"No copies among {of}: no two are the same bytes or the same picture{_nor(found)}.{asked}",)
    bad, leaks = sum(group.contradictory for group in groups), sum(group.leak for group in groups)
    first = f"{_many(len(groups), 'group')} of copies among {of}: {_few(bad)} with labels that contradict each other"
    first += f", {_few(leaks)} across training and held-out images (leaks)" if held else ""
    kinds = [f"{count:,} {WORDS[how]}" for how in WORDS if (count := sum(group.how == how for group in groups))]
    gone = len(found.gone)
    return (
        f"{first}.",
        f"Of the groups, {_and(kinds)}. To leave out all but one of each is to leave out {_many(gone, 'image')}.{asked}",
    )


def left_out(found: Copies) -> DuplicatesSpec | None:
    """The same choice without what goes; fewer are drawn, so that no others come in. None where too few are left."""
    result, spec = found.result, found.result.spec
    gone = sum(image < result.n for image in found.gone)
    places = sorted({*spec.dataset.without, *result.places[list(found.gone)].tolist()})
    n, test = spec.dataset.n - gone, spec.test - (len(found.gone) - gone)
    if n < LEAST or test == 1 or (spec.test and not test):
        return None
    return DuplicatesSpec(dataset=spec.dataset.model_copy(update={"n": n, "without": tuple(places)}), test=test)


def table(found: Copies) -> pd.DataFrame:
    """A row for each image."""
    result = found.result
    of_image = {image: (number, group) for number, group in enumerate(found.groups, 1) for image in group.images}
    gone = set(found.gone)
    rows = []
    for image, (name, label, place) in enumerate(zip(result.ids, result.labels.tolist(), result.places.tolist(), strict=True)):
        number, group = of_image.get(image, (None, None))
        told = ("", "", "") if group is None else (WORDS[group.how], int(group.contradictory), int(group.leak))
        part = "training" if image < result.n else "held out"
        rows.append((image, name, place, part, result.class_names[label], "" if number is None else number, *told, int(image not in gone)))
    columns = ["image", "id", "place", "part", "label", "group", "copies", "contradictory", "leak", "keep"]
    return pd.DataFrame(rows, columns=columns)


def _groups(result: DuplicatesResult, alike: float, by_network: Pairs) -> tuple[Group, ...]:
    size = len(result.labels)
    again = np.flatnonzero(result.same != np.arange(size))
    by_bytes = np.stack([result.same[again], again], axis=1)
    pictures = same_picture(result.hashes, result.small, BITS, alike) if len(result.hashes) else np.empty((0, 2), dtype=np.int64)
    seen = _numbered(groups_of(np.concatenate([by_bytes, pictures]), size), size)
    groups = [_group(result, images, seen) for images in groups_of(np.concatenate([by_bytes, pictures, by_network]).astype(np.int64), size)]
    return tuple(sorted(groups, key=lambda one: (not one.contradictory, not one.leak, -len(one.images), one.images)))


def _group(result: DuplicatesResult, images: tuple[int, ...], seen: np.ndarray) -> Group:
    numbers = np.array(images)
    labels = result.labels[numbers]
    how: How = "network"
    if len(set(result.same[numbers].tolist())) == 1:
        how = "bytes"
    elif seen[numbers[0]] >= 0 and len(set(seen[numbers].tolist())) == 1:
        how = "picture"
    counts = np.bincount(labels)
    kept = int(numbers[counts[labels] == counts.max()][0])
    leak = bool(numbers[0] < result.n <= numbers[-1])
    return Group(images, how, tuple(np.unique(labels).tolist()), leak, kept)


def _numbered(groups: Sequence[tuple[int, ...]], size: int) -> np.ndarray:
    """(size,) the group of each image, or -1."""
    found = np.full(size, -1)
    for number, images in enumerate(groups):
        found[list(images)] = number
    return found


def _nor(found: Copies) -> str:
    return "" if found.network is None else ", or the same to the network"


def _few(count: int) -> str:
    return "none" if not count else f"{count:,}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _and(parts: Sequence[str]) -> str:
    *some, last = parts
    return f"{', '.join(some)} and {last}" if some else last
