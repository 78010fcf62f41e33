"""From a specification to its images: find the set, draw, move labels, normalise."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.dataset import SHOWN, Dataset, Origin
from ntkcore.data.hashing import file_sha256
from ntkcore.data.names import NAMED
from ntkcore.data.own_read import open_own
from ntkcore.data.own_store import own_title, require_own
from ntkcore.data.selection import choose_classes, draw, move_labels, of_part, require_pairs
from ntkcore.data.sizing import Sizing, cut_pixels, sizing_of
from ntkcore.data.sources import Source, open_source, source_files
from ntkcore.data.synthetic import GENERATOR_VERSION, GENERATORS, drawings
from ntkcore.data.text.cards import drawings as drawn_texts
from ntkcore.errors import SpecError
from ntkcore.settings import Settings
from ntkcore.settings import settings as process_settings
from ntkcore.specs import VECTOR_SETS, DatasetSpec

_STD_FLOOR = 1e-3
_MORE = "Draw more images, name fewer classes, or choose another seed."
_CHUNK = 1 << 22  # numbers converted at once


def load_dataset(spec: DatasetSpec, settings: Settings | None = None, *, first: int | None = None) -> Dataset:
    """Load the images a specification names.

    The draw is the first ``n`` of a permutation seeded by the specification, so a larger ``n`` holds a smaller one's
    images in the same order; ``round(label_noise * n)`` labels are moved, nested in the share. Generated sets have as
    many points as are asked for.

    Args:
        spec: what to draw.
        settings: where the data is; the process's settings if None.
        first: decode the first so many of the drawn images only. Everything is checked as for all of them, and labels,
            classes and outputs are those of the whole draw's; ``mean`` and ``std`` are of the decoded images.

    Raises:
        SpecError: a class or part the set does not have, or a size for what is no image.
        DataMissing: the set is not on this machine, or a photograph that it refers to is gone.
        DataError: a damaged file, too few images, or a class left with fewer than two.
    """
    return _load(spec, settings or process_settings(), slice(0, first))


def load_held_out(spec: DatasetSpec, count: int, settings: Settings | None = None, *, first: int | None = None) -> Dataset:
    """The images held out from those of :func:`load_dataset`, with their true labels.

    Of a part they are drawn, by the same seed, from the set's other parts; else they are the ``count`` that follow in the same draw.

    Args:
        spec: what the others are drawn by; its label noise does not concern these.
        count: how many.
        settings: where the data is; the process's settings if None.
        first: decode the first so many only, as in :func:`load_dataset`.

    Raises: as :func:`load_dataset`.
    """
    chosen = settings or process_settings()
    if spec.part:
        return _load(spec.model_copy(update={"n": count, "label_noise": 0.0}), chosen, slice(0, first), others=True)
    both = spec.model_copy(update={"n": spec.n + count, "label_noise": 0.0})
    return _load(both, chosen, slice(spec.n, None if first is None else spec.n + first))


def _load(spec: DatasetSpec, settings: Settings, which: slice, *, others: bool = False) -> Dataset:
    """The drawn images at ``which`` places of the draw; from the other parts than the specification's, if asked for."""
    content = content_hash(spec, settings)
    if spec.name in VECTOR_SETS:
        return _vectors(spec, content, which)
    source = open_own(str(spec.own), settings) if spec.name == "own" else open_source(spec.name, settings)
    title = own_title(str(spec.own), settings) if spec.name == "own" else NAMED[spec.name].title

    classes = choose_classes(title, source.class_names, spec.classes)
    names = tuple(source.class_names[label] for label in classes)
    position = np.full(len(source.class_names) + 1, -1)  # the last one is where UNLABELLED points
    position[list(classes)] = np.arange(len(classes))
    of_class = position[source.labels]
    inside = of_part(source.parts, spec.part, title, others=others)
    available = of_class[(of_class >= 0) & inside]
    what = "image" if source.texts is None else "text"
    where = f"in {title}" if not spec.part else f"in the other parts of {title}" if others else f"in the part {spec.part} of {title}"
    if not others:  # what is only looked at may have any number of a class
        require_pairs(available, names, where, f"Leave this class out, or use a set with more {what}s of it.", what)
    index = draw(source.labels, classes, spec.n, spec.seed, title=title, what=what, inside=inside, without=spec.without)
    true_labels = of_class[index].astype(np.int64)
    if not others:
        require_pairs(true_labels, names, f"among the {spec.n:,} {what}s drawn", _MORE, what)

    labels = (true_labels if others else _noisy(spec, true_labels, names))[which]
    return read_drawn(spec, title, source, index[which], labels, true_labels[which], names, content)


def read_drawn(
    spec: DatasetSpec,
    title: str,
    source: Source,
    index: NDArray[np.int64],
    labels: NDArray[np.int64],
    true_labels: NDArray[np.int64],
    names: tuple[str, ...],
    content: str,
) -> Dataset:
    """The images or texts at these positions of a source, with the labels (n,) and classes that were found for them."""
    inputs, pixels = read_images(source, index, sizing_of(spec))
    mean, std = channel_statistics(inputs)
    return Dataset(
        spec=spec,
        title=title,
        inputs=inputs,
        pixels=pixels,
        labels=labels,
        true_labels=true_labels,
        class_names=names,
        ids=source.ids(index),
        mean=mean,
        std=std,
        content=content,
        texts=texts_of(source, index),
        origin=None if source.original is None else Origin(str(spec.own), index),
        places=index,
    )


