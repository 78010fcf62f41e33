"""Texts with labels from a Parquet file as dataset hubs lay it out."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ntkcore.data.bounded_parquet import BoundedParquet
from ntkcore.data.filenames import shown
from ntkcore.data.import_common import Limits
from ntkcore.data.import_parquet import is_binary, is_text, labels_of_column
from ntkcore.data.parquet import names_in
from ntkcore.data.text.table import Columns, TextTable, find_columns, require_length, too_large
from ntkcore.errors import DataError

_WHERE = "The Parquet file"


def texts_in_parquet(path: Path, wanted: Columns, limits: Limits) -> TextTable:
    """The texts and labels of a Parquet file.

    Raises:
        DataError: damaged, columns missing or of another type, text that is not UTF-8 (naming the row), or too much.
    """
    with BoundedParquet(path, limits, "rows") as file:
        if file.rows == 0:
            raise DataError("The Parquet file has no rows.", "Import one with texts.")
        at, label_at = find_columns(file.schema.names, wanted, _WHERE)
        text_name, label_name = file.schema.names[at], file.schema.names[label_at]
        kind = file.schema.field(at).type
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (is_text(value) or is_binary(value)):
            raise DataError(
                f"The column {shown(text_name)} of the Parquet file holds {str(kind)[:100]}, not text.", "Name a column of text."
            )
        labels, names = labels_of_column(file, label_name, names_in(file.schema.metadata, label_name))
        texts = _texts(file, text_name, limits)
        every = tuple(map(str, file.schema.names))
    columns = f"Texts are from the column {shown(text_name)}, labels from {shown(label_name)}."
    return TextTable(texts, labels, names, (columns,), every)


def _texts(file: BoundedParquet, name: str, limits: Limits) -> tuple[str, ...]:
    lengths = (pc.sum(pc.binary_length(piece)).as_py() or 0 for piece in _raw(file, name))
    if any(total > limits.text_bytes for total in itertools.accumulate(lengths)):  # before any of them is kept
        raise too_large(_WHERE, limits.text_bytes)
    texts: list[str] = []
    for value in itertools.chain.from_iterable(_raw(file, name)):
        raw = value.as_py() or b""
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"Row {len(texts)} of the Parquet file is not UTF-8: its byte {error.start + 1} is 0x{raw[error.start]:02X}.",
                "Write the texts as UTF-8, or leave out the row.",
            ) from error
        require_length(text, f"Row {len(texts)} of the Parquet file")
        texts.append("" if text.isspace() else text)
    return tuple(texts)


def _raw(file: BoundedParquet, name: str) -> Iterator[pa.Array]:
    return (piece.cast(pa.large_binary()) for piece in file.column(name))
