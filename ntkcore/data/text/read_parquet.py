"""Texts with labels from a Parquet file as dataset hubs lay it out."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ntkcore.data.filenames import shown
from ntkcore.data.import_common import Limits, too_many
from ntkcore.data.import_parquet import ERRORS, damaged_parquet, labels_of_column
from ntkcore.data.parquet import names_in
from ntkcore.data.text.table import Columns, TextTable, find_columns, require_length, too_large
from ntkcore.errors import DataError

_ROWS = 1024  # read at a time
_WHERE = "The Parquet file"


def texts_in_parquet(path: Path, wanted: Columns, limits: Limits) -> TextTable:
    """The texts and labels of a Parquet file.

    Raises:
        DataError: damaged, columns missing or of another type, text that is not UTF-8 (naming the row), no label, or too much.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
            size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    except ERRORS as error:
        raise damaged_parquet() from error
    if metadata.num_rows == 0:
        raise DataError("The Parquet file has no rows.", "Import one with texts.")
    if metadata.num_rows > limits.files:
        raise too_many(_WHERE, limits.files, "rows")
    if size > limits.total_bytes:
        raise too_large(_WHERE, limits.total_bytes)
    at, label_at = find_columns(schema.names, wanted, _WHERE)
    text_name, label_name = schema.names[at], schema.names[label_at]
    kind = schema.field(at).type
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not any(test(value) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)):
        raise DataError(f"The column {shown(text_name)} of the Parquet file holds {kind}, not text.", "Name a column of text.")
    try:
        labels, names = labels_of_column(pq.read_table(path, columns=[label_name]).column(0), names_in(schema.metadata, label_name))
        texts = _texts(path, text_name, limits)
    except ERRORS as error:
        raise damaged_parquet() from error
    columns = f"Texts are from the column {shown(text_name)}, labels from {shown(label_name)}."
    return TextTable(texts, labels, names, (columns,))


def _texts(path: Path, name: str, limits: Limits) -> tuple[str, ...]:
    texts: list[str] = []
    total = 0  # counted, because what a file says of its own size may be wrong
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS, columns=[name], use_threads=False):
            column = batch.column(0)
            if pa.types.is_dictionary(column.type):
                column = column.dictionary_decode()
            large = pa.types.is_large_string(column.type) or pa.types.is_large_binary(column.type)
            for raw in column.cast(pa.large_binary() if large else pa.binary()).to_pylist():
                try:
                    text = (raw or b"").decode("utf-8")
                except UnicodeDecodeError as error:
                    raise DataError(
                        f"Row {len(texts)} of the Parquet file is not UTF-8: its byte {error.start + 1} is 0x{raw[error.start]:02X}.",
                        "Write the texts as UTF-8, or leave out the row.",
                    ) from error
                require_length(text, f"Row {len(texts)} of the Parquet file")
                total += len(raw or b"")
                if total > limits.total_bytes:
                    raise too_large(_WHERE, limits.total_bytes)
                texts.append("" if text.isspace() else text)
    return tuple(texts)
