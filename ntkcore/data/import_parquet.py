"""Images from a Parquet file as dataset hubs lay it out: ``image {bytes, path}`` (or binary ``image``) and ``label``.

The columns may have other names where it is clear which they are: a single column whose first value is an encoded image, and a
column of one of the usual names of labels, or a single one that could be labels.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ntkcore.data.bounded_parquet import BoundedParquet, too_big_parquet
from ntkcore.data.decode import looks_like_image
from ntkcore.data.filenames import MAX_CLASS, MAX_NAME, clean_class_names, escaped, long_class, natural_key, shown
from ntkcore.data.import_common import EncodedImages, Limits, keep_used_classes, unique_ids
from ntkcore.data.import_files import file_too_big
from ntkcore.data.parquet import names_in
from ntkcore.data.selection import UNLABELLED
from ntkcore.errors import DataError

_IMAGE_NAMES = ("image", "img", "images", "picture", "photo")
LABEL_NAMES = ("label", "labels", "class", "category", "target", "y", "fine_label")
_NO_LABELS = {"id", "index", "__index_level_0__", "path", "file", "filename", "file_name", "image_file_path"}
_EXACT = 2.0**53  # below it every whole float is itself
_LAYOUT = "It needs the columns image (the encoded file, alone or as bytes beside path) and label (whole numbers or text)."


def images_in_parquet(path: Path, limits: Limits) -> EncodedImages:
    """The images and labels of a Parquet file, read a few rows at a time.

    Raises:
        DataError: a damaged file, missing or unclear columns, missing images, labels that do not fit, or too much of it.
    """
    with BoundedParquet(path, limits) as file:
        image = image_column(file)
        label = _label_column(file.schema, guessed=image is not None)
        absent = [name for name, found in (("image", image), ("label", label)) if found is None]
        if image is None or label is None:
            has = ", ".join(escaped(name) for name in file.schema.names[:20])
            raise DataError(f"The Parquet file has no column {' and '.join(absent)} (its columns: {has}).", _LAYOUT)
        if file.rows == 0:
            raise DataError("The Parquet file has no rows.", "Import one with images.")
        kind = file.schema.field(image).type
        encoded = _encoded_field(kind)
        if encoded is None:
            raise DataError(f"The column {escaped(image)} of the Parquet file holds {str(kind)[:100]}, not encoded images.", _LAYOUT)
        ids = _ids(file, image, kind)
        labels, class_names = labels_of_column(file, label, names_in(file.schema.metadata, label))
    labels, class_names, notes = keep_used_classes(labels, class_names)
    if (image, label) != ("image", "label"):
        notes = (f"Images are from the column {shown(image)}, labels from {shown(label)}.", *notes)
    return EncodedImages(ids, labels, clean_class_names(class_names), lambda: _items(path, image, encoded, limits), notes=notes)


def holds_images(source: Path | BinaryIO, limits: Limits) -> bool:
    """Whether a Parquet file has a column of images, usable or not.

    Raises:
        DataError: a damaged file, or several columns that could be the images.
    """
    with BoundedParquet(source, limits) as file:
        return image_column(file) is not None


def image_column(file: BoundedParquet) -> str | None:
    """The column of encoded images: ``image``, whatever it holds; else one whose first value is an image, of several that of a usual name.

    Raises:
        DataError: several columns could be it.
    """
    if "image" in file.schema.names:
        return "image"
    fields = [field for field in file.schema if _encoded_field(field.type) is not None]
    found = []
    for field in fields:
        start = file.first(field.name, _encoded_field(field.type) or "")
        if isinstance(start, bytes) and looks_like_image(start[:16]):
            found.append(str(field.name))
    usual = next((column for name in _IMAGE_NAMES for column in found if column.casefold() == name), None)
    if len(found) > 1 and usual is None:
        raise DataError(
            f"The Parquet file has several columns of images: {', '.join(shown(name, 40) for name in found[:10])}.",
            "Keep one of them, or rename it to image.",
        )
    return usual or (found[0] if found else None)


def _label_column(schema: pa.Schema, *, guessed: bool) -> str | None:
    """The column of one of the usual names; else, if it may be guessed, the only one that could be labels."""
    names = {name.casefold(): name for name in reversed(schema.names)}
    usual = next((names[name] for name in LABEL_NAMES if name in names), None)
    if usual is not None or not guessed:
        return usual
    able = [field.name for field in schema if _may_be_labels(field.type) and field.name.casefold() not in _NO_LABELS]
    if len(able) > 1:
        raise DataError(
            f"The Parquet file has no column label, and several that could be it: {', '.join(shown(name, 40) for name in able[:10])}.",
            "Rename the one that holds the classes to label.",
        )
    return str(able[0]) if able else None


def _items(path: Path, column: str, field: str, limits: Limits) -> Iterator[bytes | DataError]:
    row, total = 0, 0
    with BoundedParquet(path, limits) as file:
        for piece in file.column(column, field):
            for value in piece:
                data = value.as_py()
                total += 0 if data is None else len(data)
                if total > limits.total_bytes:
                    raise too_big_parquet(limits)
                if data is None:
                    what = "no image; a path alone is not enough" if field else "no image"
                    yield DataError(f"Row {row} of the Parquet file has {what}.", "Remove the row, or store the image's bytes in it.")
                elif len(data) > limits.file_bytes:
                    yield file_too_big(f"row {row}", limits.file_bytes)
                else:
                    yield bytes(data)
                row += 1


def _ids(file: BoundedParquet, image: str, kind: pa.DataType) -> tuple[str, ...]:
    """The stored paths where every row has its own, else the row numbers."""
    numbered = tuple(f"row/{row}" for row in range(file.rows))
    if not (pa.types.is_struct(kind) and kind.get_field_index("path") >= 0 and is_text(kind.field("path").type)):
        return numbered
    names: list[str] = []
    for piece in file.column(image, "path"):
        for raw in piece.cast(pa.large_binary()):
            name = (raw.as_py() or b"").decode("utf-8", "replace")
            if not 0 < len(name) <= MAX_NAME:
                return numbered
            names.append(name)
    return unique_ids([escaped(name) for name in names]) if len(set(names)) == len(names) else numbered


def labels_of_column(file: BoundedParquet, name: str, names: tuple[str, ...] | None) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels ``(n,)`` as positions in the class names, which are those of the metadata, else the labels themselves in natural order.

    Raises:
        DataError: labels that are neither whole numbers nor text.
    """
    kind = _value_type(file.schema.field(name).type)
    if is_text(kind) or is_binary(kind):
        return labels_of_text(_text_labels(file, name))
    if not _may_be_labels(kind):
        raise DataError(
            f"The labels of the Parquet file are {str(kind)[:100]}; whole numbers or text are needed.",
            "Store a number or a name.",
        )
    column = pa.chunked_array(list(file.column(name)), kind)
    if column.null_count and pa.types.is_boolean(kind):
        return labels_of_text(["" if value is None else str(value) for value in column.to_pylist()])
    if pa.types.is_decimal(kind) or column.null_count:
        column = column.cast(pa.float64())
    return labels_of_numbers(column.to_numpy(), names, "the Parquet file")


