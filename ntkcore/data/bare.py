"""An image as it is shown and exported: upright, and without what a file says beside its pixels (places, times, names, previews).

Where the pixels can stay as they are stored, they do: a JPEG or PNG that is upright loses its other segments and chunks. All else is
decoded as everywhere here and written anew, as JPEG where it came with losses, else as PNG.
"""

import io
import re
import struct
from collections.abc import Iterator

from PIL import Image

from ntkcore.data.decode import opened, pictures, read_head

_QUALITY = 95
_LOSSY = ("JPEG", "MPO", "WEBP", "HEIF")
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"  # without a preview
_JPEG_KEPT = frozenset({0xC4, 0xCC, 0xDB, 0xDD, *range(0xC0, 0xD0)} - {0xC8})  # tables, frames, the restart interval
_SCAN, _END, _APP0, _ADOBE = 0xDA, 0xD9, 0xE0, 0xEE
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def bare(data: bytes, name: str, pixels: int) -> tuple[bytes, str]:
    """The image's bytes as they may leave, and their media type.

    Args:
        data: the file's bytes, as they came.
        name: the file's name, for messages.
        pixels: the largest number of pixels allowed.

    Raises:
        DataError: as :func:`~ntkcore.data.decode.decode`.
    """
    with opened(data, name, pixels) as (image, orientation):
        kind, upright, clear = image.format, orientation == 1, image.has_transparency_data
        plain = image.mode in ("L", "RGB") or (kind == "PNG" and image.mode in ("1", "P", "I;16", "I"))
    if upright and plain and not clear:
        try:
            if kind in ("JPEG", "MPO"):
                return b"".join(_jpeg(data)), "image/jpeg"
            if kind == "PNG":
                return _PNG + b"".join(_png(data)), "image/png"
        except (ValueError, struct.error, IndexError):
            pass  # written in a way that its reader forgives: decoded like the rest
    (picture,) = pictures(data, name, pixels, [lambda whole: whole], gray=read_head(data, name, pixels).gray)
    return encoded(picture, lossy=kind in _LOSSY)


def encoded(picture: Image.Image, *, lossy: bool) -> tuple[bytes, str]:
    """A decoded picture as JPEG or PNG, and its media type."""
    buffer = io.BytesIO()
    if lossy:
        picture.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
        return buffer.getvalue(), "image/jpeg"
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue(), "image/png"


def _jpeg(data: bytes) -> Iterator[bytes]:
    """What a JPEG's pixels need; up to its end, behind which telephones put films."""
    yield data[:2]
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == _END:
            yield data[at : at + 2]
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if marker == _SCAN:
            found = _AFTER_SCAN.search(data, end)
            if found is None:
                raise ValueError("no end")
            end = found.start()
            yield data[at:end]
        elif marker == _APP0 and data[at + 4 : at + 9] == b"JFIF\0":
            yield _JFIF
        elif marker in _JPEG_KEPT or (marker == _ADOBE and length == 14 and data[at + 4 : at + 9] == b"Adobe"):
            yield data[at:end]
        at = end


def _png(data: bytes) -> Iterator[bytes]:
    """What a PNG's pixels need."""
    at = len(_PNG)
    while True:
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + 12 + length
        if len(data) < end:
            raise ValueError("no end")
        if kind in _PNG_KEPT:
            yield data[at:end]
        if kind == b"IEND":
            return
        at = end
