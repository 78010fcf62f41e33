"""Keeping an imported set: its files are written aside, and have their place only when they are whole."""

import errno
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.filenames import escaped
from ntkcore.data.own_store import Kind, counted_parts, half_written, publish, write_header
from ntkcore.data.selection import counted
from ntkcore.errors import StoreError
from ntkcore.private import open_private
from ntkcore.settings import Settings

LISTED = 200  # skipped files or rows named in the report


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import made.

    Attributes:
        content_id: the set's id.
        name: its name.
        n: how many images or texts.
        class_names: the classes in label order.
        counts: images or texts of each class.
        shape: ``(c, h, w)`` of one image, ``(d,)`` of a text's vector.
        skipped: files or rows left out, ``"name: reason"``; the first 200.
        skipped_count: how many there were.
        notes: what was done to the images or texts, in sentences.
        new: False if the same content had been imported before.
        kind: what it is a set of.
        parts: how many belong to each part of its division, by its name.
    """

    content_id: str
    name: str
    n: int
    class_names: tuple[str, ...]
    counts: tuple[int, ...]
    shape: tuple[int, ...]
    skipped: tuple[str, ...]
    skipped_count: int
    notes: tuple[str, ...]
    new: bool
    kind: Kind
    parts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Content:
    """What was written of a set.

    Attributes:
        class_names, shape, skipped, notes: as in the report.
        labels: int64 ``(n,)``.
        hashes: SHA-256 of the data of each of its files, by the file's name.
        parts: which part each belongs to, "" for none; () for a set that is not divided.
        before: id of the set that this is a new version of.
    """

    class_names: tuple[str, ...]
    labels: NDArray[np.int64]
    shape: tuple[int, ...]
    skipped: Sequence[str]
    notes: Sequence[str]
    hashes: dict[str, str]
    parts: Sequence[str] = ()
    before: str | None = None


def keep_set(settings: Settings, *, kind: Kind, name: str, write: Callable[[Path], Content], going_on: str = "") -> ImportReport:
    """Write a set and give it its place, unless it is there already.

    Args:
        settings: where.
        kind, name: as in the report.
        write: writes the set's files into a folder and says what they hold.
        going_on: identity of what is written, where ``write`` can go on from what it finds in the folder; "" where it cannot.

    Raises:
        StoreError: the set cannot be written.
    """
    with half_written(settings, going_on) as folder:
        try:
            content = write(folder)
            counts = tuple(map(int, counted(content.labels, len(content.class_names))))
            parts = counted_parts(content.parts)
            description = {
                "kind": kind,
                "name": name,
                "class_names": content.class_names,
                "counts": counts,
                "unlabelled": len(content.labels) - sum(counts),
                "shape": content.shape,
                "notes": list(content.notes),
                "skipped": list(content.skipped[:LISTED]),
                "skipped_count": len(content.skipped),
                "hashes": content.hashes,
                "bytes": sum(file.stat().st_size for file in folder.iterdir()),
                **({"parts": parts} if parts else {}),
                **({"before": content.before} if content.before else {}),
            }
            content_id, new = publish(folder, description, settings)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise StoreError(
                "The disk is full; nothing was imported." if full else f"The set could not be written: {error.strerror}.",
                "Free some disk space, then import again." if full else "Check the cache folder's permissions.",
            ) from error
    return ImportReport(
        content_id=content_id,
        name=name,
        n=len(content.labels),
        class_names=content.class_names,
        counts=counts,
        shape=content.shape,
        skipped=tuple(content.skipped[:LISTED]),
        skipped_count=len(content.skipped),
        notes=tuple(content.notes),
        new=new,
        kind=kind,
        parts=parts,
    )


def name_of(given: str, otherwise: str) -> str:
    """What a set is called: one line of at most 80 characters that print."""
    return escaped(" ".join(given.split()))[:80] or otherwise


def write_array(path: Path, values: NDArray[Any]) -> str:
    """Write a .npy file, synced; returns the SHA-256 of its data."""
    with open_private(path, "wb") as file:
        write_header(file, values.shape, values.dtype.type)
        return _write(file, np.ascontiguousarray(values).data.cast("B"))


def write_bytes(path: Path, data: bytes) -> str:
    """Write a file, synced; returns the SHA-256 of its content."""
    with open_private(path, "wb") as file:
        return _write(file, memoryview(data))


def _write(file: BinaryIO, data: memoryview) -> str:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
    return hashlib.sha256(data).hexdigest()
