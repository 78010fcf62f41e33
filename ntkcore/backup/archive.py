"""The file of a backup: a tar, not compressed, whose first member says what it is and whose last holds the SHA-256 of all the others.

So a file that was cut short has no last member, and nothing of a backup is used before all of it was compared. Times come from the last
member, too, since the headers of a tar are checked but weakly.
"""

import errno
import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

from ntkcore.errors import DataError, StoreError
from ntkcore.private import make_private, open_private

FORMAT = 1
ABOUT, HASHES = "about.json", "hashes.json"
_LARGEST = 1 << 26  # bytes of a member that is read as a whole
_CHUNK = 1 << 20
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")  # of a name: none begins with a dot, so none leads out of its folder


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Counted:
    """What is read of a file, with its SHA-256."""

    def __init__(self, source: _Readable) -> None:
        self._source, self.digest = source, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data


class Writer:
    """A backup that is being written; whole once it is sealed."""

    def __init__(self, tar: tarfile.TarFile, about: Mapping[str, Any]) -> None:
        self._tar, self._written = tar, dict[str, tuple[str, float]]()
        self.bytes = 0
        self._document(ABOUT, {**about, "format": FORMAT})

    def add(self, name: str, file: BinaryIO) -> None:
        """Add what is open under a name with ``/`` between its parts.

        Raises:
            OSError: it cannot be read, or the disk refuses.
        """
        if not _is_name(name):
            raise ValueError(f"name: expected letters, digits, '.', '-' and '_' between slashes, got {name!r}")
        told = os.fstat(file.fileno())
        self._add(name, file, told.st_size, told.st_mtime)

    def seal(self) -> None:
        """Write the hashes, after which nothing is added."""
        self._document(HASHES, self._written)

    def _document(self, name: str, content: Any) -> None:
        data = json.dumps(content).encode()
        self._add(name, BytesIO(data), len(data), 0.0)

    def _add(self, name: str, source: _Readable, size: int, time: float) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, int(time), 0o600
        counted = _Counted(source)
        self._tar.addfile(member, counted)
        self._written[name] = (counted.digest.hexdigest(), time)
        self.bytes += size


@contextmanager
def writing(path: Path, about: Mapping[str, Any]) -> Iterator[Writer]:
    """A new backup, sealed and synced when the block ends.

    Args:
        path: the file.
        about: JSON that can be read before all else is.

    Raises:
        OSError: the disk refuses.
    """
    with open_private(path, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            writer = Writer(tar, about)
            yield writer
            writer.seal()
        file.flush()
        os.fsync(file.fileno())


def about(path: Path) -> dict[str, Any]:
    """What a backup says of itself.

    Raises:
        DataError: it is none, or of a later version of this program.
    """
    with _opened(path) as tar:
        member = tar.next()
        if member is None or member.name != ABOUT or member.size > _LARGEST:
            raise damaged(path)
        found = _json(path, tar, member)
    if not isinstance(found, dict) or not isinstance(found.get("format"), int):
        raise damaged(path)
    if found["format"] > FORMAT:
        raise later(path)
    return found


def unpack(path: Path, folder: Path) -> dict[str, float]:
    """Put everything into a folder, and compare it with its hashes; the names, with the time (seconds since 1970) each file had.

    Raises:
        DataError: the backup is damaged.
        OSError: the disk refuses.
    """
    seen: dict[str, str] = {}
    with _opened(path) as tar:
        for member in tar:
            if member.name == HASHES:
                if member.size > _LARGEST + 200 * len(seen):
                    raise damaged(path)
                written = _json(path, tar, member)
                break
            if not member.isreg() or not _is_name(member.name) or member.name in seen:
                raise damaged(path)
            seen[member.name] = _put(tar, member, folder / member.name)
        else:
            raise damaged(path)
    try:
        times = {str(name): float(time) for name, (_, time) in written.items()}
        hashes = {str(name): str(digest) for name, (digest, _) in written.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise damaged(path) from error
    if hashes != seen:
        raise damaged(path)
    return times


def damaged(path: Path) -> DataError:
    """The error for what is no backup, or not as it was written."""
    return DataError(f"{path.name} is damaged, or is no backup of this program.", "Take another backup; nothing was restored.", place=path)


def later(path: Path) -> DataError:
    """The error for a backup that this program is too old for."""
    return DataError(
        f"{path.name} was made by a later version of this program.",
        "Restore it with that version, or a newer one; nothing was restored.",
        place=path,
    )


@contextmanager
def refused(outcome: str, place: Path) -> Iterator[None]:
    """Say what a disk refuses, and what has come of it: ``"nothing was restored"``."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StoreError(f"The disk is full; {outcome}.", "Free some disk space, or name another disk.", place=place) from error
        raise StoreError(
            f"The disk refuses ({error.strerror or type(error).__name__}); {outcome}.",
            "Check the disk, the folder and its permissions; then try again.",
            place=place,
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:") as tar:
            yield tar
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path.name}.", "Name the file of a backup.", place=path) from error
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise damaged(path) from error


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> str:
    """Write one member where it belongs; its SHA-256."""
    source = tar.extractfile(member)
    assert source is not None  # it is a regular file
    counted = _Counted(source)
    make_private(target.parent)
    with open_private(target, "wb") as file:
        while chunk := counted.read(_CHUNK):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return counted.digest.hexdigest()


def _json(path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    source = tar.extractfile(member)
    if source is None:
        raise damaged(path)
    return json.loads(source.read())


def _is_name(name: str) -> bool:
    return all(_PART.fullmatch(part) for part in name.split("/")) and str(PurePosixPath(name)) == name
