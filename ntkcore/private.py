"""Files and folders that are their owner's alone (0600 and 0700), from their first moment on, whatever the process's umask is."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal

FILE, FOLDER = 0o600, 0o700
_MARK = "owner-only"


def open_private(path: Path, mode: Literal["wb", "ab"]) -> BinaryIO:
    """As ``path.open(mode)``; a file that it makes is its owner's alone."""
    return open(path, mode, opener=_made)


def touch_private(path: Path) -> None:
    """As ``path.touch()``."""
    path.touch(FILE)


def make_private(folder: Path) -> None:
    """As ``mkdir -p``; every folder that it makes is its owner's alone."""
    if folder.is_dir():
        return
    make_private(folder.parent)
    folder.mkdir(FOLDER, exist_ok=True)


def close_tree(folder: Path) -> None:
    """Make a folder and all in it their owner's alone; links are not followed, and what is another user's stays as it is."""
    for place, folders, files in os.walk(folder):
        for names, mode in ((folders, FOLDER), (files, FILE)):
            for name in names:
                _chmod(Path(place, name), mode)
    _chmod(folder, FOLDER)


def close_file(path: Path) -> None:
    """Make a file, if it is there, its owner's alone: for those that others make, which do not ask."""
    _chmod(path, FILE)


def close_cache(cache: Path) -> None:
    """Make the cache folder, and once all that was put into it before, its owner's alone."""
    make_private(cache)
    mark = cache / _MARK
    if mark.exists() and stat.S_IMODE(cache.stat().st_mode) == FOLDER:
        return
    close_tree(cache)
    touch_private(mark)


def _made(path: str, flags: int) -> int:
    return os.open(path, flags, FILE)


def _chmod(path: Path, mode: int) -> None:
    with suppress(OSError):  # gone meanwhile, or another user's
        found = path.lstat().st_mode
        if not stat.S_ISLNK(found) and stat.S_IMODE(found) != mode:
            path.chmod(mode)
