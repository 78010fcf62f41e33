"""Thumbnails encoded once: one content-addressed file of small pictures per set of images.

Of images that are pixels alone they are PNGs; of photographs the JPEGs that their set keeps. Of texts, the PNGs are small drawings, and
each carries its text in a chunk iTXt, which PNG has for such things.

Layout of a pack: ``NTKPACK1``, the number of images n (uint64), n + 1 offsets (uint64, little endian, from the start of
the file), the pictures, and the SHA-256 (32 bytes) of everything before it. That of photographs begins with ``NTKPACK2`` and has, between
offsets and pictures, where their originals are: the set's content id (32 bytes) and the position of each in it (n uint64).
"""

import hashlib
import itertools
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ntkcore.data.dataset import Origin
from ntkcore.data.hashing import write_atomically
from ntkcore.data.own_read import open_own
from ntkcore.errors import DataMissing, StoreError
from ntkcore.private import make_private
from ntkcore.settings import Settings

MAX_SIDE = 256

_MAGIC, _WITH_ORIGIN = b"NTKPACK1", b"NTKPACK2"
_ENCODER_VERSION = 1  # raise it when the same pixels give other bytes
_SMALLER = 128  # pixels of a side that the first version left as they are
_TEXT = b"Description\0\1\0\0\0"  # keyword, compressed, by zlib, in no particular language, without a translated keyword
_TEXT_AT = 8 + 25  # after the signature and the header
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, eq=False)
class ThumbnailPack:
    """The thumbnails of one set of images, read by position; holds no open file.

    Attributes:
        id: content id, 64 hex digits.
        path: the pack's file.
        offsets: uint64 ``(n + 1,)`` where each picture starts in it.
        origin: where the originals of photographs are; None for others.
    """

    id: str
    path: Path
    offsets: NDArray[np.uint64]
    origin: Origin | None = None

    def __len__(self) -> int:
        """How many thumbnails."""
        return len(self.offsets) - 1

    def picture(self, index: int) -> bytes:
        """The thumbnail of image ``index``, 0 to n - 1: a PNG, or a JPEG.

        Raises:
            IndexError: no such image.
            DataMissing: the pack has been removed since it was opened.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"thumbnail {index} of {len(self)}")
        start, stop = int(self.offsets[index]), int(self.offsets[index + 1])
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                data = file.read(stop - start)
        except OSError as error:
            raise DataMissing("These thumbnails have been removed.", "Reload the page; they are drawn again.") from error
        if len(data) != stop - start:
            raise DataMissing("These thumbnails are damaged.", "Reload the page; they are drawn again.")
        return data

    def text(self, index: int) -> str | None:
        """The text that image ``index`` is a drawing of; None for an image. Raises as :meth:`picture`."""
        return _text_in(self.picture(index))

    def excerpts(self, length: int) -> tuple[str, ...] | None:
        """The first ``length`` characters of every text in one line, with … where it goes on; None for images.

        Raises:
            DataMissing: the pack has been removed since it was opened.
        """
        if not len(self) or self.text(0) is None:
            return None
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise DataMissing("These thumbnails have been removed.", "Reload the page; they are drawn again.") from error
        found = (_text_in(data[start:stop]) or "" for start, stop in itertools.pairwise(self.offsets.tolist()))
        lines = (" ".join(text[: 4 * length].split()) for text in found)
        return tuple(line if len(line) <= length else f"{line[: length - 1].rstrip()}…" for line in lines)


def thumbnail_pack(
    pixels: NDArray[np.uint8], settings: Settings, texts: Sequence[str] | None = None, origin: Origin | None = None
) -> ThumbnailPack:
    """The thumbnails of these images, encoded now unless an intact pack of them is there.

    Args:
        pixels: uint8 ``(n, h, w)`` gray or ``(n, h, w, 3)`` RGB. Images keep their size; a side above 256 is reduced to 256.
        settings: whose ``cache_dir`` holds the pack.
        texts: n texts that the images are drawings of, kept with them; None for images.
        origin: where the originals of photographs are, whose thumbnails their set keeps: those are taken, whatever the pixels.

    Raises:
        ValueError: another shape or dtype.
        DataError: the set of the originals is damaged; DataMissing: it is gone.
        StoreError: the pack cannot be written.
    """
    if origin is not None:
        return _of_photographs(origin, settings)
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or pixels.shape[3:] not in ((), (3,)) or 0 in pixels.shape[1:]:
        raise ValueError(f"pixels: expected uint8 (n, h, w) or (n, h, w, 3), got {pixels.dtype} {pixels.shape}")
    version = _ENCODER_VERSION if max(pixels.shape[1:3]) <= _SMALLER else _ENCODER_VERSION + 1
    digest = hashlib.sha256(f"thumbnails {version} {pixels.shape}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    for text in texts or ():
        digest.update(hashlib.sha256(text.encode()).digest())
    pack_id = digest.hexdigest()
    pack = open_pack(pack_id, settings)
    if pack is not None:
        return pack
    return _written(pack_id, _MAGIC, b"", _encode(_reduced(pixels), texts), settings)


def _of_photographs(origin: Origin, settings: Settings) -> ThumbnailPack:
    positions = origin.positions.astype("<u8").tobytes()
    pack_id = hashlib.sha256(b"thumbnails of photographs 1 " + origin.content.encode() + positions).hexdigest()
    pack = open_pack(pack_id, settings)
    if pack is not None:
        return pack
    card = open_own(origin.content, settings).card
    if card is None:
        raise ValueError("origin: this set has no originals")
    cards = [card(int(position)) for position in origin.positions]
    return _written(pack_id, _WITH_ORIGIN, bytes.fromhex(origin.content) + positions, cards, settings)


def _written(pack_id: str, magic: bytes, between: bytes, encoded: Sequence[bytes], settings: Settings) -> ThumbnailPack:
    """Write a pack and open it."""
    head = len(magic) + 8 * (len(encoded) + 2) + len(between)
    offsets = head + np.cumsum([0, *map(len, encoded)], dtype="<u8")
    body = b"".join([magic, struct.pack("<Q", len(encoded)), offsets.astype("<u8").tobytes(), between, *encoded])
    try:
        write_atomically(_path(pack_id, settings), body + hashlib.sha256(body).digest())
    except OSError as error:
        raise StoreError(f"Thumbnails could not be written: {error.strerror}.", "Free some disk space, then try again.") from error
    pack = open_pack(pack_id, settings)
    if pack is None:
        raise StoreError("Thumbnails were written but read back damaged.", "Check the disk that holds the cache.")
    return pack


def open_pack(pack_id: str, settings: Settings) -> ThumbnailPack | None:
    """The pack of this id, or None if there is none or it is damaged.

    The checksum is read once per change of the file; later calls cost one look at the file's size and time.
    """
    if not _ID.fullmatch(pack_id):
        return None
    path = _path(pack_id, settings)
    try:
        stat = path.stat()
        return _verified(pack_id, path, stat.st_size, stat.st_mtime_ns)
    except OSError:
        return None


def take_in_pack(path: Path, settings: Settings) -> None:
    """Give a pack that lies in a file of the same disk, named by its id, its place, unless an intact one is there.

    Raises:
        OSError: the disk refuses.
    """
    target = _path(path.stem, settings)
    if open_pack(path.stem, settings) is None:
        make_private(target.parent)
        path.replace(target)


@lru_cache(maxsize=64)
def _verified(pack_id: str, path: Path, size: int, mtime_ns: int) -> ThumbnailPack | None:
    data = path.read_bytes()
    if len(data) != size or size < len(_MAGIC) + 16 + 32 or data[:8] not in (_MAGIC, _WITH_ORIGIN):
        return None
    if hashlib.sha256(memoryview(data)[:-32]).digest() != data[-32:]:
        return None
    (n,) = struct.unpack_from("<Q", data, 8)
    offsets, at = np.frombuffer(data, "<u8", n + 1, 16).astype(np.uint64), 16 + 8 * (n + 1)
    if data[:8] == _MAGIC:
        return ThumbnailPack(pack_id, path, offsets)
    positions = np.frombuffer(data, "<u8", n, at + 32).astype(np.int64)
    return ThumbnailPack(pack_id, path, offsets, Origin(data[at : at + 32].hex(), positions))


def _path(pack_id: str, settings: Settings) -> Path:
    return settings.cache_dir / "thumbnails" / f"{pack_id}.pack"


def _reduced(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[1:3]
    if max(height, width) <= MAX_SIDE:
        return pixels
    scale = MAX_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = [np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX)) for image in pixels]
    return np.stack(small)


def _encode(pixels: NDArray[np.uint8], texts: Sequence[str] | None) -> list[bytes]:
    """PNG of each image. Written by hand (8 bits, no row filter): an order of magnitude faster on thousands of small images."""
    n, height, width = pixels.shape[:3]
    colour = 0 if pixels.ndim == 3 else 2
    rows = np.zeros((n, height, 1 + pixels[0].size // height if n else 1), np.uint8)
    rows[:, :, 1:] = pixels.reshape(n, height, -1)
    start = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    end = _chunk(b"IEND", b"")
    said = [b""] * n if texts is None else [_chunk(b"iTXt", _TEXT + zlib.compress(text.encode(), 1)) for text in texts]
    return [start + text + _chunk(b"IDAT", zlib.compress(image.data, 1)) + end for text, image in zip(said, rows, strict=True)]


def _text_in(png: bytes) -> str | None:
    if png[:4] != b"\x89PNG":
        return None
    (length,) = struct.unpack_from(">I", png, _TEXT_AT)
    if png[_TEXT_AT + 4 : _TEXT_AT + 8] != b"iTXt":
        return None
    return zlib.decompress(png[_TEXT_AT + 8 + len(_TEXT) : _TEXT_AT + 8 + length]).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
