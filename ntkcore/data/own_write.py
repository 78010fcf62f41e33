"""The files of an imported set of images: small pixels of each, and of photographs the originals and thumbnails beside them."""

import hashlib
import io
import itertools
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ntkcore.data.blobs import Blobs, forget, save, taken_up
from ntkcore.data.decode import Head, decode_all, pictures, read_head, square
from ntkcore.data.filenames import escaped, shown
from ntkcore.data.import_common import ArrayImages, EncodedImages, Limits
from ntkcore.data.originals import small
from ntkcore.data.own_keep import write_array, write_bytes
from ntkcore.data.own_store import write_header
from ntkcore.errors import DataError
from ntkcore.private import open_private

_BATCH_IMAGES, _BATCH_BYTES = 64, 64 << 20  # encoded images held at once
_PHOTOGRAPH = 1 << 15  # bytes above which decoding in several threads pays
_LOST_SECONDS = 30.0  # of processor for images that turn out unreadable
_SAVED = 1.0  # seconds between two notes of how far an import is
_QUALITY = 85  # of a thumbnail


@dataclass(slots=True)
class Lost:
    """Images that cannot be read, by their place in the import, and why.

    What they cost is bounded: each may take seconds, and there may be a hundred thousand of them.
    """

    names: Sequence[str]
    why: dict[int, DataError] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, place: int, error: DataError, seconds: float = 0.0) -> None:
        """Leave an image out."""
        self.why[place] = DataError(error.message, error.remedy)  # without the traceback, which holds the image's bytes
        self.seconds += seconds
        if self.seconds > _LOST_SECONDS:
            raise DataError(
                f"Images that cannot be read have taken more than {_LOST_SECONDS:g} s of processor. The last: {error.message}",
                error.remedy,
            )

    def lines(self) -> Iterator[str]:
        """Each as a report lists it: its name, and what is wrong with it."""
        for place in sorted(self.why):
            name = self.names[place]
            said = re.sub(rf"^(The \w+ )?{re.escape(shown(name))} ?", "", self.why[place].message).rstrip(".")
            yield f"{escaped(name)}: {said}"


def read_heads(images: EncodedImages, lost: Lost, limits: Limits, progress: Callable[[int], None]) -> tuple[list[Head | None], str]:
    """What the header of each image says, None of one that cannot be read, which is lost; and the SHA-256 of all their bytes."""
    heads: list[Head | None] = []
    every = hashlib.sha256()
    for place, (data, name) in enumerate(zip(images.items(), images.ids, strict=True)):
        began = time.thread_time()
        head = None
        try:
            if isinstance(data, DataError):
                raise data
            every.update(data)
            head = read_head(data, name, limits.pixels)
        except DataError as error:
            lost.add(place, error, time.thread_time() - began)
        heads.append(head)
        if (place + 1) % 16 == 0 or place + 1 == len(images.ids):
            progress(place + 1)
    return heads, every.hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    """One image: its place in the import, its small pixels, its bytes as they came, and its thumbnail, b"" where it needs none."""

    place: int
    pixels: NDArray[np.uint8]
    data: bytes
    card: bytes


