"""One worker per device and lane of a machine: a lock file held as long as the worker lives."""

import fcntl
import json
import os
import re
import socket
import time
from pathlib import Path

from ntkcore.errors import AtlasError
from ntkcore.jobs.queue import Lane
from ntkcore.private import FILE, make_private
from ntkcore.store.files import guarded


def host() -> str:
    """This machine's name."""
    return socket.gethostname()


_QUICK = "-quick"


def worker_id(device: str, lane: Lane = "compute") -> str:
    """Id of a lane's worker for a device of this machine; the same after every restart."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", f"{host()}-{device}") + (_QUICK if lane == "quick" else "")


def lane_of_worker(worker: str) -> Lane:
    """The lane of a worker, by its id."""
    return "quick" if worker.endswith(_QUICK) else "compute"


def lock_path(cache_dir: Path, worker: str) -> Path:
    """The lock file of a worker."""
    return cache_dir / "workers" / f"{worker}.lock"


def take(path: Path, device: str) -> int:
    """Hold a worker's lock file until this process ends; returns the open file.

    Raises:
        AtlasError: another worker holds it, or the folder cannot be written.
    """
    with guarded(path.parent):
        make_private(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, FILE)
    for attempt in range(10):  # a look by held() takes it for a moment
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if attempt == 9:
                os.close(handle)
                raise AtlasError(
                    f"A worker for {device} is already running here{_holder(path)}.",
                    "One worker per device is enough; stop that one first.",
                ) from None
            time.sleep(0.05)
    os.ftruncate(handle, 0)
    os.write(handle, json.dumps({"pid": os.getpid(), "device": device}).encode())
    return handle


def held(path: Path) -> bool:
    """Whether some process holds the lock file."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def still_ours(path: Path, handle: int) -> bool:
    """Whether the lock file is still the one held; not when the cache folder was removed."""
    try:
        return path.stat().st_ino == os.fstat(handle).st_ino
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    try:
        return f" (process {json.loads(path.read_text())['pid']})"
    except (OSError, ValueError, KeyError):
        return ""
