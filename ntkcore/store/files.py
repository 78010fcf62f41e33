"""Files that survive a crash: written aside, synced, renamed; checksummed; errors of the disk said in plain words."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import google_crc32c

from ntkcore.errors import StoreError
from ntkcore.private import FOLDER, open_private

_FULL = {errno.ENOSPC: "The disk is full", errno.EDQUOT: "The disk quota is used up", errno.EFBIG: "A file would pass the allowed size"}
_DENIED = {errno.EROFS, errno.EACCES, errno.EPERM}


class Damaged(Exception):
    """A file whose content does not match its checksum, or is missing where it must be."""


def crc32c(data: bytes | memoryview) -> int:
    """CRC-32C (Castagnoli) of ``data``, as in Zarr's crc32c codec."""
    return int(google_crc32c.value(bytes(data) if isinstance(data, memoryview) else data))


def free_bytes(folder: Path) -> int:
    """Bytes free for this user on the disk of ``folder`` (which need not exist yet)."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


@contextmanager
def guarded(folder: Path, need: int = 0) -> Iterator[None]:
    """Turn a disk that is full, limited or refuses into a ``StoreError`` that says what to do.

    Args:
        folder: where something is written.
        need: bytes it takes, for the message; 0 = unknown.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            wanted = f"{_size(need)} are needed" if need else "writing failed"
            raise StoreError(
                f"{_FULL[error.errno]}: {wanted}, {_size(free_bytes(folder))} are free.",
                "Free space there, raise the limit, or set NTK_CACHE_DIR to a larger disk; then compute again: finished parts are kept.",
                place=folder,
            ) from error
        if error.errno in _DENIED:
            raise StoreError(
                f"Access to the files that are kept is not allowed{' (the disk is read-only)' if error.errno == errno.EROFS else ''}.",
                "Give this program's user the right to read and write there, or set NTK_CACHE_DIR to another folder.",
                place=folder,
            ) from error
        raise StoreError(
            f"The disk reported an error: {error.strerror or type(error).__name__}.", "Check the disk, then compute again.", place=folder
        ) from error


def make_folder(folder: Path) -> None:
    """``mkdir -p``, durable: each new folder's entry is synced in its parent."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(FOLDER, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the entries of ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` all or nothing; when this returns, it survives a power cut.

    Raises:
        StoreError: disk full, quota, size limit, no permission; ``path`` is then as it was.
    """
    with guarded(path.parent, len(data)):
        make_folder(path.parent)
        temporary = path.parent / f".{path.name}.{uuid4().hex}.tmp"
        try:
            with open_private(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def remove_temporaries(folder: Path) -> None:
    """Remove what a killed process was writing under ``folder``."""
    for path in folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)


def tree_bytes(folder: Path) -> int:
    """Bytes of all files under ``folder``; one that disappears meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                total += path.stat().st_size
    return total


def write_json(path: Path, content: Any) -> None:
    """Write JSON with its checksum, durably.

    Raises:
        TypeError, ValueError: ``content`` is not JSON.
    """
    plain = json.loads(json.dumps(content))
    write_durably(path, json.dumps({"crc32c": crc32c(_canonical(plain)), "content": plain}, indent=1, ensure_ascii=False).encode())


def read_json(path: Path) -> Any:
    """Read what :func:`write_json` wrote.

    Raises:
        Damaged: missing, truncated or changed.
    """
    try:
        envelope = json.loads(path.read_bytes())
        content, written = envelope["content"], envelope["crc32c"]
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError) as error:
        raise Damaged(str(path)) from error
    if crc32c(_canonical(content)) != written:
        raise Damaged(str(path))
    return content


def with_checksum(data: bytes) -> bytes:
    """``data`` followed by its CRC-32C in four little-endian bytes: Zarr's crc32c codec."""
    return data + crc32c(data).to_bytes(4, "little")


def read_checked(path: Path) -> bytes:
    """Read a file of :func:`with_checksum` and return the data without the checksum.

    Raises:
        Damaged: missing, truncated or changed.
    """
    try:
        stored = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Damaged(str(path)) from error
    if len(stored) < 4 or crc32c(stored[:-4]) != int.from_bytes(stored[-4:], "little"):
        raise Damaged(str(path))
    return stored[:-4]


def _canonical(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _size(count: int) -> str:
    value = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
