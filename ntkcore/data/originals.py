"""The images of a set as they came: packed into one file of the set, or referred to where they lie on the server."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ntkcore.data.decode import decode_all, pictures
from ntkcore.data.filenames import shown
from ntkcore.data.sizing import Sizing
from ntkcore.errors import DataError

CARD = 256  # pixels of a thumbnail's longer side
_BATCH = 64  # images decoded at once, of which a few are held whole

Read = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Link:
    """A file of a server folder: its path below it, and the SHA-256 (hex) and number of its bytes when it was imported."""

    path: str
    sha256: str
    size: int


def packed(path: Path, ends: NDArray[np.int64]) -> Read:
    """Reads blobs that lie one after another in a file and end at ``ends`` (n,)."""

    def read(position: int) -> bytes:
        start, stop = int(ends[position - 1]) if position else 0, int(ends[position])
        try:
            with path.open("rb") as file:
                data = os.pread(file.fileno(), stop - start, start)
        except OSError as error:
            raise DataError("The originals of this set could not be read.", "Import it again, or check the disk.") from error
        if len(data) != stop - start:
            raise DataError("The originals of this set are damaged.", "Import it again.")
        return data

    return read


def linked(root: Path, links: Sequence[Link]) -> Read:
    """Reads files where they lie, and says by name which of them is gone or is not what it was."""

    def read(position: int) -> bytes:
        link = links[position]
        remedy = f"The set refers to the files in {root}: put it back as it was, or import the folder again."
        try:
            with (root / link.path).open("rb") as file:
                data = file.read(link.size + 1)
        except FileNotFoundError as error:
            raise DataError(f"The image {shown(link.path)} is no longer where it was imported from.", remedy) from error
        except OSError as error:
            raise DataError(f"The image {shown(link.path)} could not be read: {error.strerror}.", remedy) from error
        if len(data) != link.size or hashlib.sha256(data).hexdigest() != link.sha256:
            raise DataError(f"The image {shown(link.path)} has changed since it was imported.", remedy)
        return data

    return read


def cut_originals(
    read: Read, names: Sequence[str], index: NDArray[np.int64], sizing: Sizing, *, gray: bool, pixels: int
) -> NDArray[np.uint8]:
    """Images ``(k, s, s)`` or ``(k, s, s, 3)`` at a size, decoded from the originals, a few at a time.

    Args:
        read: position to bytes.
        names: (k,) of the images at ``index``, for messages.
        index: (k,) positions.
        sizing: the size.
        gray: one channel, else RGB.
        pixels: the largest number of pixels of an original.

    Raises:
        DataError: one of them cannot be read.
    """
    found = np.empty((len(index), sizing.size, sizing.size, *(() if gray else (3,))), np.uint8)

    def one(place: int) -> None:
        (cut,) = pictures(read(int(index[place])), names[place], pixels, [sizing.cut], gray=gray)
        found[place] = np.asarray(cut)

    for start in range(0, len(index), _BATCH):
        decode_all(partial(one, place) for place in range(start, min(start + _BATCH, len(index))))
    return found


def small(picture: Image.Image) -> Image.Image:
    """The picture with a longer side of 256 pixels at most."""
    scale = CARD / max(picture.size)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
