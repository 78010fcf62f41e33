"""Encoded image bytes to pixels, with every defect named: the only place that opens an image file."""

import io
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from ntkcore.data import heif
from ntkcore.data.filenames import shown
from ntkcore.errors import DataError

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "HEIF")  # no format whose reader starts another program
EXTENSIONS = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".heic", ".heif", ".hif"}
)
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*")
_AVIF = {b"avif", b"avis"}
_THREADS = 4  # decoded images held at once
_SECONDS = 5.0  # of processor for one image; 25 million pixels in ten progressive scans take about one
_BLOCK = 2048  # bytes between two looks at the clock in a progressive JPEG: no room for more than some fifty scans

_PNG_DEPTH = 24  # where a PNG has its bits a sample
_WORK = 4  # pixels decoded for each of a HEIC photograph's: its tiles, the canvas they are put on, what stands beside it

# decode_all has threads of its own, and nothing is read but the image.
pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Head:
    """What an image's header says: its upright size in pixels, whether it is gray, has transparency, has several frames."""

    width: int
    height: int
    gray: bool
    alpha: bool
    frames: bool


def looks_like_image(start: bytes) -> bool:
    """Whether a file that starts with these bytes (16 are enough) is an image of a format read here."""
    return start.startswith(_MAGIC) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP") or heif.is_heif(start)


def unread_image(start: bytes) -> tuple[str, str] | None:
    """What an image of today is that cannot be read here, by its first bytes, and what to do about it; None for anything else."""
    return ("an AVIF image", "Save it as PNG or JPEG.") if start[4:8] == b"ftyp" and start[8:12] in _AVIF else None


def read_head(data: bytes, name: str, pixels: int) -> Head:
    """Read an image's header without decoding it.

    Args:
        data: the file's bytes.
        name: the file's name, for messages.
        pixels: the largest number of pixels allowed.

    Raises:
        DataError: not an image, damaged, larger than allowed, or too slow to read.
    """
    with opened(data, name, pixels) as (image, orientation):
        turned = orientation >= 5
        width, height = (image.height, image.width) if turned else (image.width, image.height)
        # an MPO is a photograph with further views of itself, not an animation
        frames = image.format != "MPO" and bool(getattr(image, "is_animated", False))
        return Head(width, height, _is_gray(image), image.has_transparency_data, frames)


def decode(data: bytes, name: str, pixels: int, *, gray: bool, side: int | None = None) -> NDArray[np.uint8]:
    """Decode one image: upright, on white where it is transparent, first frame, 8 bits.

    The colours of a HEIC photograph, which telephones write in a wider space of their own (Display P3), are brought to sRGB by its
    profile; those of the other kinds are taken as they stand in the file.

    Args:
        data: the file's bytes.
        name: the file's name, for messages.
        pixels: the largest number of pixels allowed.
        gray: one channel, else RGB.
        side: scale (bilinear, antialiased) so that the short side has this length and cut the middle square out; None keeps the size.

    Returns:
        uint8 ``(h, w)`` if gray, else ``(h, w, 3)``.

    Raises:
        DataError: not an image, damaged, larger than allowed, too slow to decode, or with values that have no defined brightness.
    """
    (picture,) = pictures(data, name, pixels, [lambda whole: whole if side is None else square(whole, side)], gray=gray)
    return np.asarray(picture)


def pictures(data: bytes, name: str, pixels: int, cuts: Sequence[Callable[[Image.Image], Image.Image]], *, gray: bool) -> list[Image.Image]:
    """Decode one image as :func:`decode` does, for several uses: ``cuts`` make what is wanted of the upright picture.

    Nothing that the file says beside its pixels is left in them. Raises as :func:`decode`.
    """
    with _open(data, name, pixels) as image, _naming(name):
        orientation = _orientation(image, data)
        profile = image.info.get("icc_profile") if image.format == "HEIF" else None
        image.load()
        picture = _on_white(_eight_bit(image, name, data), gray)
    if orientation in _TURNS:
        picture = picture.transpose(_TURNS[orientation])
    found = (cut(picture) for cut in cuts)
    return [Image.fromarray(np.asarray(one if profile is None or gray else _in_srgb(one, profile))) for one in found]


@contextmanager
def opened(data: bytes, name: str, pixels: int) -> Iterator[tuple[Image.Image, int]]:
    """An image whose header alone is read, and how it is still to be turned (EXIF, 1 to 8). Raises as :func:`read_head`."""
    with _open(data, name, pixels) as image, _naming(name):
        yield image, _orientation(image, data)


def square(image: Image.Image, side: int) -> Image.Image:
    """Scale (bilinear, antialiased) so that the short side is ``side`` and cut the middle square out."""
    if image.size == (side, side):
        return image
    short = min(image.size)
    left, top = (image.width - short) / 2, (image.height - short) / 2
    return image.resize((side, side), Image.Resampling.BILINEAR, box=(left, top, left + short, top + short))


def decode_all(jobs: Iterable[Callable[[], T]]) -> list[T]:
    """Run decoding jobs in a few threads; the results in order, the first error raised.

    Decoding releases the interpreter, which pays for photographs; images of a few kilobytes are faster in one thread.
    """
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(lambda job: job(), jobs))


