"""Putting a backup back: all of it is compared with its hashes and lies on the disk before anything changes.

What is there stays: sets and results are added, by their content, beside those that are there. The library counts last, in one step. So
where a restoring is killed, the library is what it was; sets and results that had their place by then are no harm, and are found there by
the next attempt.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ntkcore.backup import archive, rows
from ntkcore.backup.make import LIBRARY, RESULTS, SETS, THUMBNAILS
from ntkcore.data.own_store import take_in
from ntkcore.data.thumbnails import take_in_pack
from ntkcore.errors import LibraryError, StoreError
from ntkcore.library import LOCAL, Library
from ntkcore.library.database import knows
from ntkcore.library.tables import METADATA, PEOPLE, VISITS
from ntkcore.private import make_private
from ntkcore.settings import Settings
from ntkcore.store import Store
from ntkcore.store.files import free_bytes
from ntkcore.store.lock import exclusive

_STAGE = "restoring"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back.

    Attributes:
        rows: of each table of the library.
        sets, results: how many of the backup's were not there, and how many there are in it.
    """

    rows: Mapping[str, int]
    sets: tuple[int, int]
    results: tuple[int, int]


def restore(path: Path, settings: Settings, *, replace: bool = False, tell: Callable[[str], None] = lambda _: None) -> Restored:
    """Put a backup back; where this fails nothing of the library has changed.

    Args:
        path: the file.
        settings: of the installation that gets it; its database may be another than the one that was backed up.
        replace: put the backup's library in the place of one in which something is kept.
        tell: called with what is done next.

    Raises:
        DataError: the file is damaged, no backup, or of a later version of this program.
        LibraryError: there is something in this library; it is damaged, or cannot be reached.
        StoreError: the disk refuses, or is too full.
    """
    told = archive.about(path)
    schema, tables = _checked(told, path)
    library = Library(settings)
    stage = settings.cache_dir / _STAGE
    try:
        alone = exclusive(settings.cache_dir / "locks" / "restore.lock")
        with alone, archive.refused("nothing was restored", settings.cache_dir), _emptied(stage):
            if not replace:
                _require_empty(library)
            _require_room(path, settings)
            tell("compare every file with its hash")
            times = archive.unpack(path, stage)
            if any(not (stage / LIBRARY / f"{table}.jsonl").is_file() for table in tables):
                raise archive.damaged(path)
            tell("read the library")
            with library.replaced(schema, lambda connection: _fill(connection, stage / LIBRARY, tables, path)):
                tell("put everything into its place")
                sets, results = _take_sets(stage / SETS, times, settings), _take_results(stage / RESULTS, settings)
                for pack in sorted((stage / THUMBNAILS).glob("*.pack")):
                    take_in_pack(pack, settings)
    finally:
        library.close()
    return Restored({str(name): int(count) for name, count in told["rows"].items()}, sets, results)


def _checked(told: Mapping[str, Any], path: Path) -> tuple[str, list[str]]:
    """Schema and tables of a backup, which this program must know."""
    schema, tables = told.get("schema"), told.get("tables")
    if not isinstance(schema, str) or not isinstance(tables, list) or not isinstance(told.get("rows"), dict):
        raise archive.damaged(path)
    if not knows(schema):
        raise archive.later(path)
    return schema, [str(table) for table in tables]


def _require_empty(library: Library) -> None:
    if library.file is not None and not library.file.exists():
        return
    found = []
    with library.reading() as connection:
        for table in METADATA.sorted_tables:
            asked = sa.select(sa.func.count()).select_from(table)
            count = connection.execute(asked.where(PEOPLE.c.id != LOCAL) if table is PEOPLE else asked).scalar_one()
            if count and table is not VISITS:  # that somebody looked is nothing to lose
                found.append(f"{count:,} of {table.name}")
    if found:
        raise LibraryError(
            f"This library is not empty: {', '.join(found)}.",
            "Make a backup of it first, then say --replace to put the other one in its place; nothing was restored.",
        )


def _require_room(path: Path, settings: Settings) -> None:
    need, free = path.stat().st_size, free_bytes(settings.cache_dir)
    if need > free:
        raise StoreError(
            f"Restoring needs {need / 1e6:,.0f} MB of disk, {free / 1e6:,.0f} MB are free.",
            "Free some disk space, or set NTK_CACHE_DIR to a larger disk; nothing was restored.",
            place=settings.cache_dir,
        )


def _fill(connection: sa.Connection, folder: Path, tables: list[str], path: Path) -> None:
    try:
        rows.fill(connection, folder, tables)
    except sa.exc.OperationalError:  # the disk, or the server: not what is written in the backup
        raise
    except (ValueError, StopIteration, sa.exc.StatementError) as error:
        raise archive.damaged(path) from error


def _take_sets(folder: Path, times: Mapping[str, float], settings: Settings) -> tuple[int, int]:
    found, new = sorted(folder.glob("*")), 0
    for item in found:
        time = times[f"{SETS}/{item.name}/set.json"]
        os.utime(item / "set.json", (time, time))  # says when it was imported
        new += take_in(item, settings)
    return new, len(found)


def _take_results(folder: Path, settings: Settings) -> tuple[int, int]:
    store = Store(settings.cache_dir, settings.disk_budget)
    store.retire()  # once for a cache, of what an earlier version left: not of what comes now
    found = sorted(folder.glob("*/*"))
    return sum(store.take_in(item, item.parent.name, item.name) for item in found), len(found)


@contextmanager
def _emptied(stage: Path) -> Iterator[None]:
    """A folder in which nothing lies, also nothing of a restoring that was killed; it is gone at the end."""
    shutil.rmtree(stage, ignore_errors=True)
    make_private(stage)
    try:
        yield
    finally:
        shutil.rmtree(stage, ignore_errors=True)
