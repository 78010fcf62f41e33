"""Photographs decoded at a size, kept on the disk: each is decoded once, whoever asks for it.

``<cache_dir>/decoded/<id>/`` has ``pixels.bin`` with room for every image of the set at one size, filled as images are drawn, and
``sums.bin`` with a uint64 for each: 0 while it is not there, else its CRC-32 and a mark above it. What does not fit its sum is decoded
again. The least recently used sizes go when all of them together take more than ``decoded_cache``.
"""

import hashlib
import os
import shutil
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ntkcore.private import make_private, open_private
from ntkcore.settings import Settings

_VERSION = 1  # raise it when the same originals give other pixels
_MARK = 1 << 32
_SOME = 256  # images decoded between two writes

Decode = Callable[[NDArray[np.int64]], NDArray[np.uint8]]


def kept_decoded(
    identity: str, shape: tuple[int, ...], total: int, index: NDArray[np.int64], decode: Decode, settings: Settings
) -> NDArray[np.uint8]:
    """Images ``(k, *shape)`` at positions, from the disk where they are there, else decoded and kept.

    Args:
        identity: what they are: the set's content and the size.
        shape: of one image.
        total: images of the set.
        index: int64 ``(k,)`` positions.
        decode: positions to images.
        settings: of the cache.

    Raises: what ``decode`` does; a disk that cannot be written only costs the time to decode again.
    """
    found = np.empty((len(index), *shape), np.uint8)
    folder = _folder(settings) / hashlib.sha256(f"{_VERSION} {identity} {shape}".encode()).hexdigest()
    missing = np.flatnonzero(~_read(folder, index, found))
    room = False
    with suppress(OSError):
        room = len(missing) > 0 and _room(folder, len(missing) * int(np.prod(shape)), settings)
    for start in range(0, len(missing), _SOME):
        some = missing[start : start + _SOME]
        found[some] = decode(index[some])
        if room:
            with suppress(OSError):
                _write(folder, index[some], found[some], total)
    return found


def _read(folder: Path, index: NDArray[np.int64], found: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Fill in what is there and whole; bool ``(k,)``: which."""
    there = np.zeros(len(index), bool)
    size = int(np.prod(found.shape[1:]))
    try:
        sums = np.fromfile(folder / "sums.bin", "<u8")
        with (folder / "pixels.bin").open("rb") as file:
            for place, position in enumerate(index.tolist()):
                if position < len(sums) and sums[position]:
                    data = os.pread(file.fileno(), size, position * size)
                    if len(data) == size and int(sums[position]) == _MARK | zlib.crc32(data):
                        found[place] = np.frombuffer(data, np.uint8).reshape(found.shape[1:])
                        there[place] = True
        os.utime(folder)
    except OSError:
        pass  # nothing yet, or just removed
    return there


def _write(folder: Path, index: NDArray[np.int64], images: NDArray[np.uint8], total: int) -> None:
    make_private(folder)
    for name in ("pixels.bin", "sums.bin"):
        open_private(folder / name, "ab").close()
    size = images[0].nbytes
    sums = np.zeros(1, "<u8")
    with (folder / "pixels.bin").open("r+b") as pixels, (folder / "sums.bin").open("r+b") as marks:
        if os.fstat(marks.fileno()).st_size < 8 * total:
            os.truncate(marks.fileno(), 8 * total)
        for position, image in zip(index.tolist(), images, strict=True):
            data = np.ascontiguousarray(image).tobytes()
            os.pwrite(pixels.fileno(), data, position * size)
            sums[0] = _MARK | zlib.crc32(data)
            os.pwrite(marks.fileno(), sums.tobytes(), 8 * position)


def _room(folder: Path, size: int, settings: Settings) -> bool:
    """Make room for so many bytes by removing other sizes, the least recently used first; whether there is."""
    used = {path: _bytes(path) for path in _folder(settings).glob("*")}
    free = settings.decoded_cache - size - used.pop(folder, 0)
    if free < 0:
        return False
    for path in sorted(used, key=_last):
        if sum(used.values()) <= free:
            break
        shutil.rmtree(path, ignore_errors=True)
        used.pop(path)
    return True


def _bytes(folder: Path) -> int:
    """What a folder takes on the disk; what was never written takes nothing."""
    total = 0
    with suppress(OSError):
        total = sum(512 * path.stat().st_blocks for path in folder.iterdir())
    return total


def _last(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _folder(settings: Settings) -> Path:
    return settings.cache_dir / "decoded"