def _open(data: bytes, name: str, pixels: int) -> Image.Image:
    if not data:
        raise DataError(f"The image {shown(name)} is empty.", "Remove it or replace it with the intact image.")
    if heif.is_heif(data[:12]):
        _bound_heic(data, name, pixels)
    try:
        with _naming(name):
            image = Image.open(_Timed(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, pixels) from error
    except UnidentifiedImageError as error:
        if other := unread_image(data[:12]):
            raise DataError(f"{shown(name)} is {other[0]}, which cannot be read here.", other[1]) from error
        raise DataError(f"{shown(name)} is damaged, or no image that can be read.", "Remove it or save it again as PNG or JPEG.") from error
    if image.width * image.height > pixels:
        raise _too_large(name, pixels, (image.width, image.height))
    if image.info.get("progressive"):
        image.decodermaxblock = _BLOCK
    return image


def _bound_heic(data: bytes, name: str, pixels: int) -> None:
    """Refuse a photograph that would be decoded to more than it shows; its decoder cannot be stopped once it has begun."""
    try:
        largest, work = heif.pixels_to_decode(data)
    except heif.Unreadable as error:
        raise DataError(
            f"The photograph {shown(name)} is damaged, or no HEIC that can be read.", "Remove it, or save it again as JPEG or PNG."
        ) from error
    if largest > pixels or work > _WORK * pixels:
        raise _too_large(name, pixels)


class _Slow(Exception):
    """An image took its time."""


class _Timed(io.BytesIO):
    """An image's bytes, which are no longer read once its thread has worked for ``_SECONDS``: a few of them may ask for hours."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._until = time.thread_time() + _SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        if time.thread_time() > self._until:
            raise _Slow
        return super().read(size)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Turn whatever a reader raises on damaged bytes (there are a dozen kinds) into an error that names the image."""
    try:
        yield
    except (DataError, UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise
    except MemoryError as error:
        raise DataError(
            f"The image {shown(name)} takes more memory than is left for it.", "Save it again as PNG or JPEG, smaller, or remove it."
        ) from error
    except _Slow as error:
        raise DataError(
            f"The image {shown(name)} takes more than {_SECONDS:g} s to decode.",
            "Save it again as PNG or as an ordinary JPEG, or remove it.",
        ) from error
    except Exception as error:
        raise _damaged(name) from error


def _damaged(name: str) -> DataError:
    return DataError(f"The image {shown(name)} is damaged.", "Remove it or replace it with the intact image.")


def _too_large(name: str, pixels: int, size: tuple[int, int] | None = None) -> DataError:
    has = f" ({size[0]:,} × {size[1]:,} pixels)" if size else ""
    return DataError(f"The image {shown(name)}{has} is larger than the {pixels:,} pixels allowed.", "Scale it down, then import again.")


def _orientation(image: Image.Image, data: bytes) -> int:
    """How the image is still to be turned, as EXIF counts: 1 (not at all) to 8. Pillow turns a TIFF itself.

    A PNG may carry it behind the pixels, and asking for it then decodes the image: only if it is there.
    """
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info and b"eXIf" not in data):
        return 1
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (ValueError, SyntaxError, TypeError, KeyError, struct.error):
        return 1  # a damaged EXIF block says nothing about the pixels
    return value if value in range(1, 9) else 1


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Colours as a screen shows them that knows no profile."""
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, found, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return picture  # a damaged profile says nothing about the pixels
    return picture if converted is None else converted


def _is_gray(image: Image.Image) -> bool:
    if image.mode in ("P", "PA"):
        palette = np.asarray(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
        return bool((palette == palette[:, :1]).all())
    return image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")


def _eight_bit(image: Image.Image, name: str, data: bytes) -> Image.Image:
    """Sixteen-bit gray scaled to 8 bits (Pillow's own conversion clips it); floats must be brightness in [0, 1].

    A transparent value of 16 bits is scaled as its pixels are, which Pillow does not do.
    """
    clear = image.info.get("transparency")
    if image.mode == "F":
        values = np.asarray(image)
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
            raise DataError(f"The image {shown(name)} has float values outside 0 to 1.", "Save it as PNG with 8 or 16 bits.")
        return Image.fromarray(np.rint(values * 255).astype(np.uint8))
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.int64)
        if wide.min() < 0 or wide.max() > 65535:
            raise DataError(f"The image {shown(name)} has more than 16 bits per pixel.", "Save it as PNG with 8 or 16 bits.")
        scaled = np.rint(wide / 257).astype(np.uint8)
        if isinstance(clear, int):
            scaled[wide == clear] = 255
        return Image.fromarray(scaled)
    if isinstance(clear, tuple) and image.format == "PNG" and data[_PNG_DEPTH] == 16:
        image.info["transparency"] = tuple(value >> 8 for value in clear)
    return image


def _on_white(image: Image.Image, gray: bool) -> Image.Image:
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    # RGB of equal channels keeps its value when it is made gray, so going through RGB costs a gray image nothing
    return image.convert("L" if gray else "RGB")
