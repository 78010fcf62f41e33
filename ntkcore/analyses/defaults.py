"""Defaults that fit: as many images as the set has that is chosen, and as many draws as this machine makes in ten minutes.

A number that somebody said, in an address, a command or a widget, stays as it is, and what is wrong with it is said where it is used.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol, TypeVar

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Room, content_hash, room_of
from ntkcore.errors import AtlasError
from ntkcore.permalink import Address, Query
from ntkcore.specs import DatasetSpec, Spec

SOON = 600.0
"""Seconds that something takes at most which nobody asked for in this size, where a smaller one answers, too."""
LEAST = 4
"""Images of a specification at least."""


class Choosing(Protocol):
    """A specification that chooses images, and perhaps how many are held out: ``test``."""

    @property
    def dataset(self) -> DatasetSpec:
        """The images."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Any:
        """A copy with other values."""


C = TypeVar("C", bound=Choosing)
S = TypeVar("S", bound=Spec)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Images to train on, and held out."""

    n: int
    test: int


def read(address: Address[Any, Any], query: Query, ws: Workspace) -> tuple[Any, Any]:
    """What a query asks for; the numbers of images that it does not say fit the set it names.

    Raises:
        SpecError: as :meth:`~ntkcore.permalink.Address.read`.
    """
    spec, view = address.read(query)
    return fitted(spec, query, ws), view


def fitted(spec: C, said: Collection[str], ws: Workspace) -> C:
    """The specification with as many images as there are, at most, and two of every class, at least.

    Where the set is smaller than the defaults, training and held-out images keep their proportion, and as many as are held out are left
    for a study to judge by.

    Args:
        spec: what is asked for.
        said: names whose numbers somebody chose, ``"n"`` and ``"test"``; they stay.
    """
    try:
        room = room_of_choice(spec.dataset, ws)
    except AtlasError:
        return spec  # said where its images are drawn
    return _with(spec, fit(_sizes(spec), room, said))


def moved(spec: C, dataset: DatasetSpec, ws: Workspace) -> Sizes:
    """How many images of another choice of them: the default where it stood at the default, else as before, as long as that fits."""
    usual = _sizes(type(spec)())
    before, held = _sizes(fitted(_with(spec, usual), (), ws)), _sizes(spec)
    kept = {name for name in ("n", "test") if getattr(before, name) != getattr(held, name)}
    wanted = Sizes(held.n if "n" in kept else usual.n, held.test if "test" in kept else usual.test)
    try:
        room = room_of_choice(dataset, ws)
    except AtlasError:
        return held
    found = fit(wanted, room, kept)
    return found if min(room.images - found.n, room.left(found.n, found.test)) >= 0 else fit(wanted, room, ())


def room_of_choice(dataset: DatasetSpec, ws: Workspace) -> Room:
    """What a set has of the classes chosen, kept in memory. Raises as :func:`ntkcore.data.room_of`."""
    key = ("room", content_hash(dataset, ws.settings), dataset.name, dataset.classes, dataset.part, dataset.seed, dataset.without)
    return ws.hot.get(key, lambda: room_of(dataset, ws.settings), lambda _: 1)


def affordable(analysis: Analysis[S, Any, Any], wished: Sequence[S], ws: Workspace) -> S:
    """Of some choices the one to begin with.

    The first that is stored, begun or under way, so that what was computed stays in sight when forecasts change; else the first that takes
    ten minutes at most; else the last.

    Args:
        wished: specifications, the one that says most first.
    """
    try:
        return next((spec for spec in wished if len(wished) > 1 and _begun(analysis, spec, ws)), None) or _quick(analysis, wished, ws)
    except AtlasError:  # said where it is offered
        return wished[0]


def within(analysis: Analysis[S, Any, Any], wished: Sequence[S], ws: Workspace) -> tuple[list[S], float]:
    """Those that can be had one after another in ten minutes, the first in any case; and the seconds that the others take.

    Raises:
        AtlasError: one of them cannot be had.
    """
    seconds = [analysis.forecast(spec, ws).seconds for spec in wished]
    count = max(1, sum(total <= SOON for total in accumulate(seconds)))
    return list(wished[:count]), sum(seconds[count:])


def fewer_images(spec: C, ws: Workspace) -> list[C]:
    """The specification, and the same of half and a fifth of its images, which are two of every class at least."""
    fewest = room_of_choice(spec.dataset, ws).fewest
    sizes = (max(LEAST, min(spec.dataset.n, fewest), round(part * spec.dataset.n)) for part in (1.0, 0.5, 0.2))
    return [_with(spec, Sizes(n, _sizes(spec).test)) for n in dict.fromkeys(sizes)]


def _begun(analysis: Analysis[S, Any, Any], spec: S, ws: Workspace) -> bool:
    """Whether it is stored, begun or under way."""
    if analysis.state(spec, ws) != "absent":
        return True
    job = ws.jobs.state(analysis.key(spec, ws))
    return job is not None and job.active


def _quick(analysis: Analysis[S, Any, Any], wished: Sequence[S], ws: Workspace) -> S:
    """The first that takes ten minutes at most, else the last."""
    for spec in wished[:-1]:
        forecast = analysis.forecast(spec, ws)
        if not forecast.refusal and forecast.seconds <= SOON:
            return spec
    return wished[-1]


def _sizes(spec: C) -> Sizes:
    return Sizes(spec.dataset.n, getattr(spec, "test", 0))


def _with(spec: C, sizes: Sizes) -> C:
    if sizes == _sizes(spec):
        return spec
    dataset, held = spec.dataset.model_copy(update={"n": sizes.n}), {"test": sizes.test} if hasattr(spec, "test") else {}
    changed: C = spec.model_copy(update={"dataset": dataset, **held})
    return changed


def fit(wanted: Sizes, room: Room, said: Collection[str], *, spare: int = 1) -> Sizes:
    """As many images as there are, at most, and two of every class, at least.

    Args:
        wanted: how many there would be of enough.
        room: what there is.
        said: names whose numbers somebody chose; they stay.
        spare: how many times as many as are held out are left over, where they are fewer than wanted.
    """
    n, test, have, said = wanted.n, wanted.test, room.images, {"n", "test"} & set(said)
    if room.held is not None:  # held out from other images than those trained on
        n = n if "n" in said else max(min(n, have), min(room.fewest, have), LEAST)
        return Sizes(n, test if "test" in said or not test or test <= room.held else max(2, room.held // (1 + spare)))
    if n + test > have:
        parts = n + (1 + spare) * test
        if said:  # what is left beside the number that was said, unless that leaves nothing: then both are wrong together, and said so
            n = have - test if "n" not in said and have - test >= room.fewest else n
            test = max(2, (have - n) // (1 + spare)) if "test" not in said and have - n >= 2 else test
        else:
            n, test = max(LEAST, have * n // parts), max(2, have * test // parts) if test else 0
    if "n" not in said and n < room.fewest <= have:
        n = max(n, min(room.fewest, have - test)) if "test" in said else room.fewest
        test = test if "test" in said or not test else max(2, min(test, have - n))
    return Sizes(n, test)
