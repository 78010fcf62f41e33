"""The real worker on real jobs: killed again and again in every kind of work, and with a full disk."""

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from nursery import Nursery
from recording import Recording

from ntkcore.analyses.active.analysis import ACTIVE
from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.convergence.analysis import CONVERGENCE
from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.information.drop.study import SUMMARY
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.materials.kernel import kernel_key
from ntkcore.analyses.materials.network import run_key
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.workspace import Workspace
from ntkcore.jobs import JobState, client
from ntkcore.settings import Settings
from ntkcore.specs.learnability import LearnabilitySpec

pytestmark = pytest.mark.kill

T = TypeVar("T")

# Long enough in training and in the kernel that a kill lands within: 20 epochs, 15 pairs of tiles, three hidden layers.
SPEC = LearnabilitySpec.model_validate({"dataset": {"n": 1200}, "model": {"width": 192, "depth": 3}, "training": {"epochs": 20}})
MEASURED = {("timing", "*"), ("active", "seconds")}  # artifacts that are nothing but seconds, and arrays that are


def wait_until(condition: Callable[[], T], seconds: float = 240.0) -> T:
    """The first true value of ``condition()``; the time is only a safeguard."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)  # to look is work, too, which the workers wait for
    return value


class Installation:
    """A cache with its queue, and real workers on it."""

    def __init__(self, cache: Path, nursery: Nursery, url: str | None = None) -> None:
        chosen: dict[str, Any] = {"device": "cpu", "threads": 1, "lease_seconds": 2.0, "start_worker": False}
        self.ws = Workspace(Settings(cache_dir=cache, database_url=url, **chosen))
        self.cache, self._url = cache, url
        self._nursery = nursery
        self._workers: list[int] = []

    def start(self) -> None:
        """A worker of its own."""
        self._workers.append(self._nursery.start(self.cache, self._url))

    def kill(self) -> None:
        """Kill the worker, and wait until it is gone."""
        self._nursery.kill(self._workers.pop())

    def ended(self, key: str) -> JobState:
        def over() -> JobState | None:
            time.sleep(0.1)
            state = self.ws.jobs.state(key)
            return state if state is not None and not state.active else None

        return wait_until(over)

    def names(self, kind: str, key: str = "*", where: str = "drafts", array: str = "*") -> list[Path]:
        """Files of finished tiles."""
        found = (self.cache / where).glob(f"{kind}/{key}/arrays/{array}/c/**/*")
        return sorted(path for path in found if path.name.isdigit() and path.is_file())

    def count(self, kind: str, array: str) -> int:
        """Finished tiles of all artifacts of a kind, also of those that are published."""
        return sum(len(self.names(kind, where=where, array=array)) for where in ("drafts", "artifacts"))

    def tiles(self, kind: str, key: str, where: str = "drafts") -> dict[str, tuple[int, bytes]]:
        """Finished tiles by name: when they were written, and their bytes."""
        folder = self.cache / where / kind / key / "arrays"
        found = {}
        for path in self.names(kind, key, where):
            with suppress(FileNotFoundError):
                found[str(path.relative_to(folder))] = (path.stat().st_mtime_ns, path.read_bytes())
        return found

    def arrays(self) -> dict[str, bytes]:
        """Every array file of every published artifact."""
        root = self.cache / "artifacts"
        found = (path for path in root.glob("*/*/arrays/**/*") if path.is_file())
        named = ((path, path.relative_to(root).parts) for path in found)  # kind, key, "arrays", array, ...
        return {str(Path(*parts)): path.read_bytes() for path, parts in named if not {(parts[0], "*"), (parts[0], parts[3])} & MEASURED}

    def finished(self) -> dict[str, tuple[int, bytes]]:
        """Every finished tile of every draft and artifact."""
        found = {}
        for where in ("drafts", "artifacts"):
            for folder in (self.cache / where).glob("*/*"):
                kind, key = folder.parts[-2:]
                found |= {f"{kind}/{key}/{name}": tile for name, tile in self.tiles(kind, key, where).items()}
        return found

    def close(self) -> None:
        while self._workers:
            self.kill()
        self.ws.jobs.close()


@pytest.fixture(scope="module", autouse=True)
def one_lane():
    """However little a job takes, it waits for the worker that is killed: a second one would do it in peace."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "queue_for", lambda seconds: "compute")
        yield


@pytest.fixture(scope="module")
def nursery():
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def installation(nursery):
    yield from _installations(nursery)


def _installations(nursery: Nursery) -> Iterator[Callable[..., Installation]]:
    made: list[Installation] = []

    def make(cache: Path, url: str | None = None) -> Installation:
        made.append(Installation(cache, nursery, url))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def peaceful(nursery, tmp_path_factory):
    """One that does all work in peace, once for all who are compared with it."""
    for make in _installations(nursery):
        whole = make(tmp_path_factory.mktemp("peaceful"))
        asked(whole, ALL)
        whole.start()
        yield whole


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_in_training_and_in_the_kernel_it_ends_in_the_same_bytes(request, tmp_path, installation, database):
    url = request.getfixturevalue("postgresql").database() if database == "postgresql" else None
    whole, broken = installation(tmp_path / "whole"), installation(tmp_path / "broken", url)
    job = LEARNABILITY.request(SPEC, broken.ws)
    assert LEARNABILITY.request(SPEC, whole.ws).id == job.id
    whole.start()
    training, kernel = ("training", run_key(SPEC.run, broken.ws)), ("kernel", kernel_key(SPEC.kernel, broken.ws))

    broken.start()
    wait_until(lambda: len(broken.names(*training)) >= 5)
    broken.kill()
    epochs = broken.tiles(*training)
    assert 5 <= len(epochs) < SPEC.training.epochs
    assert not broken.arrays()

    broken.start()
    wait_until(lambda: len(broken.names(*kernel)) >= 3)
    broken.kill()
    done = broken.tiles(*kernel)
    # A tile and its mirror image are one piece of work; a kill between the two leaves it to be done again.
    finished = {name for name in done if _mirrored(name) in done}
    assert 1 <= len(finished) < 25 and len(done) - len(finished) <= 1
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


