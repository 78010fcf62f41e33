"""Images from a Parquet file as dataset hubs lay it out: ``image {bytes, path}`` (or binary ``image``) and ``label``."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ntkcore.data.filenames import MAX_NAME, clean_class_names, escaped, natural_key
from ntkcore.data.import_common import EncodedImages, Limits, keep_used_classes, too_big, too_many, unique_ids
from ntkcore.data.import_files import file_too_big
from ntkcore.data.parquet import names_in
from ntkcore.errors import DataError

_ROWS = 64  # read at a time
ERRORS = (pa.ArrowException, OSError, KeyError, MemoryError)
_LAYOUT = "It needs the columns image (the encoded file, alone or as bytes beside path) and label (whole numbers or text)."


def images_in_parquet(path: Path, limits: Limits) -> EncodedImages:
    """The images and labels of a Parquet file, read a few rows at a time.

    Raises:
        DataError: a damaged file, missing columns, missing images or labels, labels that do not fit, or too much of it.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
            groups = [metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)]
    except ERRORS as error:
        raise damaged_parquet() from error
    absent = [name for name in ("image", "label") if name not in schema.names]
    if absent:
        has = ", ".join(escaped(name) for name in schema.names[:20])
        raise DataError(f"The Parquet file has no column {' and '.join(absent)} (its columns: {has}).", _LAYOUT)
    if metadata.num_rows == 0:
        raise DataError("The Parquet file has no rows.", "Import one with images.")
    if metadata.num_rows > limits.files:
        raise too_many("The Parquet file", limits.files)
    if sum(groups) > limits.total_bytes:
        raise too_big("The Parquet file", limits.total_bytes)
    kind = schema.field("image").type
    if not (_is_binary(kind) or (pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0 and _is_binary(kind.field("bytes").type))):
        raise DataError(f"The column image of the Parquet file holds {kind}, not encoded images.", _LAYOUT)
    try:
        column = pq.read_table(path, columns=["label"]).column("label")
        ids = _ids(path, kind, metadata.num_rows)
    except ERRORS as error:
        raise damaged_parquet() from error
    labels, class_names = labels_of_column(column, names_in(schema.metadata))
    labels, class_names, notes = keep_used_classes(labels, class_names)
    return EncodedImages(ids, labels, clean_class_names(class_names), lambda: _items(path, limits), notes=notes)


def _items(path: Path, limits: Limits) -> Iterator[bytes]:
    row, total = 0, 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS, columns=["image"], use_threads=False):
                column = batch.column(0)
                is_struct = pa.types.is_struct(column.type)
                encoded = pc.struct_field(column, "bytes") if is_struct else column
                for value in encoded:
                    data = value.as_py()
                    if data is None:
                        what = "no image; a path alone is not enough" if is_struct else "no image"
                        raise DataError(f"Row {row} of the Parquet file has {what}.", "Remove the row, or store the image's bytes in it.")
                    total += len(data)
                    if len(data) > limits.file_bytes:
                        raise file_too_big(f"row {row}", limits.file_bytes)
                    if total > limits.total_bytes:
                        raise too_big("The Parquet file", limits.total_bytes)
                    yield bytes(data)
                    row += 1
    except ERRORS as error:
        raise damaged_parquet() from error


def _ids(path: Path, kind: pa.DataType, rows: int) -> tuple[str, ...]:
    """The stored paths where every row has its own, else the row numbers."""
    if pa.types.is_struct(kind) and kind.get_field_index("path") >= 0 and pa.types.is_string(kind.field("path").type):
        with pq.ParquetFile(path) as file:  # unlike read_table, it can read one field of a struct alone
            column = file.read(columns=["image.path"]).column("image")
        names = [name for chunk in column.chunks for name in pc.struct_field(chunk, "path").to_pylist()]
        if all(isinstance(name, str) and 0 < len(name) <= MAX_NAME for name in names) and len(set(names)) == len(names):
            return unique_ids([escaped(name) for name in names])
    return tuple(f"row/{row}" for row in range(rows))


def labels_of_column(column: pa.ChunkedArray, names: tuple[str, ...] | None) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels ``(n,)`` as positions in the class names, which are those of the metadata, else the labels themselves in natural order.

    Raises:
        DataError: rows without a label, or labels that are neither whole numbers nor text.
    """
    if column.null_count:
        raise DataError(f"{column.null_count:,} rows of the Parquet file have no label.", "Remove these rows, or label them.")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return labels_of_text(column.to_pylist())
    if pa.types.is_floating(column.type) and (empty := int(pc.sum(pc.is_nan(column)).as_py() or 0)):
        raise DataError(f"{empty:,} rows of the Parquet file have no label (NaN).", "Remove these rows, or label them.")
    if not pa.types.is_integer(column.type):
        raise DataError(
            f"The labels of the Parquet file are {column.type}; whole numbers or text are needed.",
            "Store a number or a name.",
        )
    return labels_of_numbers(column.to_numpy(), names, "the Parquet file")


def labels_of_text(values: list[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels ``(n,)`` as positions in their sorted names, and these names."""
    names = tuple(sorted(set(values), key=natural_key))
    position = {name: i for i, name in enumerate(names)}
    return np.array([position[value] for value in values], np.int64), names


def labels_of_numbers(values: NDArray[np.integer], names: tuple[str, ...] | None, where: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels ``(n,)`` as positions in the class names; without names, in the sorted numbers that occur.

    Raises:
        DataError: negative labels, or labels beyond the class names.
    """
    if values.min() < 0:
        raise DataError(
            f"{where.capitalize()} has negative labels ({int(values.min())}).",
            "Labels count from 0; -1 often marks unlabelled images: leave these out.",
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


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def damaged_parquet() -> DataError:
    """The error for a Parquet file that cannot be read."""
    return DataError("The Parquet file is damaged.", "Write it again, or upload it again.")
