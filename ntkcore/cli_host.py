"""Commands of whoever keeps a server: a backup, and putting it back."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from ntkcore.settings import settings

_KEPT = {
    "saved_analysis": "saved analyses",
    "note": "notes",
    "image_tag": "tags",
    "label_decision": "labelling decisions",
    "person": "people",
}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add them to the command line."""
    told = "write one file that holds the library, imported sets and the results that saved analyses show, or that are pinned"
    backup = commands.add_parser("backup", help=told)
    backup.add_argument("file", type=Path, help="where; it takes the place of an older file when it is whole")
    backup.set_defaults(run=_backup)

    restore = commands.add_parser("restore", help="put a backup back, also into a library on another database")
    restore.add_argument("file", type=Path, help="of a backup")
    restore.add_argument("--replace", action="store_true", help="put its library in the place of one in which something is kept")
    restore.set_defaults(run=_restore)


def _backup(options: argparse.Namespace) -> int:
    from ntkcore.analyses.words import size
    from ntkcore.backup import back_up

    made = back_up(options.file, settings(), _tell)
    _tell("")
    for note in made.notes:
        print(note)
    print(f"{options.file}, {size(made.bytes)}: {_rows(made.rows)}; {made.sets:,} imported sets; {made.results:,} results.")
    return 0


def _restore(options: argparse.Namespace) -> int:
    from ntkcore.backup import restore

    found = restore(options.file, settings(), replace=options.replace, tell=_tell)
    _tell("")
    sets, results = (f"{new:,} of {count:,}" for new, count in (found.sets, found.results))
    print(f"Restored: {_rows(found.rows)}; {sets} imported sets and {results} results were not here yet.")
    return 0


def _rows(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts.get(table, 0):,} {name}" for table, name in _KEPT.items())


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{what}\033[K", end="\r", file=sys.stderr, flush=True)
