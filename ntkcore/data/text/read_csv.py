"""Texts with labels from a CSV file: UTF-8, one line of column names, comma, semicolon or tab between the columns."""

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ntkcore.data.filenames import shown
from ntkcore.data.import_common import Limits, too_many
from ntkcore.data.import_parquet import labels_of_text
from ntkcore.data.text.table import MAX_TEXT, Columns, TextTable, find_columns, require_length, too_large
from ntkcore.errors import DataError

_SEPARATORS = ",;\t"
_LINE = 4 << 20  # bytes; no line of texts is longer
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SAVE = "Save it as UTF-8 (spreadsheets call it “CSV UTF-8”)."
_WHERE = "The CSV file"


def texts_in_csv(path: Path, wanted: Columns, limits: Limits) -> TextTable:
    """The texts and labels of a CSV file, read line by line. Texts may hold line breaks inside quotes.

    Raises:
        DataError: not UTF-8 (naming line and byte), columns missing, a row that does not fit the header, no label, or too much.
    """
    try:
        if path.stat().st_size > limits.text_bytes:
            raise too_large(_WHERE, limits.text_bytes)
        with path.open("rb") as file:
            return _table(_lines(file), wanted, limits)
    except OSError as error:
        raise DataError(f"The file could not be read: {error.strerror}.", "Check its spelling and permissions.") from error


def _lines(file: BinaryIO) -> Iterator[str]:
    """The lines with their ends; no byte of a longer character is a line end in UTF-8, so each stands for itself."""
    before = 0
    for number in itertools.count(1):
        raw = file.readline(_LINE + 1)
        if not raw:
            return
        if len(raw) > _LINE:
            raise DataError(f"Line {number} of the CSV file is longer than {_LINE >> 20} MiB.", "Is this a CSV file of texts?")
        if number == 1 and raw[:2] in _UTF16:
            raise DataError("The CSV file is UTF-16, not UTF-8.", _SAVE)
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


def _table(lines: Iterator[str], wanted: Columns, limits: Limits) -> TextTable:
    first = next(lines, "")
    if not first.strip():
        raise DataError("The first line of the CSV file is empty.", "Begin it with the names of the columns, such as text,label.")
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(itertools.chain([first], lines), delimiter=separator, strict=True)
    texts, labels = [], []
    try:
        header = next(reader)
        at, label_at = find_columns(header, wanted, _WHERE)
        for row in reader:
            if not row:
                continue  # a blank line
            line = reader.line_num
            if len(row) != len(header):
                raise DataError(
                    f"The row that ends in line {line} of the CSV file has {len(row)} columns; the first line names {len(header)}.",
                    "Put quotes around texts that hold the separator.",
                )
            label = " ".join(row[label_at].split())
            if not label or label.casefold() == "nan":
                raise DataError(f"The row that ends in line {line} of the CSV file has no label.", "Remove the row, or label it.")
            require_length(row[at], f"The row that ends in line {line} of the CSV file")
            texts.append("" if row[at].isspace() else row[at])
            labels.append(label)
            if len(texts) > limits.files:
                raise too_many(_WHERE, limits.files, "rows")
    except csv.Error as error:
        raise DataError(
            f"Line {reader.line_num} of the CSV file cannot be read: {error}.",
            f"Check its quotes: one inside a quoted text is doubled, and a text has at most {MAX_TEXT:,} characters.",
        ) from error
    if not texts:
        raise DataError("The CSV file has no rows.", "Import one with texts.")
    codes, names = labels_of_text(labels)
    columns = f"Texts are from the column {shown(header[at])}, labels from {shown(header[label_at])}."
    return TextTable(tuple(texts), codes, names, (columns,))
