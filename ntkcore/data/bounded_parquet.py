"""Parquet files of strangers, read in pieces whose size is known before anything is unpacked.

A file's own account of its size counts encoded bytes: a dictionary of one value and a million references to it is small by that
account and unpacks to gigabytes, and what the footer says of a page may be a lie. So the pages' own headers are read first: no
value is longer than its page or dictionary, which bounds what any number of rows can become.
Layout and thrift's compact protocol: https://parquet.apache.org/docs/file-format/.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ntkcore.data.filenames import shown
from ntkcore.data.import_common import Limits, too_many
from ntkcore.errors import DataError

ERRORS = (pa.ArrowException, OSError, KeyError, MemoryError)

_FOOTER = 4 << 20  # bytes; a thousand row groups of twenty columns have two mebibytes
_HEADER = 16 << 10  # bytes of a page's header read at first, and at most
_LONGEST_HEADER = 1 << 20
_PIECE = 16 << 20  # bytes that the rows read at a time may become
_ROWS = 1024  # read at a time
_LARGE_PAGE, _LARGE_RATIO = 16 << 20, 20.0  # beside the ratio of the limits, which is for all above a mebibyte
_DATA, _DICTIONARY, _DATA_V2 = 5, 7, 8  # fields of a page's header
_DEEPEST = 8  # structures in structures of a page's header
_FIXED = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}  # bytes of a value


class BoundedParquet:
    """A Parquet file for reading one column at a time.

    Attributes:
        schema: of Arrow.
        rows: how many.

    Raises:
        DataError: on opening: damaged, encrypted, too many rows or a footer too large; on reading: the same for what turns out
            only then.
    """

    def __init__(self, source: Path | BinaryIO, limits: Limits, what: str = "images") -> None:
        self._limits = limits
        self._opened = source.open("rb") if isinstance(source, Path) else None
        self._source: BinaryIO = self._opened or source  # type: ignore[assignment]
        try:
            self._check_footer()
            self._source.seek(0)
            self._file = pq.ParquetFile(self._source, buffer_size=_HEADER)
            self.schema, self._metadata = self._file.schema_arrow, self._file.metadata
            self.rows = int(self._metadata.num_rows)
            groups = [self._metadata.row_group(i) for i in range(self._metadata.num_row_groups)]
            if sum(group.num_rows for group in groups) != self.rows or any(group.num_rows < 0 for group in groups):
                raise damaged_parquet()
            if self.rows > limits.files:
                raise too_many("The Parquet file", limits.files, what)
            if sum(group.total_byte_size for group in groups) > limits.total_bytes:
                raise too_big_parquet(limits)
        except ERRORS as error:
            self.close()
            raise damaged_parquet() from error
        except DataError:
            self.close()
            raise

    def __enter__(self) -> "BoundedParquet":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, if it was opened here."""
        if self._opened is not None:
            self._opened.close()

    def column(self, name: str, field: str = "") -> Iterator[pa.Array]:
        """The values of a column, or of a field of a struct, in pieces; dictionaries are resolved.

        Raises:
            DataError: a damaged file, or more bytes than allowed.
        """
        try:
            path = f"{name}.{field}" if field else name
            step = self._rows_at_a_time(path)
            seen = 0
            for batch in self._file.iter_batches(step, columns=[path], use_threads=False):
                if batch.num_columns != 1:  # a column whose name has a dot, and a struct with such a field
                    raise DataError(f"The Parquet file has several columns {shown(path)}.", "Give every column a name of its own.")
                column = _field(batch.column(0), field) if field else batch.column(0)
                seen += len(column)
                yield column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            if seen != self.rows:
                raise damaged_parquet()
        except ERRORS as error:
            raise damaged_parquet() from error

    def first(self, name: str, field: str = "") -> Any:
        """The first value of a column that is not missing, of its first rows; None if there is none."""
        return next((value.as_py() for value in next(self.column(name, field), ()) if value.is_valid), None)

    def _check_footer(self) -> None:
        size = self._source.seek(0, os.SEEK_END)
        self._source.seek(max(size - 8, 0))
        end = self._source.read(8)
        if end[4:] == b"PARE":
            raise DataError("The Parquet file is encrypted.", "Write it again without encryption.")
        length = int.from_bytes(end[:4], "little")
        if size < 12 or end[4:] != b"PAR1" or length > size - 12:
            raise damaged_parquet()
        if length > _FOOTER:
            raise DataError("The Parquet file's table of contents is too large.", "Write it with fewer row groups and columns.")

    def _rows_at_a_time(self, path: str) -> int:
        """Rows of a column that become at most ``_PIECE`` bytes; its pages have passed the limits then."""
        schema = self._metadata.schema
        leaf = next((i for i in range(len(schema)) if schema.column(i).path == path), None)
        if leaf is None or schema.column(leaf).max_repetition_level:
            raise damaged_parquet()
        longest = _FIXED.get(schema.column(leaf).physical_type) or max(schema.column(leaf).length, 1)
        if longest > _PIECE:  # a missing value of a fixed width takes as much as any other
            raise DataError(f"A column of the Parquet file has values of {longest:,} bytes each.", "Write it with values of any length.")
        total = 0
        if schema.column(leaf).physical_type not in _FIXED:
            for group in range(self._metadata.num_row_groups):
                for size in self._page_sizes(group, leaf):
                    longest, total = max(longest, size), total + size
                    if total > self._limits.total_bytes:
                        raise too_big_parquet(self._limits)
        if longest > self._limits.total_bytes:
            raise too_big_parquet(self._limits)
        return min(max(_PIECE // longest, 1), _ROWS)

    def _page_sizes(self, group: int, leaf: int) -> Iterator[int]:
        """Unpacked bytes of each page of a column chunk, by the page's own account."""
        chunk = self._metadata.row_group(group).column(leaf)
        rows = self._metadata.row_group(group).num_rows
        start = chunk.data_page_offset
        if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < start:
            start = chunk.dictionary_page_offset
        if start < 0 or chunk.total_compressed_size < 0:
            raise damaged_parquet()
        position, end = start, start + chunk.total_compressed_size
        seen = 0
        while position < end and seen < rows:
            header, length = self._header(position)
            page = next((header[kind] for kind in (_DATA, _DICTIONARY, _DATA_V2) if isinstance(header.get(kind), dict)), {1: 0})
            unpacked, packed, count = _number(header, 2), _number(header, 3), _number(page, 1)
            if count > (unpacked if _DICTIONARY in header else rows - seen):
                raise damaged_parquet()
            ratio = unpacked / max(packed, 1)
            if (unpacked > 1 << 20 and ratio > self._limits.ratio) or (unpacked > _LARGE_PAGE and ratio > _LARGE_RATIO):
                raise DataError(
                    f"A part of the Parquet file unpacks to {ratio:,.0f} times its size.",
                    "This looks like an attack on the server's memory; write the file again with plain or snappy columns.",
                )
            yield unpacked
            seen += 0 if _DICTIONARY in header else count
            position += length + packed

    def _header(self, position: int) -> tuple[dict[int, Any], int]:
        """A page's header (field to number or structure) and its length."""
        size = _HEADER
        while True:
            self._source.seek(position)
            data = self._source.read(size)
            try:
                return _structure(data, 0, 0)
            except IndexError as error:
                if len(data) < size or size >= _LONGEST_HEADER:
                    raise damaged_parquet() from error
                size *= 4


def damaged_parquet() -> DataError:
    """The error for a Parquet file that cannot be read."""
    return DataError("The Parquet file is damaged.", "Write it again, or upload it again.")


def too_big_parquet(limits: Limits) -> DataError:
    """The error for more unpacked bytes than allowed."""
    return DataError(
        f"The Parquet file unpacks to more than the {limits.total_bytes / 2**20:,.0f} MiB allowed.", "Split it, or import a part of it."
    )


def _field(column: pa.StructArray, name: str) -> pa.Array:
    """A field of a struct, missing where the struct is."""
    return column.flatten()[column.type.get_field_index(name)]


def _number(structure: dict[int, Any], field: int) -> int:
    """A number of a header that cannot be negative."""
    value = structure.get(field)
    if not isinstance(value, int) or value < 0:
        raise damaged_parquet()
    return value


def _structure(data: bytes, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """A structure of thrift's compact protocol and where it ends; IndexError where the data end before."""
    found: dict[int, Any] = {}
    field = 0
    while head := data[at]:
        at += 1
        if head >> 4:
            field += head >> 4
        else:
            number, at = _varint(data, at)
            field = _signed(number)
        found[field], at = _value(data, at, head & 15, depth, inside=False)
    return found, at + 1


def _value(data: bytes, at: int, kind: int, depth: int, *, inside: bool) -> tuple[Any, int]:
    """A value and where it ends: numbers and structures as they are, anything else as None."""
    if depth > _DEEPEST:
        raise damaged_parquet()
    if kind in (1, 2):
        return None, at + inside  # a truth value is in its type, except in lists
    if kind == 3:
        return None, at + 1
    if kind in (4, 5, 6):
        number, at = _varint(data, at)
        return _signed(number), at
    if kind == 7:
        return None, at + 8
    if kind == 8:
        length, at = _varint(data, at)
        return None, at + length
    if kind in (9, 10):
        head, at = data[at], at + 1
        count = head >> 4
        if count == 15:
            count, at = _varint(data, at)
        for _ in range(count):
            data[at]  # a list that claims to be long ends with the data
            _, at = _value(data, at, head & 15, depth + 1, inside=True)
        return None, at
    if kind == 12:
        return _structure(data, at, depth + 1)
    raise damaged_parquet()


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise damaged_parquet()


def _signed(number: int) -> int:
    return (number >> 1) ^ -(number & 1)
