"""SHA-256 of files, remembered by path, size and time of last change so that no file is read twice for it."""

import gzip
import hashlib
import json
import os
import uuid
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ntkcore.errors import DataError
from ntkcore.private import make_private, open_private
from ntkcore.settings import Settings

_CHUNK = 1 << 20
_MEMO = "hashes.json"
_MEMO_ENTRIES = 1000


def file_sha256(path: Path, settings: Settings, *, offset: int = 0) -> str:
    """SHA-256 (hex) of a file's bytes from ``offset`` on; of a ``.gz``, of what it unpacks to.

    So a file and its packed copy have one hash. The result is remembered in ``<cache_dir>/hashes.json``; a damaged or
    missing memory only costs the time to read the file again.

    Raises:
        DataError: the file cannot be read, or changed while it was read.
    """
    path = path.resolve()
    key = f"{path}@{offset}"
    try:
        before = path.stat()
        stamp = [before.st_size, before.st_mtime_ns]
        remembered = _read_memo(settings).get(key)
        if remembered is not None and remembered[:2] == stamp:
            return str(remembered[2])
        digest = hashlib.sha256()
        for chunk in _chunks(path, offset):
            digest.update(chunk)
        after = path.stat()
    except (OSError, EOFError, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged"
        raise DataError(f"{path.name} could not be read: {why}.", "Delete the file and download or copy it again.", place=path) from error
    if [after.st_size, after.st_mtime_ns] != stamp:
        raise DataError(f"{path.name} changed while it was read.", "Wait until it has been written, then try again.")
    _remember(settings, key, [*stamp, digest.hexdigest()])
    return digest.hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees either the old content or all of the new; the folder is made if it is missing."""
    make_private(path.parent)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open_private(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _chunks(path: Path, offset: int) -> Iterator[bytes]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(_CHUNK):
            yield chunk


def _read_memo(settings: Settings) -> dict[str, list[int | str]]:
    try:
        memo = json.loads((settings.cache_dir / _MEMO).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(memo, dict):
        return {}
    return {key: entry for key, entry in memo.items() if _is_entry(entry)}


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, list)
        and len(entry) == 3
        and isinstance(entry[0], int)
        and isinstance(entry[1], int)
        and isinstance(entry[2], str)
        and len(entry[2]) == 64
    )


def _remember(settings: Settings, key: str, entry: list[int | str]) -> None:
    memo = _read_memo(settings)
    memo.pop(key, None)
    memo[key] = entry
    kept = dict(list(memo.items())[-_MEMO_ENTRIES:])
    with suppress(OSError):  # the memory only saves time: a full or read-only disk must not stop the reading of data
        write_atomically(settings.cache_dir / _MEMO, json.dumps(kept).encode())