def write_images(
    folder: Path,
    images: EncodedImages,
    lost: Lost,
    limits: Limits,
    *,
    gray: bool,
    shape: tuple[int, ...],
    scaled: bool,
    refer: bool,
    progress: Callable[[int], None],
) -> tuple[list[int], dict[str, str]]:
    """Decode and write what is not lost yet; of photographs, goes on from what a stopped import left in the folder.

    Args:
        folder: where.
        images: all of them.
        lost: those left out; what turns out unreadable only now is added.
        limits: of an image, and of what is kept.
        gray: one channel, else RGB.
        shape: ``(h, w)`` or ``(h, w, 3)`` of the small pixels.
        scaled: whether they are smaller or larger than what came, which is then kept beside them.
        refer: to the files where they lie, rather than keep their bytes.
        progress: called with the images done; may raise Cancelled.

    Returns:
        The places of the images written, in order, and the SHA-256 of each file's data.
    """
    names = ["images"] if not scaled else ["images", "cards"] if refer else ["images", "cards", "originals"]
    header = io.BytesIO()
    write_header(header, (len(images.ids), *shape), np.uint8)
    blobs = [Blobs(folder / ("images.npy" if name == "images" else f"{name}.bin"), limits.stored_bytes) for name in names]
    blobs[0].begin(header.getvalue())
    links: list[tuple[str, str, int]] = []
    done, before = taken_up(folder, blobs) if scaled else (0, {})
    for place, message, remedy in before.get("lost", ()):
        lost.why.setdefault(place, DataError(message, remedy))
    links += [tuple(link) for link in before.get("links", ())]
    kept = [place for place in range(done) if place not in lost.why]
    saved = time.monotonic()
    try:
        for batch, reached in _batches(images, lost, limits, gray=gray, side=shape[0] if scaled else None, first=done):
            for one in batch:
                if one.pixels.shape != shape:
                    raise changed()
                kept.append(one.place)
                for blob, data in zip(blobs, (one.pixels.tobytes(), one.card, one.data), strict=False):
                    blob.add(data)
                if refer:
                    links.append((images.paths[one.place], hashlib.sha256(one.data).hexdigest(), len(one.data)))
            done = reached
            if scaled and time.monotonic() - saved > _SAVED:
                why = [(place, error.message, error.remedy) for place, error in lost.why.items()]
                save(folder, blobs, done, {"lost": why, "links": links})  # between batches alone, where the files are of one length
                saved = time.monotonic()
            progress(done)
        header = io.BytesIO()
        write_header(header, (len(kept), *shape), np.uint8)  # as long as before: NumPy leaves room for the number to grow
        blobs[0].end(header.getvalue())
        hashes = {"images": blobs[0].sha256}
        for name, blob in zip(names[1:], blobs[1:], strict=True):
            blob.end()
            hashes[name] = blob.sha256
            ends = f"{name[:-1]}_ends"
            hashes[ends] = write_array(folder / f"{ends}.npy", np.array(blob.ends, "<i8"))
    finally:
        for blob in blobs:
            blob.close()
    forget(folder)
    if scaled and refer:
        hashes["links"] = write_json(folder / "links.json", {"root": str(images.root), "files": links})
    return kept, hashes


def write_arrays(path: Path, images: ArrayImages, shape: tuple[int, ...], progress: Callable[[int], None]) -> str:
    """Write images that are arrays as they are; returns the SHA-256 of their data."""
    pixels, written = hashlib.sha256(), 0
    with open_private(path, "wb") as file:
        write_header(file, (len(images.ids), *shape), np.uint8)
        for block in images.blocks():
            if block.shape[1:] != shape:
                raise changed()
            data = np.ascontiguousarray(block).data
            pixels.update(data)
            file.write(data)
            written += len(block)
            progress(written)
        file.flush()
        os.fsync(file.fileno())
    return pixels.hexdigest()


def write_json(path: Path, content: Any) -> str:
    """Write a JSON file, synced; returns the SHA-256 of its content."""
    return write_bytes(path, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def _batches(
    images: EncodedImages, lost: Lost, limits: Limits, *, gray: bool, side: int | None, first: int
) -> Iterator[tuple[list[_Decoded], int]]:
    """The images from ``first`` on in batches of bounded size, and how many are done with each."""
    waiting: list[Callable[[], _Decoded | tuple[int, DataError, float]]] = []
    held = 0
    for place, data in itertools.chain(enumerate(images.items()), [(len(images.ids), None)]):
        if data is not None and place >= first and place not in lost.why:
            if isinstance(data, DataError):
                lost.add(place, data)
            else:
                waiting.append(partial(_decode, place, data, images.ids[place] if place < len(images.ids) else "", limits, gray, side))
                held += len(data)
        if waiting and (data is None or len(waiting) >= _BATCH_IMAGES or held >= _BATCH_BYTES):
            many = side is not None or held > len(waiting) * _PHOTOGRAPH
            found = decode_all(waiting) if many else [job() for job in waiting]
            for one in found:
                if isinstance(one, tuple):
                    lost.add(*one)
            yield [one for one in found if isinstance(one, _Decoded)], min(place + 1, len(images.ids))
            waiting, held = [], 0


def _decode(place: int, data: bytes, name: str, limits: Limits, gray: bool, side: int | None) -> _Decoded | tuple[int, DataError, float]:
    began = time.thread_time()
    try:
        if side is None:
            (whole,) = pictures(data, name, limits.pixels, [lambda picture: picture], gray=gray)
            return _Decoded(place, np.asarray(whole), b"", b"")
        pixels, card = pictures(data, name, limits.pixels, [lambda picture: square(picture, side), small], gray=gray)
    except DataError as error:
        return place, error, time.thread_time() - began
    return _Decoded(place, np.asarray(pixels), data, _jpeg(card))


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def changed() -> DataError:
    """The error for files that are no longer what they were a moment ago."""
    return DataError("The images changed while they were read.", "Wait until they have been written, then import again.")
