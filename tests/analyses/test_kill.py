"""The real worker on real jobs: killed, doubled, and with a full disk."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.materials.kernel import kernel_key
from ntkcore.analyses.materials.network import run_key
from ntkcore.analyses.workspace import Workspace
from ntkcore.jobs import JobState
from ntkcore.settings import Settings
from ntkcore.specs.learnability import LearnabilitySpec

pytestmark = pytest.mark.kill

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
# Long enough in training and in the kernel that a kill lands within: 20 epochs, 15 pairs of tiles, three hidden layers.
SPEC = LearnabilitySpec.model_validate({"dataset": {"n": 1200}, "model": {"width": 192, "depth": 3}, "training": {"epochs": 20}})


def wait_until(condition: Callable[[], T], seconds: float = 90.0) -> T:
    """The first true value of ``condition()``; the time is only a safeguard."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)
    return value


class Installation:
    """A cache with its queue, and real workers on it."""

    def __init__(self, cache: Path, **more: Any) -> None:
        self.ws = Workspace(Settings(cache_dir=cache, device="cpu", threads=1, lease_seconds=2.0, start_worker=False, **more))
        self.cache = cache
        self.workers: list[subprocess.Popen] = []

    def start(self) -> subprocess.Popen:
        environment = os.environ | {"NTK_CACHE_DIR": str(self.cache), "NTK_DEVICE": "cpu", "NTK_THREADS": "1", "NTK_LEASE_SECONDS": "2"}
        command = [sys.executable, "-m", "ntkcore", "worker"]
        worker = subprocess.Popen(command, cwd=ROOT, env=environment)
        self.workers.append(worker)
        return worker

    def ended(self, key: str) -> JobState:
        def over() -> JobState | None:
            time.sleep(0.1)
            state = self.ws.jobs.state(key)
            return state if state is not None and not state.active else None

        return wait_until(over)

    def tiles(self, kind: str, key: str, where: str = "drafts") -> dict[str, tuple[int, bytes]]:
        """Finished tiles by name: when they were written, and their bytes."""
        folder = self.cache / where / kind / key / "arrays"
        found = {}
        for path in sorted(folder.rglob("*")):
            with suppress(FileNotFoundError):
                if path.is_file() and not path.name.startswith(".") and path.name != "zarr.json":
                    found[str(path.relative_to(folder))] = (path.stat().st_mtime_ns, path.read_bytes())
        return found

    def arrays(self) -> dict[str, bytes]:
        """Every array file of every published artifact."""
        root = self.cache / "artifacts"
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file() and "arrays" in p.parts}

    def close(self) -> None:
        for worker in self.workers:
            with suppress(ProcessLookupError):
                worker.kill()
            worker.wait()
        self.ws.jobs.close()


@pytest.fixture
def installation(tmp_path):
    made: list[Installation] = []

    def make(cache: Path) -> Installation:
        made.append(Installation(cache))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_killed_in_training_and_in_the_kernel_it_ends_in_the_same_bytes(tmp_path, installation):
    whole, broken = installation(tmp_path / "whole"), installation(tmp_path / "broken")
    job = LEARNABILITY.request(SPEC, broken.ws)
    assert LEARNABILITY.request(SPEC, whole.ws).id == job.id
    whole.start()
    training, kernel = ("training", run_key(SPEC.run, broken.ws)), ("kernel", kernel_key(SPEC.kernel, broken.ws))

    worker = broken.start()
    wait_until(lambda: len(broken.tiles(*training)) >= 5)
    _kill(worker)
    epochs = broken.tiles(*training)
    assert 5 <= len(epochs) < SPEC.training.epochs
    assert not broken.arrays()

    worker = broken.start()
    wait_until(lambda: len(broken.tiles(*kernel)) >= 4)
    _kill(worker)
    done = broken.tiles(*kernel)
    # A tile and its mirror image are one piece of work; a kill between the two leaves it to be done again.
    finished = {name for name in done if _mirrored(name) in done}
    assert 2 <= len(finished) < 25 and len(done) - len(finished) <= 1
    assert {path.split("/")[0] for path in broken.arrays()} == {"training", "diagonal"}

    broken.start()
    state = broken.ended(job.id)
    assert (state.status, state.deaths) == ("done", 2)
    assert whole.ended(job.id).status == "done"

    assert broken.arrays() == whole.arrays()
    kinds = {kind for kind, _ in LEARNABILITY.artifacts(SPEC, broken.ws)}
    assert kinds <= {path.split("/")[0] for path in broken.arrays()}
    kept = broken.tiles(*training, where="artifacts")
    assert {name: kept[name] for name in epochs} == epochs  # not written again: neither bytes nor time changed
    kept = broken.tiles(*kernel, where="artifacts")
    assert {name: kept[name] for name in finished} == {name: done[name] for name in finished}
    assert not list((broken.cache / "drafts").rglob("*.json")) and not list(broken.cache.rglob("*.tmp"))


