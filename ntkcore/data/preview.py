"""What an import would make, before it is made: classes, counts, the division, what would be left out and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ntkcore.data.bring import TextWishes, is_of_texts
from ntkcore.data.import_common import ArrayImages, Limits
from ntkcore.data.open_images import opened_images
from ntkcore.data.own_keep import LISTED
from ntkcore.data.own_store import Kind, counted_parts
from ntkcore.data.own_write import Lost, read_heads
from ntkcore.data.selection import counted
from ntkcore.data.text.own import read_texts
from ntkcore.settings import Settings


@dataclass(frozen=True, slots=True)
class Preview:
    """What is in a file.

    Attributes:
        kind: what it would be a set of.
        n: how many images or texts.
        class_names, counts: the classes and how many of each.
        unlabelled: how many without a label.
        parts: how many belong to each part of a division, by its name.
        columns: of a table: those kept beside path and label; of texts, all.
        sides: the least and the largest short side of the images, in pixels; () for texts.
        skipped: what would be left out, ``"name: reason"``; the first 200. An image that turns out damaged only when it is decoded is
            found by the import.
        skipped_count: how many there are.
        notes: how the file was read, in sentences.
    """

    kind: Kind
    n: int
    class_names: tuple[str, ...]
    counts: tuple[int, ...]
    unlabelled: int
    parts: dict[str, int]
    columns: tuple[str, ...]
    sides: tuple[int, ...]
    skipped: tuple[str, ...]
    skipped_count: int
    notes: tuple[str, ...]


def preview_set(
    paths: Sequence[Path],
    settings: Settings,
    *,
    more: str | None = None,
    names: Sequence[str] = (),
    texts: TextWishes | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Preview:
    """Look into what would be imported; arguments and errors are those of :func:`~ntkcore.data.import_set`."""
    limits, tell = Limits.of(settings), progress or (lambda done, total: None)
    if is_of_texts(paths, settings, more):
        table = read_texts(paths[0], (texts or TextWishes()).columns, limits)
        counts = counted(table.labels, len(table.class_names))
        empty = [f"row/{row}: empty" for row, text in enumerate(table.texts) if not text]
        return Preview(
            kind="texts",
            n=len(table.texts) - len(empty),
            class_names=table.class_names,
            counts=tuple(map(int, counts)),
            unlabelled=len(table.texts) - int(counts.sum()),
            parts={},
            columns=table.columns,
            sides=(),
            skipped=tuple(empty[:LISTED]),
            skipped_count=len(empty),
            notes=table.notes,
        )
    with opened_images(paths, settings, limits, more, names) as images:
        lost = Lost(images.ids)
        if isinstance(images, ArrayImages):
            kept, shorts = np.arange(len(images.ids)), [min(images.shape[1:3])]
            parts: tuple[str, ...] = ()
            columns: tuple[str, ...] = ()
        else:
            heads, _ = read_heads(images, lost, limits, lambda done: tell(done, len(images.ids)))
            kept = np.array([place for place, head in enumerate(heads) if head is not None], np.int64)
            shorts = [min(head.width, head.height) for head in heads if head is not None]
            parts, columns = images.parts, tuple(images.columns)
        counts = counted(images.labels[kept], len(images.class_names))
        skipped = [*images.skipped, *lost.lines()]
        return Preview(
            kind="images",
            n=len(kept),
            class_names=images.class_names,
            counts=tuple(map(int, counts)),
            unlabelled=len(kept) - int(counts.sum()),
            parts=counted_parts([parts[place] for place in kept]) if parts else {},
            columns=columns,
            sides=(min(shorts), max(shorts)) if shorts else (),
            skipped=tuple(skipped[:LISTED]),
            skipped_count=len(skipped),
            notes=images.notes,
        )
