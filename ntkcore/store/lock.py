"""One holder at a time across threads and processes of a machine, let go by the system when the holder dies (flock).

Not filelock: it keeps its files, or takes five times as long to remove them, and where there is no flock it falls back on a file that
outlives its holder. A worker's lock, which a child inherits and others look at, needs flock in any case.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ntkcore.private import FILE, make_private
from ntkcore.store.files import guarded

_POLL = 0.1  # seconds between attempts to get a lock


class Busy(Exception):
    """Somebody else holds the lock."""


@contextmanager
def exclusive(path: Path, *, wait: bool = True, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock file ``path``; it exists only while somebody holds it.

    Args:
        path: the lock file; made when missing.
        wait: wait for another holder, else raise at once.
        waiting: called about ten times a second while waiting; may raise, e.g. ``Cancelled``.

    Raises:
        Busy: held by another, and ``wait`` is false.
        StoreError: the folder cannot be written.
    """
    with guarded(path.parent):
        make_private(path.parent)
        handle = _attempt(path)
    while handle is None:
        if not wait:
            raise Busy(str(path))
        if waiting is not None:
            waiting()
        time.sleep(_POLL)
        with guarded(path.parent):
            handle = _attempt(path)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            path.unlink()
        os.close(handle)


def _attempt(path: Path) -> int | None:
    """The open, locked file, or None when another holds it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, FILE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The last holder may have removed the file between our open and our lock: then ours is another file.
            if os.fstat(handle).st_ino == path.stat().st_ino:
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
