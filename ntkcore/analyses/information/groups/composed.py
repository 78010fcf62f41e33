"""Images composed from several draws, with a group for each: sources of one task, sub-classes of one class (Unique-info §6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ntkcore.analyses.materials.split import Split
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, channel_statistics, content_hash, load_part, require_pairs, thumbnail_pack
from ntkcore.errors import DataError
from ntkcore.specs import DatasetSpec
from ntkcore.specs.groups import GroupSpec, SourceSpec


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """A training set of several groups, and held-out images of the same groups.

    Attributes:
        split: all images, those of the first group first.
        names: of the groups.
        group, test_group: (n,) and (m,) which group each image is of.
    """

    split: Split
    names: tuple[str, ...]
    group: np.ndarray
    test_group: np.ndarray

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory, roughly."""
        train = self.split.train
        return train.inputs.nbytes + train.pixels.nbytes + self.split.test_inputs.nbytes + self.split.test_pixels.nbytes


def compose(groups: Sequence[GroupSpec], class_names: Sequence[str], seed: int, ws: Workspace) -> Composed:
    """Draw every group and put them together; kept in memory while it is in use.

    Draws are nested: a group with more images begins with those of one with fewer, if n + test is the same.

    Raises:
        DataError: groups of different image sizes; a class with fewer than two training images, or without a held-out one.
        AtlasError: a group cannot be drawn.
    """
    contents = tuple(content_of_source(group.source, ws) for group in groups)
    key = ("composed.images", contents, tuple(group.canonical() for group in groups), tuple(class_names), seed)
    return ws.hot.get(key, lambda: _compose(groups, tuple(class_names), seed, ws), lambda found: found.nbytes)


def _compose(groups: Sequence[GroupSpec], class_names: tuple[str, ...], seed: int, ws: Workspace) -> Composed:
    drawn = [load_part(g.source.name, g.source.own, g.classes, g.n + g.test, seed, ws.settings) for g in groups]
    require_one_shape([(part.title, part.inputs.shape[1:]) for part in drawn])
    positions = [np.array([class_names.index(name) for name in g.labels]) for g in groups]
    labels = [position[part.labels] for position, part in zip(positions, drawn, strict=True)]
    first, rest = [slice(0, g.n) for g in groups], [slice(g.n, g.n + g.test) for g in groups]

    def joined(values: Sequence[np.ndarray], cuts: Sequence[slice]) -> np.ndarray:
        return np.concatenate([found[cut] for found, cut in zip(values, cuts, strict=True)])

    def ids(cuts: Sequence[slice]) -> tuple[str, ...]:
        return tuple(name for part, cut in zip(drawn, cuts, strict=True) for name in part.ids[cut])

    def texts(cuts: Sequence[slice]) -> tuple[str, ...] | None:
        if any(part.texts is None for part in drawn):
            return None
        return tuple(text for part, cut in zip(drawn, cuts, strict=True) for text in (part.texts or ())[cut])

    require_pairs(joined(labels, first), class_names, "among the training images", "Draw more images of it.")
    require_held_out(joined(labels, rest), class_names)
    inputs, pixels = ([getattr(part, name) for part in drawn] for name in ("inputs", "pixels"))
    mean, std = channel_statistics(joined(inputs, first))
    train = Dataset(
        spec=DatasetSpec(name=groups[0].source.name, own=groups[0].source.own, n=max(4, sum(g.n for g in groups)), seed=seed),
        title=" and ".join(dict.fromkeys(part.title for part in drawn)),
        inputs=joined(inputs, first),
        pixels=joined(pixels, first),
        labels=joined(labels, first),
        true_labels=joined(labels, first),
        class_names=class_names,
        ids=ids(first),
        mean=mean,
        std=std,
        content=" ".join(content_of_source(g.source, ws) for g in groups),
        texts=texts(first),
    )
    pack = thumbnail_pack(train.pixels, ws.settings, train.texts).id
    split = Split(train, joined(inputs, rest), joined(labels, rest), joined(pixels, rest), ids(rest), pack, texts(rest))
    order = np.arange(len(groups))
    return Composed(
        split, tuple(g.name for g in groups), np.repeat(order, [g.n for g in groups]), np.repeat(order, [g.test for g in groups])
    )


def contents_of(groups: Sequence[GroupSpec], ws: Workspace) -> Mapping[str, str]:
    """Content hashes of the sets that groups are drawn from, by group."""
    return {f"data {place}": content_of_source(group.source, ws) for place, group in enumerate(groups)}


def content_of_source(source: SourceSpec, ws: Workspace) -> str:
    """Content hash of a set. Raises DataMissing: it is not on this machine."""
    return content_hash(DatasetSpec(name=source.name, own=source.own), ws.settings)


def require_one_shape(shapes: Sequence[tuple[str, tuple[int, ...]]]) -> None:
    """Refuse sets whose images have different sizes.

    Args:
        shapes: title and (c, h, w) of each set.

    Raises:
        DataError: naming two of them and what to do.
    """
    (first, expected), *others = shapes
    for title, shape in others:
        if shape == expected:
            continue
        if len(shape) == len(expected) == 3:
            colour = f", in {'gray' if expected[0] == 1 else 'colour'}" if expected[0] != shape[0] else ""
            remedy = f"Import {title} as images of your own with a side of {expected[1]} pixels{colour}, and choose that set."
        else:
            remedy = "Choose sets of images of one size, or texts embedded alike."
        raise DataError(
            f"{first} has inputs of {inputs_text(expected)}, {title} of {inputs_text(shape)}: one network takes inputs of one size.", remedy
        )


def require_held_out(labels: np.ndarray, class_names: Sequence[str]) -> None:
    """Refuse held-out images (m,) among which a class is missing: what it is worth to know it could not be seen.

    Raises:
        DataError: naming the class.
    """
    missing = [name for place, name in enumerate(class_names) if not (labels == place).any()]
    if missing:
        more = f" and of {len(missing) - 1} more classes" if len(missing) > 1 else ""
        raise DataError(
            f"No held-out image is of the class {missing[0]!r}{more}: information about it would count for nothing.",
            "Hold out more images.",
        )


def inputs_text(shape: tuple[int, ...]) -> str:
    """What one input is, for people: ``"28 × 28 pixels in gray"``."""
    if len(shape) == 1:
        return f"{shape[0]} numbers"
    return f"{shape[2]} × {shape[1]} pixels in {'gray' if shape[0] == 1 else 'colour'}"
