"""Starting workers, with the app or by hand, and starting them again when they have died."""

import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ntkcore.errors import AtlasError
from ntkcore.jobs.device_lock import held, lane_of_worker, lock_path, worker_id
from ntkcore.jobs.queue import QUEUES, Lane
from ntkcore.private import FILE, make_private, open_private
from ntkcore.settings import Settings
from ntkcore.store.files import guarded

_ROOT = Path(__file__).resolve().parents[2]
_LOOK = 1.0  # seconds between looks whether the workers live
_LONGEST = 60.0  # seconds at most before a worker is started again that died at once
_COMMAND = (sys.executable, "-m", "ntkcore", "worker")

_LOG = logging.getLogger("ntkcore.jobs")


def ensure_worker(settings: Settings, lane: Lane = "compute", command: Sequence[str] = _COMMAND) -> subprocess.Popen | None:
    """Start a worker process of a lane for this machine unless one runs or is being started; it outlives this process.

    Cheap when there is nothing to do; safe to call from several processes at once.

    Args:
        settings: passed on to the worker through its environment.
        lane: what it takes; said to it by ``--lane``.
        command: the worker's command line without it.

    Returns:
        The process, or None when there was nothing to do.

    Raises:
        StoreError: the cache folder cannot be written.
    """
    folder = settings.cache_dir / "workers"
    with guarded(folder):
        make_private(folder)
        # Held by the worker we start, from its first moment to its end: it inherits the open file.
        handle = os.open(folder / f"started-{worker_id(settings.device, lane)}.lock", os.O_RDWR | os.O_CREAT, FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return None if _runs(settings, lane) else _start(settings, (*command, "--lane", lane), handle)
    except BlockingIOError:
        return None
    finally:
        os.close(handle)


@dataclass(slots=True)
class _Pause:
    """When a lane's worker may be started again: at once, unless it dies at its start."""

    started: float = -_LONGEST
    seconds: float = _LOOK

    def over(self, now: float) -> bool:
        return now - self.started >= self.seconds

    def begin(self, now: float) -> None:
        lived = now - self.started > 2 * _LONGEST
        self.started, self.seconds = now, _LOOK if lived else min(2 * self.seconds, _LONGEST)


class Keeper:
    """Looks after a worker of each lane and starts it again when it has died, the later the more often it dies at its start."""

    def __init__(self, settings: Settings, command: Sequence[str] = _COMMAND) -> None:
        self._settings, self._command = settings, command
        self._pauses: dict[Lane, _Pause] = {lane: _Pause() for lane in QUEUES}
        self._stopped = threading.Event()
        self.processes: list[subprocess.Popen] = []

    def look(self) -> None:
        """Start what does not run.

        Raises:
            StoreError: the cache folder cannot be written.
        """
        for lane, pause in self._pauses.items():
            now = time.monotonic()
            if pause.over(now) and (process := ensure_worker(self._settings, lane, self._command)) is not None:
                pause.begin(now)
                self.processes = [one for one in self.processes if one.poll() is None] + [process]

    def keep(self) -> None:
        """Look once a second until told to stop."""
        said = False
        while not self._stopped.wait(_LOOK):
            try:
                self.look()
                said = False
            except AtlasError as error:
                if not said:
                    _LOG.warning("No worker can be started: %s %s", error.message, error.remedy)
                said = True

    def stop(self) -> None:
        """End :meth:`keep`; the workers go on."""
        self._stopped.set()


def serve(settings: Settings, command: Sequence[str] = _COMMAND) -> None:
    """Keep a worker of each lane running until this process is told to stop (SIGINT, SIGTERM); those it has started end with it.

    Call it in the main thread.

    Raises:
        AtlasError: both run already; or the cache folder cannot be written.
    """
    keeper = Keeper(settings, (*command, "--parent", str(os.getpid())))
    keeper.look()
    if not keeper.processes:
        raise AtlasError("The workers of this machine are already running.", "One for each device is enough; stop them first.")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: keeper.stop())
    keeper.keep()
    for process in keeper.processes:
        process.terminate()
    for process in keeper.processes:
        process.wait()


def _runs(settings: Settings, lane: Lane) -> bool:
    """Whether somebody started a worker of this lane and machine by hand."""
    if settings.device != "auto":
        return held(lock_path(settings.cache_dir, worker_id(settings.device, lane)))
    found = (settings.cache_dir / "workers").glob(f"{worker_id('')}*.lock")
    return any(lane_of_worker(path.stem) == lane and held(path) for path in found)


def _start(settings: Settings, command: Sequence[str], handle: int) -> subprocess.Popen:
    logs = settings.cache_dir / "logs"
    with guarded(logs):
        make_private(logs)
        output = open_private(logs / "worker-output.log", "ab")
    with output:
        process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env=_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(handle,),
        )
    threading.Thread(target=process.wait, name="worker-end", daemon=True).start()  # leaves no zombie
    return process


def _environment(settings: Settings) -> dict[str, str]:
    """This process's environment with every setting as it is here."""
    environment = dict(os.environ)
    for name, value in settings.model_dump(mode="json").items():
        variable = f"NTK_{name.upper()}"
        environment.pop(variable, None)
        if value is not None:
            environment[variable] = value if isinstance(value, str) else json.dumps(value)
    return environment
