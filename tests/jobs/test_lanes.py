"""Lanes: what takes seconds waits for nothing that takes hours; workers that die, or whose queue is damaged, come back by themselves."""

import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from ntkcore.errors import AtlasError
from ntkcore.jobs import Jobs, Keeper, device_lock, launch
from ntkcore.jobs.queue import QUEUES, lane_of, queue_for

from .conftest import SCRIPT, wait_until

pytestmark = pytest.mark.kill


def test_where_a_job_waits():
    assert [queue_for(seconds) for seconds in (None, 0.0, 9.9, 10.0, 1e6)] == ["compute", "quick", "quick", "compute", "compute"]
    assert [lane_of(queue) for queue in ("compute", "quick", "import", "", None)] == ["compute", "quick", "quick", "compute", "compute"]
    names = {lane: device_lock.worker_id("cuda:0", lane) for lane in QUEUES}
    assert len(set(names.values())) == len(QUEUES) and all(device_lock.lane_of_worker(name) == lane for lane, name in names.items())


def test_a_job_of_seconds_waits_for_none_of_hours(bench):
    bench.start()
    bench.start(lane="quick")
    endless = {"n": 100_000, "sleep": 0.05}
    bench.jobs.submit("steps", "hours", endless, "Forty networks", seconds=7200.0)
    bench.running("hours")
    bench.jobs.submit("steps", "long", {"n": 1, "sleep": 0.0}, "Long", seconds=600.0)
    bench.jobs.submit("steps", "next", {"n": 1, "sleep": 0.0}, "Next")
    bench.jobs.submit("steps", "import", endless, "An import", seconds=5.0, queue="import")
    bench.running("import")
    done = bench.jobs.submit("steps", "short", {"n": 1, "sleep": 0.0}, "Short", seconds=2.0)
    assert done.queue == "quick" and bench.ended("short").status == "done"
    assert bench.state("hours").status == bench.state("import").status == "running"

    waiting = bench.jobs.waiting(bench.state("next"))
    assert waiting.ahead == ("Forty networks", "Long") and waiting.served
    assert waiting.seconds == pytest.approx(600 + bench.state("hours").eta_seconds, rel=0.1)
    behind = bench.jobs.submit("steps", "behind", {"n": 1, "sleep": 0.0}, "Second import", queue="import")
    assert bench.jobs.waiting(behind).ahead == ("An import",)
    bench.jobs.submit("steps", "last", {"n": 1, "sleep": 0.0}, "Last", seconds=60.0)
    assert bench.jobs.waiting(bench.state("last")).seconds is None  # nobody knows of "Next"
    assert {(worker.lane, worker.job) for worker in bench.jobs.workers()} == {("compute", "hours"), ("quick", "import")}
    bench.jobs.cancel("hours")
    assert bench.ended("last").status == "done"


def test_asked_again_a_job_waits_where_its_seconds_say(bench):
    bench.jobs.submit("steps", "k1", {"n": 1, "sleep": 0.0}, "Steps", seconds=60.0)
    bench.jobs.cancel("k1")
    assert not bench.jobs.waiting(bench.state("k1")).served
    assert bench.jobs.submit("steps", "k1", {"n": 1, "sleep": 0.0}, "Steps", seconds=1.0).queue == "quick"
    bench.start(lane="quick")
    assert bench.ended("k1").status == "done"


@pytest.fixture
def kept(bench, monkeypatch):
    """A keeper of the tests' workers; its thread and they end with the test."""
    monkeypatch.setenv("PYTHONPATH", str(SCRIPT.parents[2]))
    monkeypatch.setattr(launch, "_LOOK", 0.1)
    keeper = Keeper(bench.settings, [sys.executable, str(SCRIPT)])
    keeper.look()
    thread = threading.Thread(target=keeper.keep)
    thread.start()
    yield keeper
    keeper.stop()
    thread.join()
    for process in keeper.processes:
        process.kill()
        process.wait()


def living(bench):
    return {worker.lane: worker.pid for worker in bench.jobs.workers() if worker.alive}


def test_dead_workers_come_back_and_go_on(bench, kept):
    before = wait_until(lambda: len(found := living(bench)) == 2 and found)
    bench.jobs.submit("steps", "k1", {"n": 60, "sleep": 0.05}, "Steps")
    bench.running("k1")
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    assert bench.ended("k1").status == "done" and bench.state("k1").deaths == 1
    after = wait_until(lambda: len(found := living(bench)) == 2 and found)
    assert not set(before.values()) & set(after.values())


@pytest.mark.parametrize("how", ["noise", "removed"])
def test_workers_whose_queue_is_damaged_or_gone_come_back_with_a_new_one(bench, kept, how):
    before = wait_until(lambda: len(found := living(bench)) == 2 and found)
    bench.jobs.submit("steps", "k1", {"n": 100_000, "sleep": 0.05}, "Lost")
    bench.running("k1")
    path = bench.folder / "jobs.sqlite"
    if how == "noise":
        # Those that run live on in the write-ahead log as long as it holds all, and in their memory; who opens it newly sees the noise.
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30.0)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("BEGIN IMMEDIATE")
            path.write_bytes(random.Random(0).randbytes(path.stat().st_size))
        Jobs(bench.settings).close()
    else:
        for left in bench.folder.glob("jobs.sqlite*"):
            left.unlink()
    wait_until(lambda: not any(map(_runs, before.values())), 60.0)
    bench.jobs.submit("steps", "k2", {"n": 1, "sleep": 0.0}, "New")
    bench.jobs.submit("steps", "k3", {"n": 1, "sleep": 0.0}, "New, quick", seconds=1.0)
    assert bench.ended("k2").status == bench.ended("k3").status == "done" and bench.jobs.state("k1") is None
    assert len(bench.jobs.set_aside()) == (how == "noise")


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_dies_at_its_start_is_started_ever_less_often(bench, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    keeper = Keeper(bench.settings, [sys.executable, "-c", "raise SystemExit(1)"])
    started = []
    monkeypatch.setattr(launch, "ensure_worker", lambda settings, lane, command: started.append(clock[0]) or subprocess.Popen(["true"]))
    for second in range(600):
        clock[0] = float(second)
        keeper.look()
    times = sorted(set(started))
    assert len(times) < 20 and all(later - earlier <= 60 for earlier, later in itertools.pairwise(times))
    for process in keeper.processes:
        process.wait()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_by_hand_both_lanes_are_served_until_it_ends(bench, how):
    code = "import sys; from ntkcore.jobs import serve; from ntkcore.settings import Settings; serve(Settings(), sys.argv[1:])"
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[2]), "NTK_CACHE_DIR": str(bench.folder), "NTK_DEVICE": "cpu"}
    server = subprocess.Popen([sys.executable, "-c", code, sys.executable, str(SCRIPT)], env=environment)
    bench.processes.append(server)
    wait_until(lambda: len(living(bench)) == 2)
    with pytest.raises(AtlasError, match="already running"):
        launch.serve(bench.settings)
    server.send_signal(how)
    assert server.wait(60) == (0 if how == signal.SIGINT else -how)
    wait_until(lambda: not bench.jobs.workers(), 60.0)
