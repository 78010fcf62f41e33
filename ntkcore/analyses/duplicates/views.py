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
from ntkcore.data.duplicates import BITS as OF
from ntkcore.data.duplicates import likeness, same_picture
from ntkcore.kernels.duplicates import Pairs, groups_of
from ntkcore.specs.duplicates import DuplicatesSpec, DuplicatesView

BITS = 10
"""Signs of 64 in which the hashes of one picture may differ; whether it is one, the small copies decide."""
PHOTOGRAPHS, OTHERS = 0.9, 0.97
"""Least correlation of small copies where none is said. Of 398 photographs no two different ones even have hashes so close, and 0.9 finds
more of those cropped or turned a little; handwritten digits, with little in them, are called one 20 to 60 times as often at 0.9 as at 0.97
(docs/photographs.md)."""
How = Literal["bytes", "picture", "network"]
_WORDS: dict[How, str] = {"bytes": "the same {}", "picture": "the same picture", "network": "the same to the network"}


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


def how_words(how: How, result: DuplicatesResult) -> str:
    """What images of a group have in common: "the same file", or "the same pixels" where a set keeps no files."""
    return _WORDS[how].format(result.bytes_of)


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
    alike = least_alike(result, view)
    key = ("duplicates groups", result.key, result.created, alike, which)
    return ws.hot.get(key, lambda: Copies(result, _groups(result, alike, by_network), network), _bytes)


def _bytes(found: Copies) -> int:
    return sum(200 + 40 * len(group.images) for group in found.groups)


def asked_network(spec: DuplicatesSpec, view: DuplicatesView, ws: Workspace) -> Known | None:
    """The stored kernel that the view names, or the one used last; None where none is stored, or none is asked for."""
    if not view.network:
        return None
    known = known_kernels(spec, ws)
    return next((one for one in known if view.kernel and one.key.startswith(view.kernel)), known[0] if known else None)


def least_alike(result: DuplicatesResult, view: DuplicatesView) -> float:
    """The least correlation of one picture's small copies that the view asks for."""
    if view.alike is not None:
        return view.alike
    return PHOTOGRAPHS if result.bytes_of == "file" else OTHERS


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
        same = " or ".join(how_words(how, result) for how in ("bytes", "picture") if how == "bytes" or len(result.hashes))
        return (f"No copies among {of}: no two are {same}{_nor(found)}.{asked}",)
    bad, leaks = sum(group.contradictory for group in groups), sum(group.leak for group in groups)
    first = f"{_many(len(groups), 'group')} of copies among {of}: {_few(bad)} with labels that contradict each other"
    first += f", {_few(leaks)} across training and held-out images (leaks)" if held else ""
    kinds = [f"{count:,} {how_words(how, result)}" for how in _WORDS if (count := sum(group.how == how for group in groups))]
    gone = len(found.gone)
    return (
        f"{first}.",
        f"Of the groups, {_and(kinds)}. To leave out all but one of each is to leave out {_many(gone, 'image')}.{asked}",
    )


def group_of(found: Copies, image: int) -> Group | None:
    """The group that an image is in; None: there is no copy of it."""
    return next((group for group in found.groups if image in group.images), None)


def compared(result: DuplicatesResult, image: int, other: int) -> tuple[str, ...]:
    """What two images have in common, the strictest first: bytes, pixels, and how far they are the same picture."""
    said = [f"the same {result.bytes_of}"] if result.same[image] == result.same[other] else []
    if result.bytes_of == "file" and result.pixels[image] == result.pixels[other]:
        said.append("the same pixels")
    if len(result.hashes):
        bits, alike = likeness(result.hashes, result.small, image, other)
        said.append(f"{bits} of {OF} bits of their hashes differ, small copies correlate by {alike:.3f}")
    return tuple(said)


def missing_from(result: DuplicatesResult, view: DuplicatesView) -> str:
    """What a link names that this result does not have, or ""."""
    last = len(result.labels) - 1
    return "" if view.image is None or view.image <= last else f"There is no image {view.image:,}: they are 0 to {last:,}."


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
        told = ("", "", "") if group is None else (how_words(group.how, result), int(group.contradictory), int(group.leak))
        part = "training" if image < result.n else "held out"
        rows.append((image, name, place, part, result.class_names[label], "" if number is None else number, *told, int(image not in gone)))
    columns = ["image", "id", "place", "part", "label", "group", "copies", "contradictory", "leak", "keep"]
    return pd.DataFrame(rows, columns=columns)


def _groups(result: DuplicatesResult, alike: float, by_network: Pairs) -> tuple[Group, ...]:
    size = len(result.labels)
    by_bytes = np.concatenate([_firsts(result.same), _firsts(result.pixels)])
    pictures = same_picture(result.hashes, result.small, BITS, alike) if len(result.hashes) else np.empty((0, 2), dtype=np.int64)
    seen = _numbered(groups_of(np.concatenate([by_bytes, pictures]), size), size)
    groups = [_group(result, images, seen) for images in groups_of(np.concatenate([by_bytes, pictures, by_network]).astype(np.int64), size)]
    return tuple(sorted(groups, key=lambda one: (not one.contradictory, not one.leak, -len(one.images), one.images)))


def _firsts(same: np.ndarray) -> np.ndarray:
    """(p, 2) pairs of each image that is the same as one before it, and the first of those."""
    again = np.flatnonzero(same != np.arange(len(same)))
    return np.stack([same[again], again], axis=1)


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
