"""From a specification to its images: find the set, draw, move labels, normalise."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.dataset import SHOWN, Dataset
from ntkcore.data.hashing import file_sha256
from ntkcore.data.names import NAMED, VECTOR_SETS
from ntkcore.data.own_store import open_own, own_title, require_own
from ntkcore.data.selection import choose_classes, draw, move_labels, require_pairs
from ntkcore.data.sources import Source, open_source, source_files
from ntkcore.data.synthetic import GENERATOR_VERSION, GENERATORS, drawings
from ntkcore.data.text.cards import drawings as drawn_texts
from ntkcore.settings import Settings
from ntkcore.settings import settings as process_settings
from ntkcore.specs import DatasetSpec

_STD_FLOOR = 1e-3
_MORE = "Draw more images, name fewer classes, or choose another seed."


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
        SpecError: a class the set does not have.
        DataMissing: the set is not on this machine.
        DataError: a damaged file, too few images, or a class left with fewer than two.
    """
    settings = settings or process_settings()
    content = content_hash(spec, settings)
    if spec.name in VECTOR_SETS:
        return _vectors(spec, content, first)
    source = open_own(str(spec.own), settings) if spec.name == "own" else open_source(spec.name, settings)
    title = own_title(str(spec.own), settings) if spec.name == "own" else NAMED[spec.name].title

    classes = choose_classes(title, source.class_names, spec.classes)
    names = tuple(source.class_names[label] for label in classes)
    position = np.full(len(source.class_names) + 1, -1)  # the last one is where UNLABELLED points
    position[list(classes)] = np.arange(len(classes))
    of_class = position[source.labels]
    what = "image" if source.texts is None else "text"
    require_pairs(of_class[of_class >= 0], names, f"in {title}", f"Leave this class out, or use a set with more {what}s of it.", what)
    index = draw(source.labels, classes, spec.n, spec.seed, title=title, what=what, without=spec.without)
    true_labels = of_class[index].astype(np.int64)
    require_pairs(true_labels, names, f"among the {spec.n:,} {what}s drawn", _MORE, what)

    labels = _noisy(spec, true_labels, names)[:first]
    return read_drawn(spec, title, source, index[:first], labels, true_labels[:first], names, content)


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
    inputs, pixels = read_images(source, index)
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
        places=index,
    )


def texts_of(source: Source, index: NDArray[np.int64]) -> tuple[str, ...] | None:
    """What a reader sees of the texts at these positions, long ones cut; None for images."""
    if source.texts is None:
        return None
    return tuple(text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…" for text in source.texts(index))


def read_images(source: Source, index: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Images of a source at these positions: float32 (n, c, h, w) in [0, 1], and as pixels for display.

    Of texts: their vectors, float32 (n, d), and drawings of them.
    """
    raw = source.images(index)
    if source.texts is not None:
        return np.ascontiguousarray(raw, np.float32), drawn_texts(source.texts(index))
    pixels = raw if source.maximum == 255 else np.rint(raw * (255 / source.maximum)).astype(np.uint8)
    channels_last = raw if raw.ndim == 4 else raw[..., None]
    return np.ascontiguousarray(channels_last.transpose(0, 3, 1, 2)).astype(np.float32) / np.float32(source.maximum), pixels


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


def _vectors(spec: DatasetSpec, content: str, first: int | None) -> Dataset:
    """A generated set: its points are those of the seed, in the order they are generated."""
    known = NAMED[spec.name]
    classes = choose_classes(known.title, known.class_names, spec.classes)
    names = tuple(known.class_names[label] for label in classes)
    points = GENERATORS[spec.name](spec.n, spec.seed)
    true_labels = np.argsort(classes)[np.arange(spec.n) % 2].astype(np.int64)
    return Dataset(
        spec=spec,
        title=known.title,
        inputs=points[:first],
        pixels=drawings(spec.name, points)[:first],  # drawn among all points
        labels=_noisy(spec, true_labels, names)[:first],
        true_labels=true_labels[:first],
        class_names=names,
        ids=tuple(f"{spec.name}/train/{number}" for number in range(len(points[:first]))),
        mean=np.zeros(points.shape[1], np.float32),
        std=np.ones(points.shape[1], np.float32),
        content=content,
        places=np.arange(len(points[:first])),
    )


def _noisy(spec: DatasetSpec, true_labels: NDArray[np.int64], names: tuple[str, ...]) -> NDArray[np.int64]:
    labels = move_labels(true_labels, len(names), spec.label_noise, spec.seed)
    require_pairs(labels, names, "left after the label noise", "Draw more images, or move fewer labels.")
    return labels
