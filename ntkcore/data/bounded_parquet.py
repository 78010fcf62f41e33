"""Parquet files of strangers, read in pieces whose size is known before anything is unpacked.

A file's own account of its size counts encoded bytes: a dictionary of one value and a million references to it is small by that
account and unpacks to gigabytes, and what the footer says of a page may be a lie. So the pages' own headers are read first: no
value is longer than its page or dictionary, which bounds what any number of rows can become.
Layout: https://parquet.apache.org/docs/file-format/, fields by parquet.thrift.
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
from ntkcore.data.thrift import Structure, read_structure
from ntkcore.errors import DataError

_ERRORS = (pa.ArrowException, OSError, LookupError, ValueError, TypeError, OverflowError)

_FOOTER = 2 << 20  # bytes; a thousand row groups of three columns have half a mebibyte
_HEADER = 16 << 10  # bytes of a page's header read at first, and at most
_LONGEST_HEADER = 1 << 20
_PIECE = 16 << 20  # bytes that the rows read at a time may become
_ROWS = 1024  # read at a time
_LARGE_PAGE, _LARGE_RATIO = 16 << 20, 20.0  # beside the ratio of the limits, which is for all above a mebibyte
# fields of the file's structures, as parquet.thrift numbers them
_UNPACKED, _PACKED, _DATA, _DICTIONARY, _DATA_V2, _COUNT = 2, 3, 5, 7, 8, 1
_GROUPS, _COLUMNS, _BYTES, _ROWS_OF, _CHUNK, _CHUNK_BYTES, _DATA_AT, _DICTIONARY_AT = 4, 1, 2, 3, 3, 7, 9, 11
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
            # not by what pyarrow says of a footer: it ends the process where some of its lists have a wrong length
            self._groups = _structures(self._footer(), _GROUPS)
            self._source.seek(0)
            self._file = pq.ParquetFile(self._source, buffer_size=_HEADER)
            self.schema, self.rows = self._file.schema_arrow, int(self._file.metadata.num_rows)
            if sum(_number(group, _ROWS_OF) for group in self._groups) != self.rows:
                raise damaged_parquet()
            if self.rows > limits.files:
                raise too_many("The Parquet file", limits.files, what)
            if sum(_number(group, _BYTES) for group in self._groups) > limits.total_bytes:
                raise too_big_parquet(limits)
        except DataError:
            self.close()
            raise
        except MemoryError as error:  # of Arrow, too, whose other errors are those of a damaged file
            self.close()
            raise _no_memory() from error
        except _ERRORS as error:
            self.close()
            raise damaged_parquet() from error

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
        except MemoryError as error:
            raise _no_memory() from error
        except _ERRORS as error:
            raise damaged_parquet() from error

    def first(self, name: str, field: str = "") -> Any:
        """The first value of a column that is not missing, of its first rows; None if there is none."""
        return next((value.as_py() for value in next(self.column(name, field), ()) if value.is_valid), None)

    def _footer(self) -> Structure:
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
        self._source.seek(size - 8 - length)
        return read_structure(self._source.read(length))[0]

    def _rows_at_a_time(self, path: str) -> int:
        """Rows of a column that become at most ``_PIECE`` bytes; its pages have passed the limits then."""
        schema = self._file.schema
        leaf = next((i for i in range(len(schema)) if schema.column(i).path == path), None)
        if leaf is None or schema.column(leaf).max_repetition_level:
            raise damaged_parquet()
        longest = _FIXED.get(schema.column(leaf).physical_type) or max(schema.column(leaf).length, 1)
        if longest > _PIECE:  # a missing value of a fixed width takes as much as any other
            raise DataError(f"A column of the Parquet file has values of {longest:,} bytes each.", "Write it with values of any length.")
        total = 0
        if schema.column(leaf).physical_type not in _FIXED:
            for group in self._groups:
                for size in self._page_sizes(group, leaf):
                    longest, total = max(longest, size), total + size
                    if total > self._limits.total_bytes:
                        raise too_big_parquet(self._limits)
        if longest > self._limits.total_bytes:
            raise too_big_parquet(self._limits)
        return min(max(_PIECE // longest, 1), _ROWS)

    def _page_sizes(self, group: Structure, leaf: int) -> Iterator[int]:
        """Unpacked bytes of each page of a column chunk, by the page's own account."""
        chunk, rows = _structures(group, _COLUMNS)[leaf][_CHUNK], _number(group, _ROWS_OF)
        if not isinstance(chunk, dict):
            raise damaged_parquet()
        position, first = _number(chunk, _DATA_AT), chunk.get(_DICTIONARY_AT, 0)
        if 0 < first < position:
            position = first
        end = position + _number(chunk, _CHUNK_BYTES)
        seen = 0
        while position < end and seen < rows:
            header, length = self._header(position)
            page = next((header[kind] for kind in (_DATA, _DICTIONARY, _DATA_V2) if isinstance(header.get(kind), dict)), {_COUNT: 0})
            unpacked, packed, count = _number(header, _UNPACKED), _number(header, _PACKED), _number(page, _COUNT)
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

    def _header(self, position: int) -> tuple[Structure, int]:
        """A page's header (field to number or structure) and its length."""
        size = _HEADER
        while True:
            self._source.seek(position)
            data = self._source.read(size)
            try:
                return read_structure(data)
            except IndexError as error:
                if len(data) < size or size >= _LONGEST_HEADER:
                    raise damaged_parquet() from error
                size *= 4


def _no_memory() -> DataError:
    return DataError(
        "The Parquet file needs more memory than is left for it, or is damaged.", "Split it, or write it again with smaller row groups."
    )


def damaged_parquet() -> DataError:
    """The error for a Parquet file that cannot be read."""
    return DataError("The Parquet file is damaged.", "Write it again, or upload it again.")


def too_big_parquet(limits: Limits) -> DataError:
    """The error for more unpacked bytes than allowed."""
    return DataError(
        f"The Parquet file unpacks to more than the {limits.total_bytes / 2**20:,.0f} MiB allowed.", "Split it, or import a part of it."
    )


def _field(column: pa.Array, name: str) -> pa.Array:
    """A field of a struct, missing where the struct is."""
    if not pa.types.is_struct(column.type) or column.type.get_field_index(name) < 0:
        raise damaged_parquet()
    return column.flatten()[column.type.get_field_index(name)]


def _number(structure: Structure, field: int) -> int:
    """A number that cannot be negative."""
    value = structure.get(field)
    if not isinstance(value, int) or value < 0:
        raise damaged_parquet()
    return value


def _structures(structure: Structure, field: int) -> list[Structure]:
    found = structure.get(field)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise damaged_parquet()
    return found
