"""What every kind of import shares: limits, and a common description of what was found."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.decode import EXTENSIONS
from ntkcore.data.filenames import escaped
from ntkcore.data.selection import UNLABELLED, counted
from ntkcore.errors import DataError
from ntkcore.settings import Settings

_WORDS = 20  # bytes of memory for each byte of text; 14 to 18 on texts of 1 kB to 60 kB with few and many different words


@dataclass(frozen=True, slots=True)
class Limits:
    """What an import may cost before it is refused.

    Attributes:
        files: files in an archive or folder, images in a table.
        total_bytes: unpacked bytes of an archive or table.
        file_bytes: bytes of one encoded image.
        ratio: unpacked over packed size of one file of more than a mebibyte.
        stored_bytes: pixels kept.
        pixels: pixels of one image.
        text_bytes: of all texts, whose words take about twenty times as much while they are counted.
    """

    files: int
    total_bytes: int
    file_bytes: int
    ratio: float
    stored_bytes: int
    pixels: int
    text_bytes: int

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits of an installation, from its upload limit and its largest image."""
        return cls(
            files=100_000,
            total_bytes=4 * settings.upload_limit,
            file_bytes=8 * settings.image_pixels + 2**20,  # 16-bit RGBA without compression
            ratio=200.0,
            stored_bytes=4 * settings.upload_limit,
            pixels=settings.image_pixels,
            text_bytes=min(4 * settings.upload_limit, settings.job_bytes // _WORDS),
        )


@dataclass(frozen=True, slots=True)
class EncodedImages:
    """Image files with labels.

    Attributes:
        ids: a name for each image, in order.
        labels: int64 ``(n,)``; UNLABELLED where there is none.
        class_names: the classes in label order.
        items: a fresh iteration over the images' bytes, in order; in place of one that cannot be read, the error that says why.
        skipped: what was left out, ``"name: reason"``.
        notes: what else to say, in sentences.
        parts: which part of a division each belongs to, "" for none; () without one.
        columns: the further columns of a table, a value or None of each image.
        root, paths: the server folder that the files lie in, and the path of each below it; None and () where they come otherwise.
    """

    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    items: Callable[[], Iterator[bytes | DataError]]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    root: Path | None = None
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArrayImages:
    """Images that are arrays already, all of one size.

    Attributes:
        shape: ``(n, h, w)`` or ``(n, h, w, 3)`` of the uint8 images that ``blocks`` yields.
        blocks: a fresh iteration over uint8 blocks ``(b, h, w)`` or ``(b, h, w, 3)``.
        (The others are as in :class:`EncodedImages`.)
    """

    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    blocks: Callable[[], Iterator[NDArray[np.uint8]]]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class FoundFiles:
    """Files of an archive or folder on their way to classes: path parts and a way to read each.

    Attributes:
        where: what holds them, for messages.
        parts: of the path of each image.
        readers: what reads each.
        tables: files that may be tables of images: path parts and a way to read each.
        skipped: what was left out, ``"name: reason"``.
        root: the server folder that they lie in, if they do.
        places: of each image, its path below the root as the system has it.
    """

    where: str
    parts: list[tuple[str, ...]] = field(default_factory=list)
    readers: list[Callable[[], bytes]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    tables: list[tuple[tuple[str, ...], Callable[[], bytes]]] = field(default_factory=list)
    root: Path | None = None
    places: list[str] = field(default_factory=list)

    def skip(self, name: str, reason: str) -> None:
        """Leave a file out, and say so."""
        self.skipped.append(f"{escaped(name)}: {reason}")


def read_each(readers: Sequence[Callable[[], bytes]]) -> Iterator[bytes | DataError]:
    """What each reader reads, or why it cannot."""
    for read in readers:
        try:
            data: bytes | DataError = read()
        except DataError as error:
            data = error
        yield data


def has_image_extension(name: str) -> bool:
    """Whether a file calls itself an image."""
    return PurePosixPath(name).suffix.lower() in EXTENSIONS


def too_many(where: str, limit: int, what: str = "files or images") -> DataError:
    """The error for more files or rows than allowed."""
    return DataError(f"{where} holds more than {limit:,} {what}.", "Split it, or import a part of it.")


def skipped_note(skipped: Sequence[str], what: str = "files") -> str:
    """What was left out, in a sentence: how many, and the first of them."""
    some = "; ".join(text if len(text) < 120 else f"{text[:118]}…" for text in skipped[:5])
    return f"{len(skipped):,} {what} were skipped: {some}{'; …' if len(skipped) > 5 else '.'}"


def too_big(where: str, limit: int) -> DataError:
    """The error for more unpacked bytes than allowed."""
    return DataError(
        f"{where} unpacks to more than the {limit / 2**20:,.0f} MiB allowed.",
        "Import fewer or smaller images, or unpack it on the server and import the folder.",
    )


def unique_ids(names: Sequence[str]) -> tuple[str, ...]:
    """The names themselves where they tell the images apart, else each with its position before it."""
    return tuple(names) if len(set(names)) == len(names) else tuple(f"{i}/{name}" for i, name in enumerate(names))


def unlabelled_note(labels: NDArray[np.int64], what: str = "images") -> tuple[str, ...]:
    """A note on those without a label, where there are any."""
    count = int((labels == UNLABELLED).sum())
    return (f"{count:,} {what} have no label yet: they are labelled on the page Label, and no other page sees them.",) if count else ()


def keep_used_classes(
    labels: NDArray[np.int64], class_names: tuple[str, ...], what: str = "images"
) -> tuple[NDArray[np.int64], tuple[str, ...], tuple[str, ...]]:
    """Labels and class names without the classes that have no image or text, and a note that says so."""
    counts = counted(labels, len(class_names))
    used = np.flatnonzero(counts)
    if len(used) == len(class_names):
        return labels, class_names, ()
    missing = [name for name, count in zip(class_names, counts, strict=True) if count == 0]
    listed = ", ".join(missing[:10]) + (" …" if len(missing) > 10 else "")
    renumbered = np.where(labels == UNLABELLED, UNLABELLED, np.searchsorted(used, labels))
    return renumbered, tuple(class_names[i] for i in used), (f"Classes without {what} were left out: {listed}.",)