def _kill(worker: subprocess.Popen) -> None:
    assert worker.poll() is None
    worker.kill()
    worker.wait()


def _mirrored(tile: str) -> str:
    start, row, column = tile.rsplit("/", 2)
    return f"{start}/{column}/{row}"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_fills_up_fails_the_job_which_goes_on_when_there_is_room(tmp_path, installation):
    disk = tmp_path / "disk"
    disk.mkdir()
    small = installation(disk / "cache")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    spec = SPEC.model_copy(update={"dataset": SPEC.dataset.model_copy(update={"n": 300})})
    try:
        job = LEARNABILITY.request(spec, small.ws)
        training = ("training", run_key(spec.run, small.ws))
        small.start()
        wait_until(lambda: len(small.tiles(*training)) >= 3)
        _fill(disk / "ballast")  # somebody else takes the space while the job runs
        state = small.ended(job.id)
        assert state.status == "failed"
        assert "disk is full" in state.message and "Free space" in state.remedy
        assert not LEARNABILITY.ready(spec, small.ws) and not small.ws.store.entries() and not list(disk.rglob("*.tmp"))
        done = small.tiles(*training)
        (disk / "ballast").unlink()
        assert LEARNABILITY.request(spec, small.ws).id == job.id
        assert small.ended(job.id).status == "done"
        assert LEARNABILITY.ready(spec, small.ws)
        assert all(not small.ws.store.verify(kind, key) for kind, key in LEARNABILITY.artifacts(spec, small.ws))
        kept = small.tiles(*training, where="artifacts")
        assert {name: kept[name] for name in done} == done
    finally:
        small.close()
        subprocess.run(["umount", disk], check=True)


def _fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file:
        for block in (2**20, 2**12):
            with suppress(OSError):
                while True:
                    file.write(bytes(block))


ENSURE = """
import sys
from ntkcore.jobs import ensure_worker
from ntkcore.settings import settings
sys.stdin.readline()
for _ in range(3):
    ensure_worker(settings())
"""


def test_two_apps_starting_at_once_start_one_worker(tmp_path, installation):
    one = installation(tmp_path / "cache")
    environment = os.environ | {"NTK_CACHE_DIR": str(one.cache), "NTK_DEVICE": "cpu", "NTK_THREADS": "1"}
    apps = [subprocess.Popen([sys.executable, "-c", ENSURE], cwd=ROOT, env=environment, stdin=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for app in apps:
            assert app.stdin is not None
            app.stdin.write("go\n")
            app.stdin.flush()
        for app in apps:
            app.communicate(timeout=60)
            assert app.returncode == 0
        (worker,) = wait_until(one.ws.jobs.workers)
        assert worker.alive
        assert _workers_of(one.cache) == [worker.pid]
        # It computes: the app that started it is gone.
        spec = LearnabilitySpec.model_validate(
            {"dataset": {"classes": ("0", "1"), "n": 40}, "model": {"width": 4}, "training": {"epochs": 1}}
        )
        job = LEARNABILITY.request(spec, one.ws)
        assert job.id == LEARNABILITY.key(spec, one.ws)
        assert one.ended(job.id).status == "done"
        assert _workers_of(one.cache) == [worker.pid]
    finally:
        for pid in _workers_of(one.cache):
            os.kill(pid, signal.SIGKILL)


def _workers_of(cache: Path) -> list[int]:
    """Worker processes whose cache this is."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            command = (folder / "cmdline").read_bytes().split(b"\0")
            if b"worker" in command and f"NTK_CACHE_DIR={cache}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
