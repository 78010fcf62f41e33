"""Images from an npz: ``images`` or ``x`` (n, h, w[, c]), ``labels`` or ``y`` (n,), optionally ``class_names``.

Arrays are read from the archive in blocks; arrays of Python objects are refused, never unpickled.
"""

import math
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import IO

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.filenames import clean_class_names, escaped, shown
from ntkcore.data.import_common import ArrayImages, Limits, keep_used_classes, too_many
from ntkcore.data.import_files import SafeZip
from ntkcore.data.import_parquet import labels_of_numbers, labels_of_text
from ntkcore.data.npy import read_header
from ntkcore.errors import DataError

_BLOCK = 8 << 20  # bytes of images read at a time
_PIECE = 1 << 20
_SMALL = 64 << 20  # bytes of labels or names
_LAYOUT = "It needs images (or x) of shape (n, height, width) or (n, height, width, 3), and labels (or y) of shape (n,)."
_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


def is_npz(archive: SafeZip) -> bool:
    """Whether a zip is an npz: it has files, and all are ``.npy`` at the top."""
    return bool(archive.parts) and all(len(parts) == 1 and parts[0].endswith(".npy") for parts in archive.parts)


def images_in_npz(archive: SafeZip, limits: Limits) -> ArrayImages:
    """The images and labels of an npz.

    Raises:
        DataError: missing arrays, arrays of objects, shapes or types that do not fit, values that are not brightness, labels
            that do not match.
    """
    entries = {parts[0].removesuffix(".npy"): entry for parts, entry in zip(archive.parts, archive.entries, strict=True)}
    image_name = next((name for name in ("images", "x") if name in entries), None)
    label_name = next((name for name in ("labels", "y") if name in entries), None)
    if image_name is None or label_name is None:
        raise DataError(f"The npz has the arrays {', '.join(escaped(name)[:40] for name in list(entries)[:20])}.", _LAYOUT)

    with archive.open(entries[image_name]) as file:
        shape, dtype = _head(file, image_name, entries[image_name].file_size)
    channels = shape[3] if len(shape) == 4 else 1
    if len(shape) not in (3, 4) or channels not in (1, 3, 4) or 0 in shape:
        hint = " Channels must come last." if len(shape) == 4 and shape[1] in (1, 3, 4) else ""
        raise DataError(f"The array {image_name} of the npz has the shape {shape}.", _LAYOUT + hint)
    if dtype.kind not in "uifb":
        raise DataError(f"The array {image_name} of the npz holds {dtype}.", "Images are uint8, or floats from 0 to 1.")
    if shape[0] > limits.files:
        raise too_many("The npz", limits.files)
    if shape[1] * shape[2] > limits.pixels:
        raise DataError(
            f"The images of the npz have {shape[1] * shape[2]:,} pixels; {limits.pixels:,} are allowed.",
            "Scale them down.",
        )
    given = _small(archive, entries["class_names"], "class_names") if "class_names" in entries else None
    labels, class_names = _labels(_small(archive, entries[label_name], label_name), label_name, shape[0], given)
    labels, class_names, notes = keep_used_classes(labels, class_names)
    if channels == 4:
        notes = (*notes, "Transparent images were put on white.")
    return ArrayImages(
        ids=tuple(f"{image_name}/{i}" for i in range(shape[0])),
        labels=labels,
        class_names=clean_class_names(class_names),
        shape=shape[:3] if channels == 1 else (*shape[:3], 3),
        blocks=partial(_blocks, archive, entries[image_name], image_name),
        skipped=tuple(f"{escaped(name)}: not used" for name in entries if name not in (image_name, label_name, "class_names")),
        notes=notes,
    )


