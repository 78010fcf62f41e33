"""Things to label: a draw from a set whose labels may be missing."""

import numpy as np

from ntkcore.data.dataset import Dataset
from ntkcore.data.load import content_hash, read_drawn
from ntkcore.data.part import opened
from ntkcore.data.selection import UNLABELLED, draw, known_classes, left_in, of_part
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
    inside, kinds = of_part(source.parts, spec.part, title), (*classes, UNLABELLED)
    index = draw(source.labels, kinds, spec.n, spec.seed, title=title, what=what, inside=inside, without=spec.without)
    if (source.labels == UNLABELLED).any():
        known, kept = np.isin(source.labels, classes), left_in(source.labels, kinds, spec.without) & inside
        every = draw(source.labels, kinds, int(kept.sum()), spec.seed, title=title, inside=inside, without=spec.without)
        index = np.concatenate([every[known[every]], every[~known[every]]])[: spec.n]
    index = index[:first]
    position = np.full(len(source.class_names) + 1, UNLABELLED)  # the last one is where UNLABELLED points
    position[list(classes)] = np.arange(len(classes))
    labels = position[source.labels[index]].astype(np.int64)
    return read_drawn(spec, title, source, index, labels, labels, names, content_hash(spec, settings))


def pool_size(spec: DatasetSpec, settings: Settings) -> tuple[int, int, tuple[str, ...]]:
    """How many things a choice can draw from, whatever its ``n``, how many of them nobody labelled, and the set's classes.

    Raises as :func:`load_pool`.
    """
    title, source = opened(spec.name, spec.own, settings)
    classes = known_classes(title, source.class_names, spec.classes)
    inside = of_part(source.parts, spec.part, title)
    without, known = (int((left_in(source.labels, kinds, spec.without) & inside).sum()) for kinds in ((UNLABELLED,), classes))
    return known + without, without, tuple(source.class_names[label] for label in classes)