def _text_labels(file: BoundedParquet, name: str) -> list[str]:
    known: dict[bytes, str] = {}
    found: list[str] = []
    for piece in file.column(name):
        for value in piece.cast(pa.large_binary()):
            raw = value.as_py()
            if raw is None or not raw.strip():
                found.append("")
                continue
            if raw not in known:
                try:
                    known[raw] = raw.decode("utf-8")
                except UnicodeDecodeError as error:
                    said = f"The label of row {len(found)} of the Parquet file is not UTF-8."
                    raise DataError(said, "Write the labels as UTF-8.") from error
                if len(known[raw]) > 4 * MAX_CLASS:  # blanks around a name do not count yet
                    raise long_class(known[raw])
            found.append(known[raw])
    return found


def labels_of_text(values: list[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels ``(n,)`` as positions in their sorted names, and these names; "" is no label."""
    names = tuple(sorted(set(values) - {""}, key=natural_key))
    position = {name: i for i, name in enumerate(names)} | {"": UNLABELLED}
    return np.array([position[value] for value in values], np.int64), names


def labels_of_numbers(values: NDArray, names: tuple[str, ...] | None, where: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels ``(n,)`` as positions in the class names; without names, in the sorted numbers, or False and True, that occur.

    Args:
        values: integers, whole floats or truth values; NaN is no label.
        names: of the classes, if they have any.
        where: what holds them, for messages.

    Raises:
        DataError: fractional or negative labels, or labels beyond the class names.
    """
    if values.dtype.kind == "f" and (empty := np.isnan(values)).any():
        labels = np.full(len(values), UNLABELLED, np.int64)
        if empty.all():
            return labels, names or ()
        labels[~empty], found_names = labels_of_numbers(values[~empty], names, where)
        return labels, found_names
    if values.dtype.kind == "b" and names is None:
        found, labels = np.unique(values, return_inverse=True)
        return labels.astype(np.int64).reshape(-1), tuple(str(bool(value)) for value in found)
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
        odd = values[(values != np.rint(values)) | (np.abs(values) >= _EXACT)]
        if len(odd):
            raise DataError(
                f"{where.capitalize()} has the label {odd[0]:g}; whole numbers or text are needed.", "Store a number or a name."
            )
    if values.dtype.kind in "bf":
        values = values.astype(np.int64)
    if values.min() < 0:
        raise DataError(
            f"{where.capitalize()} has negative labels ({int(values.min())}).",
            "Labels count from 0; leave the label of what has none empty.",
        )
    if names is None:
        found, labels = np.unique(values, return_inverse=True)
        return labels.astype(np.int64).reshape(-1), tuple(str(int(number)) for number in found)
    if values.max() >= len(names):
        raise DataError(
            f"{where.capitalize()} has the label {int(values.max())}, but names only {len(names)} classes.",
            f"Labels must be 0 to {len(names) - 1}; mend the labels or the class names.",
        )
    return values.astype(np.int64), names


def is_text(kind: pa.DataType) -> bool:
    """Whether a type of Arrow is one of text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_binary(kind: pa.DataType) -> bool:
    """Whether a type of Arrow is one of bytes."""
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in tests) and not pa.types.is_decimal(kind)


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _may_be_labels(kind: pa.DataType) -> bool:
    value = _value_type(kind)
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal, is_text)
    return any(test(value) for test in tests)


def _encoded_field(kind: pa.DataType) -> str | None:
    """The field of a struct that holds encoded images, "" for a column that does itself, None for neither."""
    if pa.types.is_struct(kind):
        fields = [field.name for field in kind if is_binary(_value_type(field.type))]
        return "bytes" if "bytes" in fields else fields[0] if len(fields) == 1 else None
    return "" if is_binary(_value_type(kind)) else None
