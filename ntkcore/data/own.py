"""Bring your own images: a zip or folder with one folder per class, a Parquet file, or an npz.

One rule for the size: images that all have one size of at most 64 × 64 are kept as they are. Otherwise (or when a side is
asked for) every image is scaled, bilinear and antialiased, so that its short side is the target, and cropped to the central
square; the target is the side asked for, or the median of the short sides, at least 8 and at most 64.
"""

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ntkcore.data.class_folders import sort_into_classes
from ntkcore.data.decode import Head, decode, decode_all, read_head, square
from ntkcore.data.file_kinds import START, kind_of_zip, other_kind, refuse_other
from ntkcore.data.filenames import shown
from ntkcore.data.import_common import ArrayImages, EncodedImages, Limits, skipped_note, too_big, unlabelled_note
from ntkcore.data.import_files import SafeZip, files_in_folder, files_in_zip
from ntkcore.data.import_npz import images_in_npz, is_npz
from ntkcore.data.import_parquet import images_in_parquet
from ntkcore.data.own_keep import ImportReport, keep_set, name_of, write_array, write_bytes
from ntkcore.data.own_store import write_header
from ntkcore.data.selection import UNLABELLED, require_pairs
from ntkcore.errors import DataError
from ntkcore.private import open_private
from ntkcore.settings import Settings

Progress = Callable[[int, int], None]

MIN_SIDE, MAX_SIDE = 4, 256
_AUTO = (8, 64)
_BATCH_IMAGES, _BATCH_BYTES = 64, 64 << 20  # encoded images held at once
_PHOTOGRAPH = 1 << 15  # bytes above which decoding in several threads pays