def _blocks(archive: SafeZip, entry: zipfile.ZipInfo, name: str) -> Iterator[NDArray[np.uint8]]:
    with archive.open(entry) as file:
        shape, dtype = _head(file, name, entry.file_size)
        row_bytes = math.prod(shape[1:]) * dtype.itemsize
        step = max(1, _BLOCK // row_bytes)
        for first in range(0, shape[0], step):
            rows = min(step, shape[0] - first)
            values = np.frombuffer(_exactly(file, rows * row_bytes, name), dtype).reshape(rows, *shape[1:])
            yield _brightness(values, first)


def _brightness(values: NDArray, first: int) -> NDArray[np.uint8]:
    """uint8 of a block whose first image is number ``first``: alpha on white, a single channel dropped."""
    if values.dtype.kind == "f":
        wide = values.astype(np.float64)
        _refuse(~np.isfinite(wide), first, "a value that is not finite (NaN or infinite)", "Mend or leave out this image.")
        _refuse((wide < 0) | (wide > 1), first, "a value outside 0 to 1", "Scale float images to 0 to 1, or save them as uint8 (0 to 255).")
        values = np.rint(wide * 255)
    elif values.dtype.kind == "b":
        values = values * np.uint8(255)
    elif values.dtype != np.uint8:
        _refuse((values < 0) | (values > 255), first, "a value outside 0 to 255", "Scale integer images to 0 to 255.")
    pixels = values.astype(np.uint8)
    if pixels.ndim == 3:
        return pixels
    if pixels.shape[3] == 4:
        alpha = pixels[..., 3:].astype(np.float64) / 255
        return np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return pixels[..., 0] if pixels.shape[3] == 1 else pixels


def _refuse(bad: NDArray[np.bool_], first: int, what: str, remedy: str) -> None:
    hit = bad.reshape(len(bad), -1).any(axis=1)
    if hit.any():
        raise DataError(f"Image {first + int(hit.argmax())} of the npz has {what}.", remedy)


def _labels(values: NDArray, name: str, n: int, given: NDArray | None) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or len(values) != n:
        raise DataError(f"The npz has {n:,} images, but {name} has the shape {values.shape}.", "Give every image exactly one label.")
    if given is not None and (given.ndim != 1 or given.dtype.kind not in "US"):
        raise DataError(f"class_names of the npz is an array of {given.dtype} of shape {given.shape}.", "Save it as a list of text.")
    names = None if given is None else tuple(_texts(given, "class_names"))
    if values.dtype.kind in "US":
        texts = _texts(values, name)
        if names is None:
            return labels_of_text(texts)
        position = {text: i for i, text in reversed(list(enumerate(names)))}
        unknown = next((text for text in texts if text not in position), None)
        if unknown is not None:
            raise DataError(f"The label {shown(unknown)} of the npz is not in class_names.", "Mend the label or the class names.")
        return np.array([position[text] for text in texts], np.int64), names
    if values.dtype.kind not in "iufb":
        raise DataError(f"The labels of the npz are {values.dtype}; whole numbers or text are needed.", "Save them as integers or as text.")
    return labels_of_numbers(values, names, "the npz")


def _texts(values: NDArray, name: str) -> list[str]:
    """Text, or bytes in UTF-8, as text."""
    try:
        return [value.decode("utf-8") if isinstance(value, bytes) else str(value) for value in values.tolist()]
    except UnicodeDecodeError as error:
        raise DataError(f"The array {name} of the npz holds bytes that are not UTF-8.", "Save it as text.") from error


def _small(archive: SafeZip, entry: zipfile.ZipInfo, name: str) -> NDArray:
    """A whole array of bounded size."""
    if entry.file_size > _SMALL:
        raise DataError(f"The array {name} of the npz is too large for what it is.", _LAYOUT)
    with archive.open(entry) as file:
        shape, dtype = _head(file, name, entry.file_size)
        return np.frombuffer(_exactly(file, math.prod(shape) * dtype.itemsize, name), dtype).reshape(shape)


def _head(file: IO[bytes], name: str, size: int) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array, after checking that it has plain numbers or text, in C order, and is whole."""
    try:
        shape, fortran, dtype = read_header(file)
    except ValueError as error:
        raise _damaged(name) from error
    if dtype.hasobject:
        raise DataError(
            f"The array {name} of the npz holds Python objects, which are not read for safety.",
            "Save it as numbers or as text.",
        )
    if dtype.names is not None or dtype.itemsize == 0:
        raise DataError(f"The array {name} of the npz holds {dtype}, not plain numbers or text.", _LAYOUT)
    if size - file.tell() != math.prod(shape) * dtype.itemsize:
        raise _damaged(name)
    if fortran and len(shape) > 1:
        raise DataError(f"The array {name} of the npz is stored by columns.", "Save numpy.ascontiguousarray of it.")
    return shape, dtype


def _exactly(file: IO[bytes], count: int, name: str) -> bytearray:
    data = bytearray()
    try:
        while len(data) < count:
            piece = file.read(min(count - len(data), _PIECE))
            if not piece:
                raise _damaged(name)
            data += piece
    except _ERRORS as error:
        raise _damaged(name) from error
    return data


def _damaged(name: str) -> DataError:
    return DataError(f"The array {name} of the npz is damaged.", "Save the npz again, or upload it again.")
