"""Images named by a table: a CSV, JSON lines or Parquet file of paths and labels beside them in a zip or folder.

A column ``split`` divides them; further columns are kept as they are. Rows whose file is missing, and files that no row names, are left
out and listed.
"""

import csv
import io
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ntkcore.data.bounded_parquet import BoundedParquet
from ntkcore.data.class_folders import part_word
from ntkcore.data.filenames import MAX_CLASS, clean_class_names, escaped, long_class, safe_parts, shown
from ntkcore.data.import_common import EncodedImages, FoundFiles, Limits, read_each, too_many, unique_ids
from ntkcore.data.import_parquet import LABEL_NAMES, labels_of_text
from ntkcore.errors import DataError

PATH_NAMES = ("path", "file_name", "filename", "file", "filepath", "file_path", "image_path", "image_file_path", "image", "img", "img_path")
_PART_NAMES = ("split", "subset", "partition")
_WHOLE = ("int", "uint", "dictionary")  # as Arrow spells types
_ROW = 1 << 20  # characters of a line
_SAVE = "Save it as UTF-8 with one line of column names, such as path,label."

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of images: where it lies, and of each row the path, the label, the part and the further columns."""

    folder: tuple[str, ...]
    name: str
    columns: tuple[str, ...]
    rows: list[Row]
    path: str
    label: str
    part: str


def images_by_table(found: FoundFiles, limits: Limits) -> EncodedImages | None:
    """The images that the tables among the files name; None where no table has a column of paths and one of labels.

    Several tables, such as one in each of the folders ``train`` and ``test``, are read one after another.

    Raises:
        DataError: a table that cannot be read, or that names none of the files.
    """
    tables = []
    for parts, read in found.tables:
        name = "/".join(parts)
        try:
            data = read()
        except DataError as error:  # too large for one
            found.skip(name, error.message)
            continue
        try:
            tables.append(_read_table(parts, data, limits))
        except _NoTable:
            found.skip(name, "not an image that can be read")
    if not tables:
        return None
    place = {path: at for at, path in enumerate(found.parts)}
    taken: dict[int, tuple[_Table, Row]] = {}
    for table in tables:
        for number, row in enumerate(table.rows, 1):
            named = str(row[table.path] or "")
            at = _find(named, table, place)
            if at is None:
                found.skip(named or f"row {number} of {table.name}", f"named in {table.name}, but not there" if named else "names no file")
            elif at in taken:
                found.skip(named, f"named twice in {table.name}")
            else:
                taken[at] = (table, row)
    if not taken:
        first = next((str(row[table.path]) for table in tables for row in table.rows), "")
        raise DataError(
            f"None of the files that {shown(tables[0].name)} names is in {found.where} (the first: {shown(first)}).",
            "Paths count from the folder that the table lies in.",
        )
    for path, at in place.items():
        if at not in taken:
            found.skip("/".join(path), "not named in the table")
    return _images(found, taken, tables)


def columns_of_images(path: Path) -> tuple[str, ...]:
    """The columns of a CSV file that is a table of images, with paths and labels among them; () for any other file."""
    try:
        with path.open("rb") as file:
            first = _decoded(file.read(_ROW).split(b"\n")[0] + b"\n", path.name)
        columns = next(csv.reader([first], delimiter=max(",;\t|", key=first.count), skipinitialspace=True), [])
    except (OSError, DataError, _NoTable, csv.Error):  # the last of a field longer than any of a table
        return ()
    return tuple(column.strip() for column in columns) if _chosen(columns) else ()


def _images(found: FoundFiles, taken: Mapping[int, tuple[_Table, Row]], tables: Sequence[_Table]) -> EncodedImages:
    order = sorted(taken)
    labels, names = labels_of_text([_text(row[table.label]) for table, row in map(taken.__getitem__, order)])
    long = next((name for name in names if len(name) > MAX_CLASS), None)
    if long is not None:
        raise long_class(long)
    parts = tuple(_part(table, row) for table, row in map(taken.__getitem__, order))
    used = {name for table in tables for name in (table.path, table.label, table.part)}
    further = list(dict.fromkeys(name for table in tables for name in table.columns if name not in used))
    columns = {escaped(name)[:100]: _numbers([taken[at][1].get(name) for at in order]) for name in further}
    shared = tables[0]
    note = f"Paths are from the column {shown(shared.path)} of {shown(shared.name)}, labels from {shown(shared.label)}."
    return EncodedImages(
        ids=unique_ids([escaped("/".join(found.parts[at])) for at in order]),
        labels=labels,
        class_names=clean_class_names(names),
        items=partial(read_each, [found.readers[at] for at in order]),
        skipped=tuple(found.skipped),
        notes=(note,),
        parts=parts if any(parts) else (),
        columns=columns,
        root=found.root,
        paths=tuple(found.places[at] for at in order) if found.root else (),
    )


def _find(named: str, table: _Table, place: Mapping[tuple[str, ...], int]) -> int | None:
    """Where the file that a row names is: below the table's folder, or below the top."""
    try:
        parts = safe_parts(named, where="the table")
    except DataError:
        return None  # outside of the archive or folder: not there
    return place.get((*table.folder, *parts), place.get(parts))