def texts_of(source: Source, index: NDArray[np.int64]) -> tuple[str, ...] | None:
    """What a reader sees of the texts at these positions, long ones cut; None for images."""
    if source.texts is None:
        return None
    return tuple(text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…" for text in source.texts(index))


def read_images(source: Source, index: NDArray[np.int64], sizing: Sizing | None = None) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Images of a source at these positions: float32 (n, c, h, w) in [0, 1], and as pixels for display.

    At another size than they were imported at, they are cut from the originals where the set has them. Of texts: their vectors,
    float32 (n, d), and drawings of them.

    Raises:
        SpecError: a size for texts.
    """
    if source.texts is not None:
        if sizing is not None:
            raise SpecError("Texts have no size in pixels.", "Leave the size out.")
        return np.ascontiguousarray(source.images(index), np.float32), drawn_texts(source.texts(index))
    maximum = source.maximum
    raw = source.images(index) if sizing is None or source.sized is None else source.sized(index, sizing)
    pixels = raw if maximum == 255 else np.rint(raw * (255 / maximum)).astype(np.uint8)
    if sizing is not None and source.sized is None:
        raw = pixels = cut_pixels(pixels, sizing)
        maximum = 255
    channels_last = raw if raw.ndim == 4 else raw[..., None]
    n, height, width, channels = channels_last.shape
    inputs = np.empty((n, channels, height, width), np.float32)
    step = max(1, _CHUNK // max(1, height * width * channels))
    for start in range(0, n, step):  # no second copy of all of them
        some = channels_last[start : start + step].transpose(0, 3, 1, 2)
        np.divide(some, np.float32(maximum), out=inputs[start : start + step], dtype=np.float32)
    return inputs, pixels


def channel_statistics(inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation (c,) of each channel of images (n, c, h, w), the latter at least 1e-3.

    Of vectors (n, d): the mean (d,) of each number, and (d,) times the root of the mean square of all of them about their means.
    One scale for all makes them as large as normalised images and keeps the proportions of the distances between them; one for
    each would blow up the singular vectors that matter least.
    """
    if inputs.ndim == 2:
        mean = inputs.mean(axis=0, dtype=np.float64)
        scale = max(float(np.sqrt(np.mean((inputs - mean) ** 2))), _STD_FLOOR)
        return mean.astype(np.float32), np.full(len(mean), scale, np.float32)
    mean = inputs.mean(axis=(0, 2, 3), dtype=np.float64)
    std = np.maximum(inputs.std(axis=(0, 2, 3), dtype=np.float64), _STD_FLOOR)
    return mean.astype(np.float32), std.astype(np.float32)


def content_hash(spec: DatasetSpec, settings: Settings | None = None) -> str:
    """SHA-256 (hex) of the source a specification draws from, without loading its images.

    Of an imported set it is the content id; of a generated one, it stands for the generator and its version.

    Raises:
        DataMissing: the set is not on this machine.
        DataError: a file that cannot be read.
    """
    settings = settings or process_settings()
    if spec.own is not None:
        require_own(spec.own, settings)
        return spec.own
    if spec.name in VECTOR_SETS:
        return hashlib.sha256(f"{spec.name} generator {GENERATOR_VERSION}".encode()).hexdigest()
    files = source_files(spec.name, settings)
    lines = [f"{path.name.removesuffix('.gz')} {file_sha256(path, settings)}\n" for path in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _vectors(spec: DatasetSpec, content: str, which: slice) -> Dataset:
    """A generated set: its points are those of the seed, in the order they are generated."""
    known = NAMED[spec.name]
    classes = choose_classes(known.title, known.class_names, spec.classes)
    names = tuple(known.class_names[label] for label in classes)
    points = GENERATORS[spec.name](spec.n, spec.seed)
    true_labels = np.argsort(classes)[np.arange(spec.n) % 2].astype(np.int64)
    return Dataset(
        spec=spec,
        title=known.title,
        inputs=points[which],
        pixels=drawings(spec.name, points)[which],  # drawn among all points
        labels=_noisy(spec, true_labels, names)[which],
        true_labels=true_labels[which],
        class_names=names,
        ids=tuple(f"{spec.name}/train/{number}" for number in range(len(points))[which]),
        mean=np.zeros(points.shape[1], np.float32),
        std=np.ones(points.shape[1], np.float32),
        content=content,
        places=np.arange(len(points))[which],
    )


def _noisy(spec: DatasetSpec, true_labels: NDArray[np.int64], names: tuple[str, ...]) -> NDArray[np.int64]:
    labels = move_labels(true_labels, len(names), spec.label_noise, spec.seed)
    require_pairs(labels, names, "left after the label noise", "Draw more images, or move fewer labels.")
    return labels