def import_images(
    path: Path,
    settings: Settings,
    *,
    name: str,
    side: int | Literal["auto"] = "auto",
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> ImportReport:
    """Import an image set; the kind of file is told by its first bytes, not by its name.

    Whoever lets strangers name a path checks it with :func:`~ntkcore.data.check_server_path` first.

    Args:
        path: a zip, a Parquet file, an npz, or a folder.
        settings: where to keep the set, and the limits.
        name: what to call it.
        side: side of the square images in pixels (4 to 256), or ``"auto"`` for the rule above.
        progress: called with (steps done, steps in all); may raise Cancelled, which leaves nothing behind.
        limits: what the import may cost; from the settings if None.

    Raises:
        DataError: whatever is wrong with the file, by name.
        StoreError: the set cannot be written (disk full).
    """
    limits = limits or Limits.of(settings)
    if side != "auto" and not MIN_SIDE <= side <= MAX_SIDE:
        raise DataError(f"The side of {side} pixels is out of range.", f"Choose {MIN_SIDE} to {MAX_SIDE} pixels.")
    name = name_of(name, "My images")
    report = progress or (lambda done, total: None)
    if path.is_dir():
        return _keep(sort_into_classes(files_in_folder(path, limits)), settings, name, side, report, limits)
    start = _first_bytes(path)
    if start.startswith(b"PAR1"):
        return _keep(images_in_parquet(path, limits), settings, name, side, report, limits)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        with closing(SafeZip(path, limits)) as archive:
            if other := kind_of_zip(["/".join(parts) for parts in archive.parts]):
                raise other_kind(other)
            images = images_in_npz(archive, limits) if is_npz(archive) else sort_into_classes(files_in_zip(archive))
            return _keep(images, settings, name, side, report, limits)
    refuse_other(start)
    raise DataError("The file is neither a zip nor a Parquet file nor an npz.", "Pack the images as a zip with one folder per class.")


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(START)
    except FileNotFoundError as error:
        raise DataError(f"There is no file {shown(path.name)}.", "Check its spelling.") from error
    except OSError as error:
        raise DataError(f"The file {shown(path.name)} could not be read: {error.strerror}.", "Check its permissions.") from error
    if not start:
        raise DataError("The file is empty.", "Upload it again.")
    return start


def _keep(
    images: EncodedImages | ArrayImages, settings: Settings, name: str, side: int | Literal["auto"], progress: Progress, limits: Limits
) -> ImportReport:
    whole = (images.labels != UNLABELLED).all()  # else classes may still be without an image
    if whole and len(images.class_names) < 2:
        raise DataError(
            f"All images are of the one class {shown(images.class_names[0])}.", "Bring at least two classes: one folder or label for each."
        )
    if whole:
        require_pairs(images.labels, images.class_names, "in this set", "Add images of it, or leave the class out.")
    n = len(images.labels)
    if isinstance(images, ArrayImages):
        heads = [Head(images.shape[2], images.shape[1], len(images.shape) == 3, False, False)]
        total, done = n, 0
    else:
        total, done = 2 * n, n
        heads = _heads(images, limits, lambda count: progress(count, total))
    target, note = _target(heads, side)
    gray = all(head.gray for head in heads)
    height, width = (target, target) if target else (heads[0].height, heads[0].width)
    shape = (n, height, width) if gray else (n, height, width, 3)
    if n * height * width * (1 if gray else 3) > limits.stored_bytes:
        raise too_big("The set", limits.stored_bytes)

    notes = [note, *images.notes, *_notes(heads, images), *unlabelled_note(images.labels)]
    blocks = _scaled(images, target) if isinstance(images, ArrayImages) else _decoded(images, limits, gray, target)
    return keep_set(
        settings,
        kind="images",
        name=name,
        class_names=images.class_names,
        labels=images.labels,
        shape=(1 if gray else 3, height, width),
        skipped=images.skipped,
        notes=notes,
        write=lambda folder: _write(folder, images, shape, blocks, lambda count: progress(done + count, total)),
    )


def _heads(images: EncodedImages, limits: Limits, progress: Callable[[int], None]) -> list[Head]:
    heads = []
    for count, (data, name) in enumerate(zip(images.items(), images.ids, strict=True), 1):
        heads.append(read_head(data, name, limits.pixels))
        if count % 16 == 0 or count == len(images.ids):
            progress(count)
    return heads


def _target(heads: list[Head], side: int | Literal["auto"]) -> tuple[int | None, str]:
    """The side to scale to, or None to keep the images as they are; and the sentence that says so."""
    sizes = {(head.width, head.height) for head in heads}
    width, height = next(iter(sizes))
    if len(sizes) == 1 and (max(width, height) <= _AUTO[1] if side == "auto" else width == height == side):
        return None, f"All images have {width} × {height} pixels and were kept as they are."
    shorts = [min(size) for size in ((head.width, head.height) for head in heads)]
    target = int(np.clip(round(float(np.median(shorts))), *_AUTO)) if side == "auto" else side
    had = f"{width} × {height}" if len(sizes) == 1 else f"different sizes, the short side from {min(shorts)} to {max(shorts)}"
    return target, (
        f"Images of {had} pixels were scaled so that the short side has {target} and cropped to the central {target} × {target}."
    )


def _notes(heads: list[Head], images: EncodedImages | ArrayImages) -> Iterator[str]:
    grays = sum(head.gray for head in heads)
    if 0 < grays < len(heads):
        yield f"Gray ({grays:,}) and colour ({len(heads) - grays:,}) images were mixed: all became RGB."
    if clear := sum(head.alpha for head in heads):
        yield f"{clear:,} images with transparency were put on white."
    moving = [images.ids[i] for i, head in enumerate(heads) if head.frames]
    if moving:
        yield f"{len(moving):,} images have several frames ({shown(moving[0])} is one): the first was used."
    if images.skipped:
        yield skipped_note(images.skipped)


def _decoded(images: EncodedImages, limits: Limits, gray: bool, target: int | None) -> Iterator[NDArray[np.uint8]]:
    waiting: list[Callable[[], NDArray[np.uint8]]] = []
    held = 0
    for data, name in itertools.chain(zip(images.items(), images.ids, strict=True), [(None, "")]):
        if data is not None:
            waiting.append(partial(decode, data, name, limits.pixels, gray=gray, side=target))
            held += len(data)
        if waiting and (data is None or len(waiting) >= _BATCH_IMAGES or held >= _BATCH_BYTES):
            batch = decode_all(waiting) if held > len(waiting) * _PHOTOGRAPH else [job() for job in waiting]
            if len({image.shape for image in batch}) > 1:
                raise _changed()
            yield np.stack(batch)
            waiting, held = [], 0


def _scaled(images: ArrayImages, target: int | None) -> Iterator[NDArray[np.uint8]]:
    for block in images.blocks():
        yield block if target is None else np.stack([np.asarray(square(Image.fromarray(image), target)) for image in block])


def _write(
    folder: Path,
    images: EncodedImages | ArrayImages,
    shape: tuple[int, ...],
    blocks: Iterator[NDArray[np.uint8]],
    progress: Callable[[int], None],
) -> dict[str, str]:
    """Write the three files and return the SHA-256 of their content."""
    pixels, written = hashlib.sha256(), 0
    with open_private(folder / "images.npy", "wb") as file:
        write_header(file, shape, np.uint8)
        for block in blocks:
            if block.shape[1:] != shape[1:]:
                raise _changed()
            data = np.ascontiguousarray(block).data
            pixels.update(data)
            file.write(data)
            written += len(block)
            progress(written)
        file.flush()
        os.fsync(file.fileno())
    ids = json.dumps(images.ids, ensure_ascii=False, separators=(",", ":")).encode()
    return {
        "images": pixels.hexdigest(),
        "labels": write_array(folder / "labels.npy", images.labels.astype("<i8")),
        "ids": write_bytes(folder / "ids.json", ids),
    }


def _changed() -> DataError:
    return DataError("The images changed while they were read.", "Wait until they have been written, then import again.")
