"""Workers as forks of one process that has loaded everything: a start costs no importing, and a kill is a kill.

As a script: reads pairs of a cache folder and a database's address ("": a file) from its input, a line each; starts a worker on each and
prints its process id.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Nursery:
    """Starts real workers, and kills them."""

    def __init__(self) -> None:
        environment = os.environ | {"NTK_DEVICE": "cpu", "NTK_THREADS": "1", "NTK_LEASE_SECONDS": "2", "PYTHONPATH": str(ROOT)}
        self._mother = subprocess.Popen(
            [sys.executable, __file__], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._alive: set[int] = set()

    def start(self, cache: Path, url: str | None = None) -> int:
        """A worker on a cache, and on a database where it has one; its process id."""
        assert self._mother.stdin is not None and self._mother.stdout is not None
        self._mother.stdin.write(f"{json.dumps([str(cache), url or ''])}\n")
        self._mother.stdin.flush()
        pid = int(self._mother.stdout.readline())
        self._alive.add(pid)
        return pid

    def kill(self, pid: int) -> None:
        """kill -9, and wait until nothing is left of it."""
        os.kill(pid, signal.SIGKILL)
        self._alive.discard(pid)
        with suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                time.sleep(0.005)

    def close(self) -> None:
        """Kill them all."""
        for pid in tuple(self._alive):
            with suppress(ProcessLookupError):
                self.kill(pid)
        self._mother.kill()
        self._mother.communicate()


def _mother() -> None:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    import ntkcore.analyses.catalogue  # noqa: F401
    from ntkcore.cli import main
    from ntkcore.settings import settings

    torch.set_num_threads(1)  # no thread of this process may hold a lock when it forks
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a child that ends leaves nothing
    for line in sys.stdin:
        if child := os.fork():
            print(child, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ["NTK_CACHE_DIR"], url = json.loads(line)
        os.environ |= {"NTK_DATABASE_URL": url} if url else {}
        settings.cache_clear()
        os._exit(main(["worker", "--lane", "compute"]))


if __name__ == "__main__":
    _mother()
