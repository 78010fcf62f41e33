"""The rows of the library as JSON, a line each: the same of SQLite and of PostgreSQL, so that either takes what the other gave."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from ntkcore.library.tables import METADATA
from ntkcore.private import open_private

_BATCH = 1_000  # rows that are written together


def write(connection: sa.Connection, folder: Path) -> dict[str, int]:
    """Write every table to ``<folder>/<table>.jsonl``: the names of its columns, then its rows in the order of its key.

    Returns:
        How many rows each has; what others refer to comes before these.
    """
    counts = {}
    for table in METADATA.sorted_tables:
        with open_private(folder / f"{table.name}.jsonl", "wb") as file:
            file.write(_line([column.name for column in table.columns]))
            counts[table.name] = 0
            for row in connection.execute(sa.select(table).order_by(*table.primary_key)):
                file.write(_line(list(row)))
                counts[table.name] += 1
    return counts


def fill(connection: sa.Connection, folder: Path, tables: Sequence[str]) -> None:
    """Put the rows that :func:`write` wrote in place of those that are there.

    Args:
        connection: to tables as they were when the rows were written.
        folder, tables: what holds the rows, and the names of the tables in their order.

    Raises:
        ValueError, OSError: the files are not as they were written.
    """
    for name in reversed(tables):
        connection.execute(sa.table(name).delete())
    for name in tables:
        with (folder / f"{name}.jsonl").open("rb") as file:
            columns = [str(column) for column in json.loads(next(file))]
            table = sa.table(name, *map(sa.column, columns))
            for rows in _batches(columns, map(json.loads, file)):
                connection.execute(table.insert(), rows)
        if connection.dialect.name == "postgresql" and "id" in columns:
            _go_on_counting(connection, name)


def _go_on_counting(connection: sa.Connection, name: str) -> None:
    """Let PostgreSQL give numbers from the largest one on, where the table's ids are numbers that it gives."""
    given = connection.execute(sa.select(sa.func.pg_get_serial_sequence(name, "id"))).scalar()
    if given is not None:
        largest = sa.select(sa.func.max(sa.column("id"))).select_from(sa.table(name)).scalar_subquery()
        connection.execute(sa.select(sa.func.setval(given, sa.func.coalesce(largest, 1), largest.is_not(None))))


def _batches(columns: Sequence[str], rows: Iterator[Sequence[object]]) -> Iterator[list[dict[str, object]]]:
    while batch := [dict(zip(columns, row, strict=True)) for row in islice(rows, _BATCH)]:
        yield batch


def _line(values: Sequence[object]) -> bytes:
    return json.dumps(values).encode() + b"\n"
