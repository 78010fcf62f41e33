"""Files that grow by one blob after another, and can be gone on with where a stop or a kill has left them."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ntkcore.data.hashing import write_atomically
from ntkcore.data.import_common import too_big
from ntkcore.private import open_private

_NOTE = "half.json"
_CHUNK = 1 << 20


class Blobs:
    """A file that is being written: a beginning of fixed length, and blobs.

    Attributes:
        path: the file.
        ends: where each blob ends, in bytes from the first one's start.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.path, self._limit = path, limit
        self.ends: list[int] = []
        self._sum, self._start = hashlib.sha256(), 0
        self._file = open_private(path, "ab")  # what is there stays until it is begun or taken up

    def begin(self, start: bytes) -> None:
        """Say what the file begins with, which the SHA-256 leaves out."""
        self._start = len(start)
        if self._file.tell() < self._start:
            self._file.truncate(0)
            self._file.write(start)

    @property
    def sha256(self) -> str:
        """Of the blobs, hex."""
        return self._sum.hexdigest()

    def add(self, data: bytes) -> None:
        """Append a blob. Raises DataError: the file would be larger than allowed."""
        end = (self.ends[-1] if self.ends else 0) + len(data)
        if end > self._limit:
            raise too_big("The set", self._limit)
        self._sum.update(data)
        self._file.write(data)
        self.ends.append(end)

    def noted(self) -> dict[str, Any]:
        """How far it is, once all of that is on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return {"ends": self.ends, "sha256": self.sha256}

    def take_up(self, note: Mapping[str, Any]) -> bool:
        """Go on from a note: whether what it speaks of is there, and as it was written."""
        size = note["ends"][-1] if note["ends"] else 0
        with self.path.open("rb") as file:
            file.seek(self._start)
            found, left = hashlib.sha256(), size
            while left and (chunk := file.read(min(_CHUNK, left))):
                found.update(chunk)
                left -= len(chunk)
        if left or found.hexdigest() != note["sha256"]:
            return False
        self._file.truncate(self._start + size)
        self._sum, self.ends = found, list(note["ends"])
        return True

    def anew(self) -> None:
        """Forget all blobs."""
        self._file.truncate(self._start)
        self._sum, self.ends = hashlib.sha256(), []

    def end(self, start: bytes = b"") -> None:
        """Bring it all to the disk; ``start``, as long as before, takes the place of the beginning."""
        self._file.flush()
        if start:
            if len(start) != self._start:
                raise ValueError(f"start: expected {self._start} bytes, got {len(start)}")
            with self.path.open("r+b") as file:
                file.write(start)
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def save(folder: Path, blobs: Sequence[Blobs], done: int, more: Mapping[str, Any]) -> None:
    """Note how far the files of a folder are.

    Args:
        folder: theirs.
        blobs: all that grow.
        done: how much of what is written into them is done.
        more: whatever else is needed to go on.
    """
    note = {"done": done, "blobs": {blob.path.name: blob.noted() for blob in blobs}, "more": dict(more)}
    write_atomically(folder / _NOTE, json.dumps(note).encode())


def forget(folder: Path) -> None:
    """Remove the note: nothing is to be gone on with."""
    (folder / _NOTE).unlink(missing_ok=True)


def taken_up(folder: Path, blobs: Sequence[Blobs]) -> tuple[int, dict[str, Any]]:
    """What :func:`save` noted last, with the files as they were then; 0 and nothing where there is no note, or they are not whole.

    The note is gone afterwards.
    """
    path = folder / _NOTE
    try:
        note = json.loads(path.read_bytes())
        path.unlink()
        whole = all(blob.take_up(note["blobs"][blob.path.name]) for blob in blobs)
    except (OSError, ValueError, KeyError):
        whole = False
    if not whole:
        for blob in blobs:
            blob.anew()
        return 0, {}
    return int(note["done"]), dict(note["more"])
