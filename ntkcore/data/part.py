"""Some classes of a set, one alone too: what a training set composed of several groups is drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.load import read_images, texts_of
from ntkcore.data.names import NAMED
from ntkcore.data.own_read import open_own
from ntkcore.data.own_store import own_title
from ntkcore.data.selection import choose_classes, counted, draw
from ntkcore.data.sources import Source, open_source
from ntkcore.errors import DataError
from ntkcore.settings import Settings
from ntkcore.specs import VECTOR_SETS, DatasetName


@dataclass(frozen=True, slots=True)
class Part:
    """Images drawn of some classes.

    Attributes:
        title: the set's name for people.
        inputs: float32 (n, c, h, w) in [0, 1]; the vectors (n, d) of texts.
        pixels: uint8 (n, h, w) or (n, h, w, 3).
        labels: (n,) positions in the classes asked for.
        ids: their stable names.
        texts: what a reader sees of each, if they are texts.
    """

    title: str
    inputs: NDArray[np.float32]
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    ids: tuple[str, ...]
    texts: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class SetFacts:
    """What a set has: its title, its classes, images of each class, and ``(c, h, w)`` of one image or ``(d,)`` of one text."""

    title: str
    class_names: tuple[str, ...]
    counts: tuple[int, ...]
    shape: tuple[int, ...]


def load_part(name: DatasetName, own: str | None, classes: Sequence[str], n: int, seed: int, settings: Settings) -> Part:
    """The first ``n`` images of a permutation of these classes' images: a larger n begins with a smaller one's.

    Raises:
        SpecError: a class the set does not have.
        DataError: too few images, a damaged file, or a set without images; DataMissing: it is not on this machine.
    """
    title, source = opened(name, own, settings)
    chosen = choose_classes(title, source.class_names, tuple(classes))
    index = draw(source.labels, chosen, n, seed, title=title)
    position = np.full(len(source.class_names), -1)
    position[list(chosen)] = np.arange(len(chosen))
    inputs, pixels = read_images(source, index)
    return Part(title, inputs, pixels, position[source.labels[index]].astype(np.int64), source.ids(index), texts_of(source, index))


def facts_of(name: DatasetName, own: str | None, settings: Settings) -> SetFacts:
    """What a set has. Raises as :func:`load_part`."""
    title, source = opened(name, own, settings)
    counts = counted(source.labels, len(source.class_names))
    inputs, _ = read_images(source, np.zeros(1, np.int64))
    return SetFacts(title, source.class_names, tuple(map(int, counts)), inputs.shape[1:])


def opened(name: DatasetName, own: str | None, settings: Settings) -> tuple[str, Source]:
    """Title and source of a set of images or texts. Raises as :func:`load_part`."""
    if own is not None:
        return own_title(own, settings), open_own(own, settings)
    known = NAMED.get(name)
    if known is None or name in VECTOR_SETS:
        title = name if known is None else known.title
        raise DataError(f"{title} has no images to choose from: its points are generated or are no pictures.", "Choose a set of images.")
    return known.title, open_source(name, settings)
