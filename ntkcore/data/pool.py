"""Things to label: a draw from a set whose labels may be missing."""

import numpy as np

from ntkcore.data.dataset import Dataset, Origin
from ntkcore.data.load import channel_statistics, content_hash, read_images, texts_of
from ntkcore.data.part import opened
from ntkcore.data.selection import UNLABELLED, draw, known_classes, of_part
from ntkcore.data.sizing import sizing_of
from ntkcore.errors import DataError
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec


def load_pool(spec: DatasetSpec, settings: Settings, more: tuple[str, ...] = (), *, first: int | None = None) -> Dataset:
    """The first ``n`` of a permutation of a set's images or texts of the chosen classes, and of those that nobody labelled.

    A larger draw begins with a smaller one. Where some have no label, those that have one come first, so that few are not lost.
    Labels, in ``labels`` and ``true_labels`` alike, are positions in ``class_names``, or :data:`~ntkcore.data.selection.UNLABELLED`;
    a class may have any number of them, none too.

    Args:
        spec: what to draw; its label noise does not count.
        settings: where the data is.
        more: classes after those of the set.
        first: read the first so many only.

    Raises:
        SpecError: a class the set does not have.
        DataMissing: the set is not on this machine.
        DataError: a damaged file, a set of generated points, too few things, or a class named twice.
    """
    title, source = opened(spec.name, spec.own, settings)
    classes = known_classes(title, source.class_names, spec.classes)
    names = (*(source.class_names[label] for label in classes), *more)
    if len(set(names)) < len(names):
        raise DataError("Two classes have the same name.", "Give every class a name of its own.")
    what = "image" if source.texts is None else "text"
    inside = of_part(source.parts, spec.part, title)
    index = draw(source.labels, (*classes, UNLABELLED), spec.n, spec.seed, title=title, what=what, inside=inside)
    if (source.labels == UNLABELLED).any():
        known, kept = np.isin(source.labels, classes), np.isin(source.labels, (*classes, UNLABELLED)) & inside
        every = draw(source.labels, (*classes, UNLABELLED), int(kept.sum()), spec.seed, title=title, inside=inside)
        index = np.concatenate([every[known[every]], every[~known[every]]])[: spec.n]
    index = index[:first]
    position = np.full(len(source.class_names) + 1, UNLABELLED)  # the last one is where UNLABELLED points
    position[list(classes)] = np.arange(len(classes))
    labels = position[source.labels[index]].astype(np.int64)
    inputs, pixels = read_images(source, index, sizing_of(spec))
    mean, std = channel_statistics(inputs)
    return Dataset(
        spec=spec,
        title=title,
        inputs=inputs,
        pixels=pixels,
        labels=labels,
        true_labels=labels,
        class_names=names,
        ids=source.ids(index),
        mean=mean,
        std=std,
        content=content_hash(spec, settings),
        texts=texts_of(source, index),
        origin=None if source.original is None else Origin(str(spec.own), index),
    )


def pool_size(spec: DatasetSpec, settings: Settings) -> tuple[int, int, tuple[str, ...]]:
    """How many things a choice can draw from, whatever its ``n``, how many of them nobody labelled, and the set's classes.

    Raises as :func:`load_pool`.
    """
    title, source = opened(spec.name, spec.own, settings)
    classes = known_classes(title, source.class_names, spec.classes)
    inside = of_part(source.parts, spec.part, title)
    without = int(((source.labels == UNLABELLED) & inside).sum())
    return int((np.isin(source.labels, classes) & inside).sum()) + without, without, tuple(source.class_names[label] for label in classes)
