"""Writing a backup: the library as it is at one moment, then what it and people keep of the store."""

import shutil
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from ntkcore.backup import archive, rows
from ntkcore.backup.archive import Writer
from ntkcore.data import open_pack, own_sets
from ntkcore.data.own_store import intact, set_folder
from ntkcore.library import Library
from ntkcore.library.database import schema_of
from ntkcore.library.tables import KEYS, VERSIONS
from ntkcore.private import FOLDER
from ntkcore.settings import Settings
from ntkcore.store import Store
from ntkcore.store.artifact import USED
from ntkcore.store.files import sync_folder

LIBRARY, SETS, RESULTS, THUMBNAILS = "library", "sets", "results", "thumbnails"
"""Folders of a backup."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup holds.

    Attributes:
        rows: of each table of the library.
        sets, results: how many of them.
        bytes: of all that is in it.
        notes: what is not in it and why, in sentences.
    """

    rows: Mapping[str, int]
    sets: int
    results: int
    bytes: int
    notes: tuple[str, ...]


def back_up(path: Path, settings: Settings, tell: Tell = lambda _: None) -> Made:
    """Write a backup to a file, which is there when it is whole, and then takes the place of an older one; people may go on working.

    Args:
        path: the file.
        settings: whose library, sets and results.
        tell: called with what is written next.

    Raises:
        StoreError: the disk refuses; LibraryError: the library is damaged, or cannot be reached.
    """
    library, store = Library(settings), Store(settings.cache_dir, settings.disk_budget)
    notes: list[str] = []
    try:
        with archive.refused("no backup was written", path.parent), _aside(path) as folder:
            with library.still(folder) as connection:
                schema, counts = schema_of(connection), rows.write(connection, folder)
                wanted = {(row.kind, row.key) for row in connection.execute(sa.select(KEYS.c.kind, KEYS.c.key).distinct())}
                packs = sorted(connection.execute(sa.select(VERSIONS.c.pack).distinct()).scalars())
            about = {"schema": schema, "tables": list(counts), "rows": counts}
            with archive.writing(folder / path.name, about) as out:
                for table in counts:
                    with (folder / f"{table}.jsonl").open("rb") as file:
                        out.add(f"{LIBRARY}/{table}.jsonl", file)
                sets = sum(_add_set(out, item.content_id, item.name, settings, notes, tell) for item in own_sets(settings))
                results = _add_results(out, store, wanted, notes, tell)
                for pack in filter(None, (open_pack(name, settings) for name in packs)):
                    with pack.path.open("rb") as file:
                        out.add(f"{THUMBNAILS}/{pack.path.name}", file)
            (folder / path.name).replace(path)
            sync_folder(path.parent)
    finally:
        library.close()
    return Made(counts, sets, results, out.bytes, tuple(notes))


def _add_set(out: Writer, content_id: str, name: str, settings: Settings, notes: list[str], tell: Tell) -> bool:
    """Add an imported set, and say what of it is not in the backup; whether it is in it."""
    folder = set_folder(content_id, settings)
    tell(f"set {name!r}")
    if not intact(content_id, settings):
        if folder.is_dir():  # else it was removed just now
            notes.append(f"The set {name!r} is damaged and not in the backup.")
        return False
    with ExitStack() as opened:
        try:
            files: list[tuple[str, BinaryIO]] = [
                (path.name, opened.enter_context(path.open("rb"))) for path in sorted(folder.iterdir()) if path.is_file()
            ]
        except FileNotFoundError:  # removed just now; what is open stays readable
            return False
        for file, content in files:
            out.add(f"{SETS}/{content_id}/{file}", content)
        if any(file == "links.json" for file, _ in files):
            notes.append(f"The set {name!r} refers to photographs in a folder of this server, which are not in the backup.")
    return True


def _add_results(out: Writer, store: Store, wanted: Collection[tuple[str, str]], notes: list[str], tell: Tell) -> int:
    """Add the results that saved analyses show, or that were pinned by hand; how many they are."""
    pinned = {(entry.kind, entry.key) for entry in store.entries() if entry.pinned}
    there, damaged = 0, 0
    for kind, key in sorted({*wanted, *pinned}):
        tell(f"result {key[:12]} ({kind})")
        with store.still(kind, key) as folder:
            if folder is None:
                continue
            if store.verify(kind, key):
                damaged += 1
                continue
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path != folder / USED:
                    with path.open("rb") as file:
                        out.add(f"{RESULTS}/{kind}/{key}/{path.relative_to(folder).as_posix()}", file)
            there += 1
    if damaged:
        notes.append(f"{damaged:,} of the results are damaged and not in the backup; they are computed anew when they are opened.")
    if missing := len({*wanted, *pinned}) - there - damaged:
        notes.append(f"{missing:,} of the results that saved analyses show are not stored, and not in the backup.")
    return there


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A folder beside the backup, on its disk, which is gone at the end."""
    folder = path.parent / f".{path.name}.{uuid.uuid4().hex}"
    folder.mkdir(FOLDER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
