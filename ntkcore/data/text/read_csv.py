"""Texts with labels from a CSV file: one line of column names; comma, semicolon, tab or bar between the columns; any line ends.

UTF-8, or UTF-16 with a mark at the beginning, which is what spreadsheets call Unicode text.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ntkcore.data.filenames import shown
from ntkcore.data.import_common import Limits, too_many
from ntkcore.data.import_parquet import labels_of_text
from ntkcore.data.text.table import MAX_TEXT, Columns, TextTable, find_columns, require_length, too_large
from ntkcore.errors import DataError

_SEPARATORS = ",;\t|"
_SEP = re.compile(r'"?sep=([^"\r\n])"?[,;\t|]*', re.IGNORECASE)
_LINE = 4 << 20  # bytes; no line of texts is longer
_CHUNK = 1 << 20
_WIDE = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SAVE = "Save it as UTF-8 (spreadsheets call it “CSV UTF-8”)."
_WHERE = "The CSV file"


def texts_in_csv(path: Path, wanted: Columns, limits: Limits) -> TextTable:
    """The texts and labels of a CSV file, read line by line. Texts may hold line breaks inside quotes.

    Raises:
        DataError: neither UTF-8 nor marked as UTF-16 (naming line and byte), columns missing, a row that does not fit the header, or
            too much.
    """
    try:
        if path.stat().st_size > limits.text_bytes:
            raise too_large(_WHERE, limits.text_bytes)
        with path.open("rb") as file:
            return _table(_lines(file), wanted, limits)
    except OSError as error:
        raise DataError(f"The file could not be read: {error.strerror}.", "Check its spelling and permissions.") from error


def _lines(file: BinaryIO) -> Iterator[str]:
    """The lines with their ends: a line feed, a carriage return, or both. A mark at the beginning says UTF-16 or UTF-32, none UTF-8."""
    mark = file.read(4)
    file.seek(0)
    # the mark of UTF-32 begins with that of UTF-16
    wide = next((name for start, name in _WIDE.items() if mark.startswith(start)), None)
    lines = _decoded(file) if wide is None else _decoded_wide(file, wide)
    for number, text in enumerate(lines, 1):
        if len(text) > _LINE:
            raise _too_long(number)
        yield text


def _decoded(file: BinaryIO) -> Iterator[str]:
    """No byte of a longer character is a line end in UTF-8, so each line stands for itself."""
    before = 0
    for number, raw in enumerate(_raw_lines(file), 1):
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            at = error.start + (3 if number == 1 and raw.startswith(b"\xef\xbb\xbf") else 0)
            raise DataError(
                f"Line {number} of the CSV file is not UTF-8: its byte {at + 1} (byte {before + at + 1:,} of the file) is 0x{raw[at]:02X}.",
                _SAVE,
            ) from error
        before += len(raw)
        yield text


def _raw_lines(file: BinaryIO) -> Iterator[bytes]:
    rest, number = b"", 0
    while chunk := file.read(_CHUNK):
        *whole, rest = (rest + chunk).splitlines(keepends=True)
        if rest.endswith(b"\n"):
            whole, rest = [*whole, rest], b""
        yield from whole
        number += len(whole)
        if len(rest) > _LINE:
            raise _too_long(number + 1)
    yield from rest.splitlines(keepends=True)  # one that ends in a carriage return may have waited for its line feed


def _decoded_wide(file: BinaryIO, encoding: str) -> Iterator[str]:
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        while line := text.readline(_LINE + 1):
            yield line
    except UnicodeError as error:
        raise DataError(f"The CSV file is damaged: it is not {encoding.upper()} throughout.", _SAVE) from error
    finally:
        text.detach()


def _too_long(number: int) -> DataError:
    return DataError(f"Line {number} of the CSV file is longer than {_LINE >> 20} MiB.", "Is this a CSV file of texts?")


def _table(lines: Iterator[str], wanted: Columns, limits: Limits) -> TextTable:
    first = next(lines, "")
    said = _SEP.fullmatch(first.strip("\r\n"))  # how a spreadsheet says its separator
    if said:
        first = next(lines, "")
    if not first.strip():
        raise DataError("The first line of the CSV file is empty.", "Begin it with the names of the columns, such as text,label.")
    if "\0" in first:
        raise DataError("The CSV file is UTF-16 without a mark at its beginning, or no text at all.", _SAVE)
    separator = said[1] if said else max(_SEPARATORS, key=first.count)
    reader = csv.reader(itertools.chain([first], lines), delimiter=separator, strict=True, skipinitialspace=True)
    before = 1 if said else 0
    texts, labels = [], []
    try:
        header = next(reader)
        at, label_at = find_columns(header, wanted, _WHERE)
        for row in reader:
            if not row:
                continue  # a blank line
            line = reader.line_num + before
            if len(row) != len(header):
                raise DataError(
                    f"The row that ends in line {line} of the CSV file has {len(row)} columns; the first line names {len(header)}.",
                    "Put quotes around texts that hold the separator.",
                )
            label = " ".join(row[label_at].split())
            require_length(row[at], f"The row that ends in line {line} of the CSV file")
            texts.append("" if row[at].isspace() else row[at])
            labels.append("" if label.casefold() == "nan" else label)  # what has no label yet
            if len(texts) > limits.files:
                raise too_many(_WHERE, limits.files, "rows")
    except csv.Error as error:
        raise DataError(
            f"Line {reader.line_num + before} of the CSV file cannot be read: {error}.",
            f"Check its quotes: one inside a quoted text is doubled, and a text has at most {MAX_TEXT:,} characters.",
        ) from error
    if not texts:
        raise DataError("The CSV file has no rows.", "Import one with texts.")
    codes, names = labels_of_text(labels)
    columns = f"Texts are from the column {shown(header[at])}, labels from {shown(header[label_at])}."
    return TextTable(tuple(texts), codes, names, (columns,), tuple(header))
