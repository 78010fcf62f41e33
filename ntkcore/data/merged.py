"""Images of several files, or of a set that is there and of a file, as those of one import."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ntkcore.data.bare import encoded
from ntkcore.data.class_folders import part_word
from ntkcore.data.filenames import clean_class_names, natural_key
from ntkcore.data.import_common import ArrayImages, EncodedImages
from ntkcore.data.own_read import open_own, own_columns, own_links
from ntkcore.data.selection import UNLABELLED
from ntkcore.errors import DataError
from ntkcore.settings import Settings


def encoded_arrays(images: ArrayImages) -> EncodedImages:
    """Images that are arrays, as PNG files."""

    def items() -> Iterator[bytes]:
        for block in images.blocks():
            for pixels in block:
                yield encoded(Image.fromarray(pixels), lossy=False)[0]

    return EncodedImages(images.ids, images.labels, images.class_names, items, images.skipped, images.notes)


def merged(found: Sequence[tuple[str, EncodedImages]]) -> EncodedImages:
    """The images of several files as those of one: classes of one name are one, whatever their order in each.

    Where the files' names say so (``train.zip``, ``test-00000-of-00002.parquet``), each is a part of a division. Ids that several files
    have get the file's name before them.

    Args:
        found: name of each file, without its ending, and its images.
    """
    names = clean_class_names(_class_names([images.class_names for _, images in found]))
    position = {name: place for place, name in enumerate(names)}
    labels = []
    for _, images in found:
        renumbered = np.array([*(position[name] for name in images.class_names), UNLABELLED], np.int64)
        labels.append(renumbered[images.labels])
    ids = [name for _, images in found for name in images.ids]
    if len(set(ids)) < len(ids):
        ids = [f"{stem}/{name}" for stem, images in found for name in images.ids]
    if len(set(ids)) < len(ids):
        ids = [f"{place}/{name}" for place, name in enumerate(ids)]
    words = [part_word(stem) for stem, _ in found]
    parts = [
        part
        for word, (_, images) in zip(words, found, strict=True)
        for part in images.parts or [word if len(set(words)) > 1 and all(words) else ""] * len(images.ids)
    ]
    columns = sorted({column for _, images in found for column in images.columns})

    def items() -> Iterator[bytes | DataError]:
        for _, images in found:
            yield from images.items()

    roots = [images.root for _, images in found]
    root = Path(os.path.commonpath([str(one) for one in roots])) if None not in roots else None
    return EncodedImages(
        ids=tuple(ids),
        labels=np.concatenate(labels),
        class_names=names,
        items=items,
        skipped=tuple(line for _, images in found for line in images.skipped),
        notes=tuple(dict.fromkeys(note for _, images in found for note in images.notes)),
        parts=tuple(parts) if any(parts) else (),
        columns={column: [value for _, images in found for value in _values(images, column)] for column in columns},
        root=root,
        paths=() if root is None else tuple(_below(root, images, path) for _, images in found for path in images.paths),
    )


def more_of(content_id: str, added: EncodedImages, settings: Settings) -> EncodedImages:
    """The images of a set, and after them those added that it does not have by name yet.

    Raises:
        DataMissing: there is no such set.
        DataError: it is damaged, a set of texts, or nothing is new.
    """
    source = open_own(content_id, settings)
    if source.texts is not None:
        raise DataError("This is a set of texts; images cannot be added to it.", "Import them as a set of their own.")
    every = np.arange(len(source.labels))
    ids = source.ids(every)

    def items() -> Iterator[bytes]:
        for place in range(len(ids)):
            if source.original is not None:
                yield source.original(place)
            else:
                yield encoded(Image.fromarray(source.images(np.array([place]))[0]), lossy=False)[0]

    root, paths = own_links(content_id, settings)
    columns = own_columns(content_id, settings)
    held = EncodedImages(ids, source.labels, source.class_names, items, parts=source.parts or (), columns=columns, root=root, paths=paths)
    known = set(ids)
    new = [place for place, name in enumerate(added.ids) if name not in known]
    if not new:
        raise DataError("All of these images are in the set already, by their names.", "Choose other files.")
    there = [f"{name}: in the set already" for name in added.ids if name in known]
    both = merged([("", held), ("", _only(added, new))])
    return replace(both, skipped=(*both.skipped, *there))


def _only(images: EncodedImages, places: list[int]) -> EncodedImages:
    """Some of the images."""
    chosen = set(places)

    def items() -> Iterator[bytes | DataError]:
        return (data for place, data in enumerate(images.items()) if place in chosen)

    return replace(
        images,
        ids=tuple(images.ids[place] for place in places),
        labels=images.labels[places],
        items=items,
        parts=tuple(images.parts[place] for place in places) if images.parts else (),
        columns={name: [values[place] for place in places] for name, values in images.columns.items()},
        paths=tuple(images.paths[place] for place in places) if images.paths else (),
    )


def _class_names(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Every class once: in natural order where each list has it, else as they come."""
    every = list(dict.fromkeys(name for names in lists for name in names))
    natural = all(list(names) == sorted(names, key=natural_key) for names in lists)
    return tuple(sorted(every, key=natural_key) if natural else every)


def _values(images: EncodedImages, column: str) -> Sequence[Any]:
    return images.columns.get(column) or [None] * len(images.ids)


def _below(root: Path, images: EncodedImages, path: str) -> str:
    assert images.root is not None
    return (images.root / path).relative_to(root).as_posix()
