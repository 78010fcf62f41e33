"""Workers that are killed, stopped, doubled or left behind."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from ntkcore.jobs import ensure_worker
from ntkcore.store import Store

from .conftest import DATABASES, ROOT, SCRIPT, Bench, wait_until
from .worker_script import tile_of

pytestmark = pytest.mark.kill


def stop(process, sign):
    os.kill(process.pid, sign)
    process.communicate(timeout=30)


@DATABASES
def test_a_killed_worker_s_job_resumes_at_its_missing_tiles_to_the_same_bytes(bench):
    notes = bench.folder / "notes"
    worker = bench.start()
    bench.jobs.submit("tiles", "k1", {"store": str(bench.folder), "notes": str(notes), "sleep": 0.02}, "Tiles")
    bench.running("k1", 5)
    stop(worker, signal.SIGKILL)
    state = bench.state("k1")
    assert state.status == "queued" and "goes on" in state.message
    assert [worker.alive for worker in bench.jobs.workers()] == [False]
    worker = bench.start()
    bench.running("k1", 12)
    stop(worker, signal.SIGTERM)  # a stop on purpose is no death
    assert bench.jobs.workers() == ()
    bench.start()
    state = bench.ended("k1")
    assert state.status == "done" and state.deaths == 1
    computed = notes.read_text().split()
    # A noted tile is finished and never computed again; one finished when the kill or the stop came may lack its note.
    assert len(set(computed)) >= 28 and len(computed) == len(set(computed))
    expected = np.concatenate([tile_of(tile) for tile in range(30)])
    assert Store(bench.folder, 1).open("tiles", "k1").read("x").tobytes() == expected.tobytes()


def test_a_worker_that_falls_silent_loses_its_job_and_stops_when_it_wakes(bench):
    notes = bench.folder / "notes"
    silent = bench.start("first")
    bench.jobs.submit("steps", "k1", {"n": 40, "sleep": 0.1, "notes": str(notes)}, "Steps")
    bench.running("k1", 3)
    os.kill(silent.pid, signal.SIGSTOP)
    other = bench.start("second")
    wait_until(lambda: "begin second" in notes.read_text())
    before = notes.read_text().count("first ")
    os.kill(silent.pid, signal.SIGCONT)
    state = bench.ended("k1")
    assert state.status == "done" and state.result["device"] == "second" and state.deaths == 1
    text = notes.read_text()
    assert text.count("second ") == 40 and text.count("begin") == 2
    assert before <= text.count("first ") < 40  # the woken one noticed at a beat and stopped
    stop(other, signal.SIGTERM)
    bench.jobs.submit("steps", "k2", {"n": 2, "sleep": 0.0}, "Steps")
    assert bench.ended("k2").result["device"] == "first"  # and it is as good as new


def test_a_job_that_keeps_killing_its_worker_is_given_up(bench):
    notes = bench.folder / "notes"
    bench.jobs.submit("dies", "k1", {"notes": str(notes)}, "Deadly")
    for _ in range(3):
        assert bench.start().wait(timeout=60) == -signal.SIGKILL
    bench.start()
    state = bench.ended("k1")
    assert state.status == "failed" and "died 3 times" in state.message and "fewer images" in state.remedy and state.deaths == 3
    assert notes.read_text().count("died") == 3
    bench.jobs.submit("steps", "k2", {"n": 1, "sleep": 0.0}, "Harmless")
    assert bench.ended("k2").status == "done"


@DATABASES
def test_two_workers_share_the_queue_and_compute_each_job_once(bench):
    for at in range(8):
        bench.jobs.submit("steps", f"k{at}", {"n": 8, "sleep": 0.04, "notes": str(bench.folder / f"notes{at}")}, "Steps")
    bench.start("first")
    bench.start("second")
    states = [bench.ended(f"k{at}") for at in range(8)]
    assert {state.status for state in states} == {"done"}
    assert {state.result["device"] for state in states} == {"first", "second"}
    assert all((bench.folder / f"notes{at}").read_text().count("begin") == 1 for at in range(8))
    third = bench.start("first")
    _, said = third.communicate(timeout=60)
    assert third.returncode == 1 and "already running" in said and str(bench.processes[0].pid) in said


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_job_that_fills_the_disk_fails_with_a_message_and_leaves_nothing_published(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    bench = Bench(disk)
    try:
        bench.start()
        bench.jobs.submit("fills", "k1", {"store": str(disk)}, "Fills the disk")
        state = bench.ended("k1")
        assert state.status == "failed" and "disk is full" in state.message and "Free space" in state.remedy
        store = Store(disk, 1)
        assert store.state("fills", "k1") == "partial" and store.entries() == ()
        store.remove("fills", "k1")
        bench.jobs.submit("steps", "k2", {"n": 1, "sleep": 0.0}, "Small")
        assert bench.ended("k2").status == "done"
    finally:
        bench.close()
        subprocess.run(["umount", disk], check=True)


ENSURE = """
import sys
from pathlib import Path
from ntkcore.jobs import ensure_worker
from ntkcore.settings import Settings
sys.stdin.readline()
for _ in range(3):
    ensure_worker(Settings(cache_dir=Path(sys.argv[1]), device="cpu"), command=[sys.executable, sys.argv[2]])
"""


def test_the_app_starts_one_worker_that_outlives_it_and_ends_with_its_folder(bench, monkeypatch):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    apps = [
        subprocess.Popen(
            [sys.executable, "-c", ENSURE, str(bench.folder), str(SCRIPT)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    assert [app.communicate("go\n", timeout=60)[0] for app in apps] == ["", ""]  # and both are gone now
    (worker,) = wait_until(bench.jobs.workers)
    assert worker.alive
    bench.jobs.submit("steps", "k1", {"n": 1, "sleep": 0.0}, "Steps")
    assert bench.ended("k1").status == "done"
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    ensure_worker(bench.settings, command=[sys.executable, "-c", "raise SystemExit('a second one')"])
    log = bench.folder / "logs" / "worker-output.log"
    assert log.read_text() == ""
    shutil.rmtree(bench.folder)
    try:
        wait_until(lambda: not _is_alive(worker.pid))
    finally:
        with suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGKILL)


def _is_alive(pid):
    """Whether the process runs; one that ended may stay listed as a zombie when its parent is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
