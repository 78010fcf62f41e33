"""Which images are drawn, and which labels are moved: pure functions of a seed.

Two nestings hold, so that a slider adds and removes images instead of shuffling them: a larger ``n`` contains the
smaller one's images in the same order, and a larger share of label noise contains the smaller one's moved labels,
moved to the same classes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.filenames import shown
from ntkcore.errors import DataError, SpecError

UNLABELLED = -1
"""Label of what nobody labelled yet."""
_DRAW, _NOISE = 1, 2  # streams of one seed


def choose_classes(title: str, class_names: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[int, ...]:
    """Positions in ``class_names`` of the classes asked for, in the order asked for; all of them for ``()``.

    Raises:
        SpecError: a name that is not one of the set's classes.
        DataError: the set has fewer than two classes.
    """
    if len(class_names) < 2:
        raise DataError(f"{title} has fewer than two classes.", "Use a set with at least two classes.")
    return known_classes(title, class_names, wanted)


def known_classes(title: str, class_names: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[int, ...]:
    """As :func:`choose_classes`, of a set that may have one class or none.

    Raises:
        SpecError: a name that is not one of the set's classes.
    """
    unknown = [name for name in wanted if name not in class_names]
    if unknown:
        raise SpecError(f"{title} has no class {_listed(unknown)}.", f"Its classes are: {', '.join(class_names)}.")
    return tuple(class_names.index(name) for name in wanted or class_names)


def of_part(parts: Sequence[str] | None, part: str, title: str, *, others: bool = False) -> NDArray[np.bool_] | np.bool_:
    """bool ``(N,)``: what belongs to a part of a set's division, or to the others; True where no part is asked for.

    Args:
        parts: which part each thing of the set belongs to, "" for none; None: the set has no division.
        part: the one asked for, "" for everything.
        title: the set's name, for messages.
        others: of all parts but this one.

    Raises:
        SpecError: a part the set does not have.
    """
    if not part:
        return np.True_
    have = sorted(set(parts or ()) - {""})
    if part not in have:
        listed = f"It is divided into: {', '.join(have)}." if have else "It has no division: leave the part out."
        raise SpecError(f"{title} has no part {shown(part)}.", listed)
    belongs = np.array(parts)
    inside: NDArray[np.bool_] = (belongs != part) & (belongs != "") if others else belongs == part
    return inside


def draw(
    labels: NDArray[np.int64],
    classes: tuple[int, ...],
    n: int,
    seed: int,
    *,
    title: str,
    what: str = "image",
    inside: NDArray[np.bool_] | np.bool_ = np.True_,
    without: Sequence[int] = (),
) -> NDArray[np.int64]:
    """Positions ``(n,)`` of images drawn without replacement from those of the given classes.

    Args:
        labels: ``(N,)`` label of every image of the set.
        classes: the labels kept.
        n: how many to draw.
        seed: seed of the draw.
        title: the set's name, for messages.
        what: what they are.
        inside: ``(N,)``, which images may be drawn.
        without: positions that are left out; the others keep their order.

    Raises:
        DataError: fewer than ``n`` images there.
    """
    kept = np.flatnonzero(np.isin(labels, classes) & inside)
    order = kept[np.random.default_rng([seed, _DRAW]).permutation(len(kept))]
    order = order[~np.isin(order, without)] if len(without) else order
    if n > len(order):
        some = "" if len(kept) == len(labels) else " of these classes" if np.ndim(inside) == 0 else " of these classes and parts"
        out = f" and {len(kept) - len(order):,} are left out" if len(order) < len(kept) else ""
        raise DataError(f"{title} has {len(kept):,} {what}s{some}{out}; {n:,} were asked for.", f"Ask for {len(order):,} or fewer.")
    return order[:n]


def left_in(labels: NDArray[np.int64], classes: Sequence[int], without: Sequence[int]) -> NDArray[np.bool_]:
    """bool ``(N,)``: what :func:`draw` draws from, of everything that may be drawn."""
    found = np.isin(labels, classes)
    found[[position for position in without if position < len(found)]] = False
    return found


def move_labels(labels: NDArray[np.int64], classes: int, share: float, seed: int) -> NDArray[np.int64]:
    """Labels ``(n,)`` with exactly ``round(share * n)`` of them moved, each uniformly to one of the other classes.

    Args:
        labels: ``(n,)`` in ``range(classes)``.
        classes: how many classes there are, at least two.
        share: of labels moved, 0 to 1.
        seed: seed of the choice.
    """
    generator = np.random.default_rng([seed, _NOISE])
    moved = generator.permutation(len(labels))[: round(share * len(labels))]
    shifts = generator.integers(1, classes, size=len(labels))  # for every image, so that a share does not change another's shift
    noisy = labels.copy()
    noisy[moved] = (labels[moved] + shifts[moved]) % classes
    return noisy


def counted(labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """How many there are of each class; what has no label is of none."""
    return np.bincount(labels[labels != UNLABELLED], minlength=classes)


def require_pairs(labels: NDArray[np.int64], class_names: tuple[str, ...], where: str, remedy: str, what: str = "image") -> None:
    """Check that every class has at least two images or texts.

    Args:
        labels: ``(n,)`` positions in ``class_names``.
        class_names: the classes.
        where: the place for the message, e.g. ``"in MNIST"``.
        remedy: what to do about it.
        what: what they are.

    Raises:
        DataError: naming the classes that have fewer.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    short = [(name, int(count)) for name, count in zip(class_names, counts, strict=True) if count < 2]
    if short:
        name, count = short[0]
        more = f" ({len(short) - 1} more classes have too few)" if len(short) > 1 else ""
        raise DataError(f"Class {shown(name)} has {_counted(count, what)} {where}, and at least two are needed{more}.", remedy)


def _counted(count: int, what: str) -> str:
    return f"no {what}" if count == 0 else f"a single {what}" if count == 1 else f"{count} {what}s"


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