def _part(table: _Table, row: Row) -> str:
    if table.part:
        return escaped(_text(row[table.part]))[:100]
    folders = (*table.folder, PurePosixPath(table.name).stem)
    return next((word for word in map(part_word, folders) if word), "")


class _NoTable(Exception):
    """A file is no table of images."""


def _read_table(parts: tuple[str, ...], data: bytes, limits: Limits) -> _Table:
    """A file as a table of images."""
    name = "/".join(parts)
    rows: Iterator[Row]
    if name.lower().endswith(".parquet"):
        with BoundedParquet(io.BytesIO(data), limits) as file:
            columns = tuple(map(str, file.schema.names))
            chosen = _chosen(columns)
            if chosen is None or not _plain(file, chosen):
                raise _NoTable
            plain = [column for column in columns if _plain(file, (column,))]
            values = {column: [value for piece in file.column(column) for value in piece.to_pylist()] for column in plain}
            found: list[Row] = [{column: of[row] for column, of in values.items()} for row in range(file.rows)]
            return _Table(parts[:-1], name, tuple(plain), found, *chosen)
    text = _decoded(data, name)
    rows = _json_rows(text, name) if name.lower().endswith((".jsonl", ".ndjson")) else _csv_rows(text, name)
    first = next(rows, None)
    chosen = None if first is None else _chosen(tuple(first))
    if first is None or chosen is None:
        raise _NoTable
    every = list(itertools.islice(itertools.chain([first], rows), limits.files + 1))
    if len(every) > limits.files:
        raise too_many(shown(name), limits.files, "rows")
    columns = tuple(dict.fromkeys(column for row in every for column in row))
    return _Table(parts[:-1], name, columns, [dict.fromkeys(columns) | dict(row) for row in every], *chosen)


def _chosen(columns: Sequence[str]) -> tuple[str, str, str] | None:
    """The columns of paths, labels and parts ("" for none) among these; None without paths or labels."""
    names = {name.strip().casefold(): name for name in reversed(columns)}
    path, label, part = (next((names[name] for name in usual if name in names), "") for usual in (PATH_NAMES, LABEL_NAMES, _PART_NAMES))
    return (path, label, part) if path and label else None


def _plain(file: BoundedParquet, columns: Sequence[str]) -> bool:
    """Whether columns of a Parquet file hold numbers, truth values or text."""
    kinds = [str(file.schema.field(name).type) for name in columns if name]
    return all(kind in ("string", "large_string", "bool", "double", "float") or kind.startswith(_WHOLE) for kind in kinds)


def _decoded(data: bytes, name: str) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeError as error:
        if not any(path.encode() in data[:1000].lower() for path in PATH_NAMES):
            raise _NoTable from error
        raise DataError(f"The table {shown(name)} is neither UTF-8 nor UTF-16.", _SAVE) from error


def _csv_rows(text: str, name: str) -> Iterator[Row]:
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=first.count), strict=True, skipinitialspace=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        if len(set(header)) < len(header):
            return  # which of two columns of one name is meant cannot be known: no table of images
        for row in reader:
            if row and len(row) != len(header):
                place, remedy = (
                    f"The row that ends in line {reader.line_num} of {shown(name)}",
                    "Quote values that hold the separator.",
                )
                raise DataError(f"{place} has {len(row)} columns; the first line names {len(header)}.", remedy)
            if row:
                yield dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise DataError(f"Line {reader.line_num} of {shown(name)} cannot be read: {error}.", _SAVE) from error


def _json_rows(text: str, name: str) -> Iterator[Row]:
    for number, line in enumerate(io.StringIO(text), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line) if len(line) <= _ROW else None
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            one = 'Write one in each line: {"path": "a.jpg", "label": "cat"}.'
            raise DataError(f"Line {number} of {shown(name)} is no JSON object.", one)
        yield {key: value for key, value in row.items() if value is None or isinstance(value, str | int | float)}


def _text(value: Any) -> str:
    """A label or part as text; "" for none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    said = " ".join(str(value).split())
    return "" if said.casefold() == "nan" else said


def _numbers(values: list[Any]) -> list[Any]:
    """A column whose every value reads as a finite number as numbers; any other as it is, text cut to what a card can show."""
    known = [value for value in values if value not in (None, "")]
    try:
        numbers = np.array([float(value) for value in known])
    except (TypeError, ValueError):
        numbers = np.array([np.nan])
    if len(known) and np.isfinite(numbers).all() and not any(isinstance(value, bool) for value in known):
        return [None if value in (None, "") else float(value) for value in values]
    return [value if value is None or isinstance(value, bool) else str(value)[:1000] for value in values]