def _mirrored(tile: str) -> str:
    start, row, column = tile.rsplit("/", 2)
    return f"{start}/{column}/{row}"


PAIR = {"dataset": {"classes": ("3", "8"), "n": 40}, "test": 6}
VERIFIED = {"influence": PAIR, "removed": tuple(range(12)), "ridge": 0.1, "time": 20.0, "width": 1024}
DROPPED = {"influence": {"dataset": {"n": 150}, "test": 20}, "test": 20, "ridge": 0.1, "seeds": 2, "shares": (20, 50, 80)}
ADDED = {"influence": {"dataset": {"n": 80}, "test": 300, "kernel": "full", "model": {"width": 64}}}  # 15 pairs of tiles
COMPARED = {"dataset": {"classes": ("3", "5", "8"), "n": 40}, "test": 10, "depth": 1, "widths": (64, 128), "looks": (0, 2), "seeds": 2}
LEARNED = {"dataset": {"n": 600}, "model": {"width": 96, "depth": 2}, "training": {"epochs": 20}}
COMPETING = {
    "dataset": {"classes": ("3", "5", "8"), "n": 150},
    "test": 50,
    "model": {"width": 32},
    "training": {"epochs": 40},
    "start": 12,
    "query": 6,
    "cycles": 4,
    "pool": 80,
    "seeds": 2,
    "warm": True,
}
Work = Sequence[tuple[Analysis[Any, Any, Any], dict[str, Any], tuple[str, str]]]
# What is computed, and the artifact and its array in whose making it is killed.
OTHERS: Work = (
    (VERIFICATION, VERIFIED, ("verification", "outputs")),
    (SUMMARY, DROPPED, (SUMMARY.kind, "*")),
    (CONVERGENCE, COMPARED, ("comparison", "*")),
    (ACTIVE, COMPETING, ("active", "*")),
    (ADDITION, ADDED, ("addition", "k_held")),
)
ALL: Work = (*OTHERS, (LEARNABILITY, LEARNED, ("training", "*")), (LEARNABILITY, LEARNED, ("kernel", "*")))


def test_killed_in_other_kinds_of_work_it_keeps_what_is_finished(tmp_path, installation):
    """Once in each; with the two kills above seven."""
    whole = installation(tmp_path / "whole")
    asked(whole, OTHERS)
    whole.start()
    killed(whole, installation(tmp_path / "broken"), OTHERS, random.Random(0))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_killed_a_hundred_and_forty_times(tmp_path, peaceful, installation, seed):
    """Twenty times in each of seven kinds of work, at a moment as it comes."""
    killed(peaceful, installation(tmp_path / "broken"), ALL, random.Random(seed))


def asked(installed: Installation, work: Work) -> set[str]:
    """Queue each piece of work; the keys of the jobs."""
    keys = set()
    for analysis, given, _ in work:
        spec = analysis.spec.model_validate(given)
        if analysis.after is not None:  # it hangs on another's result
            analysis.after.compute(spec.influence, installed.ws, Recording())
        keys.add(analysis.request(spec, installed.ws).id)
    return keys


def killed(whole: Installation, broken: Installation, work: Work, rng: random.Random) -> None:
    """A worker killed in each piece of work, when some tiles of it are finished, ends in the bytes of one that works in peace."""
    jobs = asked(broken, work)
    kept = []
    for _, _, (kind, array) in work:
        broken.start()
        least = rng.randint(1, 3)
        wait_until(lambda kind=kind, array=array, least=least: broken.count(kind, array) >= least)
        time.sleep(rng.uniform(0, 0.01))
        broken.kill()
        kept.append(broken.finished())
    broken.start()
    for installed in (whole, broken):
        assert all(installed.ended(job).status == "done" for job in jobs)
    assert broken.arrays() == whole.arrays()
    at_last = broken.finished()
    for finished in kept:
        again = {name for name, tile in finished.items() if at_last.get(name, tile) != tile}  # scratch arrays are dropped at last
        # One piece alone may be written again: the one between whose tiles the kill came.
        assert len({_piece(name) for name in again}) <= 1, again
    assert not list((broken.cache / "drafts").rglob("*.json")) and not list(broken.cache.rglob("*.tmp"))


def _piece(tile: str) -> tuple[str, str, str]:
    """Kind and key of its artifact, and the first index of the tile."""
    kind, key, *_, name = tile.split("/")
    return kind, key, tile.rpartition("/c/")[2].split("/")[0] or name


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
        wait_until(lambda: len(small.names(*training)) >= 3)
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
