"""A little disk space set aside, so that a job which fills the disk can still be recorded as failed."""

import os
from contextlib import suppress
from pathlib import Path

from ntkcore.private import open_private

SIZE = 8 * 2**20  # bytes: SQLite's write-ahead log grows to 4 MiB before it is folded back


class Reserve:
    """A file of no use that is removed when the disk is full."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def hold(self) -> None:
        """Set the space aside if it is not; on a disk without room nothing is, and nothing is said."""
        if self._path.exists():
            return
        try:
            with open_private(self._path, "wb") as file:
                file.write(os.urandom(SIZE))  # not zeros, which some file systems do not keep
        except OSError:
            self.release()

    def release(self) -> None:
        """Free the space."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
