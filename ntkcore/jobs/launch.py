"""Starting a worker with the app."""

import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from ntkcore.jobs.device_lock import held, host, lock_path, worker_id
from ntkcore.settings import Settings
from ntkcore.store.files import guarded

_ROOT = Path(__file__).resolve().parents[2]


def ensure_worker(settings: Settings, command: Sequence[str] = (sys.executable, "-m", "ntkcore", "worker")) -> None:
    """Start a worker process for this machine unless one runs or is being started; it outlives this process.

    Cheap when there is nothing to do; safe to call from several processes at once.

    Args:
        settings: passed on to the worker through its environment.
        command: the worker's command line.

    Raises:
        StoreError: the cache folder cannot be written.
    """
    folder = settings.cache_dir / "workers"
    with guarded(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # Held by the worker we start, from its first moment to its end: it inherits the open file.
        handle = os.open(folder / f"started-{host()}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _runs(settings):
            _start(settings, command, handle)
    except BlockingIOError:
        return
    finally:
        os.close(handle)


def _runs(settings: Settings) -> bool:
    """Whether somebody started a worker of this machine by hand."""
    if settings.device != "auto":
        return held(lock_path(settings.cache_dir, worker_id(settings.device)))
    return any(held(path) for path in (settings.cache_dir / "workers").glob(f"{worker_id('')}*.lock"))


def _start(settings: Settings, command: Sequence[str], handle: int) -> None:
    logs = settings.cache_dir / "logs"
    with guarded(logs):
        logs.mkdir(parents=True, exist_ok=True)
        output = (logs / "worker-output.log").open("ab")
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


def _environment(settings: Settings) -> dict[str, str]:
    """This process's environment with every setting as it is here."""
    environment = dict(os.environ)
    for name, value in settings.model_dump(mode="json").items():
        variable = f"NTK_{name.upper()}"
        environment.pop(variable, None)
        if value is not None:
            environment[variable] = value if isinstance(value, str) else json.dumps(value)
    return environment
