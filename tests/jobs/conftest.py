"""Workers as processes of their own, stopped when the test ends."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ntkcore.jobs import Jobs
from ntkcore.settings import Settings

SCRIPT = Path(__file__).with_name("worker_script.py")
ROOT = Path(__file__).resolve().parents[2]
LEASE = 1.5


def wait_until(condition, seconds=240.0):
    """The first true value of ``condition()``; the time is only a safeguard."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.03)
    return value


class Bench:
    """A cache folder with its job queue, in a file of its own or in a database; and workers to start and kill."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.settings = Settings(cache_dir=folder, device="cpu", lease_seconds=LEASE, database_url=url)
        self.jobs = Jobs(self.settings)
        self.processes: list[subprocess.Popen] = []

    def start(self, device="cpu", lane="compute") -> subprocess.Popen:
        url = self.settings.database_url
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | ({"NTK_DATABASE_URL": url} if url else {})
        command = [sys.executable, str(SCRIPT), str(self.folder), device, str(LEASE), "--lane", lane]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def state(self, key):
        state = self.jobs.state(key)
        assert state is not None
        return state

    def ended(self, key):
        """The job's state once it has ended."""
        wait_until(lambda: not self.state(key).active)
        return self.state(key)

    def running(self, key, stage_done=1):
        """The job's state once it has done something."""
        wait_until(lambda: self.state(key).status == "running" and self.state(key).stage_done >= stage_done)
        return self.state(key)

    def close(self) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError):
                process.kill()
            process.communicate()
        self.jobs.close()


DATABASES = pytest.mark.parametrize("bench", ["sqlite", "postgresql"], indirect=True)
"""Of a test of the bench: once on each database."""


@pytest.fixture
def bench(request, tmp_path):
    server = request.getfixturevalue("postgresql") if getattr(request, "param", "sqlite") == "postgresql" else None
    made = Bench(tmp_path / "cache", server.database() if server else None)
    yield made
    made.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A bench with one worker that runs, for the tests that do not kill it."""
    made = Bench(tmp_path_factory.mktemp("served") / "cache")
    made.start()
    yield made
    made.close()
