"""The pieces below client and worker: context, book, failures, locks, environment."""

import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from ntkcore.errors import AtlasError, Cancelled, DataError, StoreError
from ntkcore.jobs import JobContext, device_lock, failures
from ntkcore.jobs.book import Book, new_worker
from ntkcore.jobs.launch import _environment
from ntkcore.jobs.reserve import SIZE, Reserve
from ntkcore.settings import Settings
from ntkcore.store.files import guarded

from .conftest import ROOT


def test_a_context_reports_until_it_is_stopped():
    context = JobContext("cpu", "k")
    context.plan([("a", "images", 50, 1.0)])
    tell = context.progress("a")
    tell(3, 10)  # three of ten batches are 15 of 50 images
    tell(0, 0)
    tell(3, 10)
    context.warn("odd")
    context.warn("odd")
    snapshot = context.snapshot()
    assert snapshot["done"] == 15 and snapshot["total"] == 50 and snapshot["warnings"] == ["odd"]
    assert json.loads(json.dumps(snapshot)) == snapshot
    context.stop()
    for call in (lambda: tell(4, 10), lambda: context.report("a", 1), lambda: context.warn("x"), context.check, lambda: context.plan([])):
        with pytest.raises(Cancelled):
            call()


@pytest.fixture
def book(tmp_path):
    made = Book(f"sqlite:///{tmp_path / 'book.sqlite'}")
    made.create()
    made.create()
    yield made
    made.close()


def test_only_runs_that_neither_ended_nor_left_are_deaths(book):
    assert book.begin("j", "run1", "worker1") == 0
    assert book.begin("j", "run2", "worker2") == 1  # run1 never ended
    book.end("j", "run1")  # it woke up too late to say so
    assert book.marks(["j"])["j"].run == "run2"
    assert book.begin("j", "run3", "worker1") == 2
    book.leave("worker1")
    assert book.begin("j", "run4", "worker1") == 2
    book.end("j", "run4")
    assert book.begin("j", "run5", "worker1") == 0
    book.begin("j", "run6", "worker1")
    book.forgive("j")
    assert book.marks(["j", "other"])["j"].deaths == 0
    book.forget("j")
    assert book.marks(["j"]) == {} == book.marks([])


def test_workers_are_listed_with_what_they_run_until_they_leave(book):
    book.beat(new_worker("w", "instance1", "host", "cpu", 7))
    book.begin("j", "run", "instance1")
    (row,) = book.workers()
    assert (row.id, row.host, row.device, row.pid, row.job) == ("w", "host", "cpu", 7, "j") and 0 <= row.silent < 60
    book.beat(new_worker("w", "instance2", "host", "cpu", 8))  # restarted: the job is its predecessor's
    (row,) = book.workers()
    assert (row.pid, row.job) == (8, None)
    book.leave("instance1")
    assert len(book.workers()) == 1
    book.leave("instance2")
    assert book.workers() == []


def test_running_out_of_memory_is_recognised():
    cases = [MemoryError(), torch.OutOfMemoryError("CUDA"), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
    with pytest.raises(MemoryError) as numpy_says:
        np.empty(2**56, np.uint8)
    with pytest.raises(RuntimeError) as torch_says:
        torch.empty(2**56, dtype=torch.uint8)
    for error in [*cases, numpy_says.value, torch_says.value]:
        message, remedy = failures.describe(error, "cuda:0")
        assert "memory on cuda:0" in message and "fewer images" in remedy
    assert not failures.out_of_memory(ValueError("out of memory"))


def test_other_failures_in_words():
    assert failures.describe(DataError("a", "b"), "cpu") == ("a", "b")
    message, remedy = failures.describe(ZeroDivisionError("x"), "cpu")
    assert "Internal error (ZeroDivisionError)" in message and "the worker's log" in remedy


def test_a_full_disk_is_recognised_behind_what_it_caused(tmp_path):
    try:
        with guarded(tmp_path):
            raise OSError(errno.ENOSPC, "No space left on device")
    except StoreError as error:
        assert failures.disk_is_full(error)
    assert failures.disk_is_full(RuntimeError("(sqlite3.OperationalError) database or disk is full"))
    assert not failures.disk_is_full(ValueError("x"))


def test_space_is_set_aside_and_freed(tmp_path):
    reserve = Reserve(tmp_path / "space")
    reserve.hold()
    reserve.hold()
    assert (tmp_path / "space").stat().st_size == SIZE
    reserve.release()
    reserve.release()
    assert not (tmp_path / "space").exists()
    Reserve(tmp_path / "missing" / "space").hold()  # where nothing can be set aside, nothing is


def test_one_worker_per_device(tmp_path):
    path = device_lock.lock_path(tmp_path, device_lock.worker_id("cuda:1"))
    assert path.name == f"{device_lock.worker_id('cuda:1')}.lock" and ":" not in path.name
    assert not device_lock.held(path)
    handle = device_lock.take(path, "cuda:1")
    assert device_lock.held(path) and device_lock.still_ours(path, handle)
    with pytest.raises(AtlasError, match="already running here"):
        device_lock.take(path, "cuda:1")
    path.unlink()
    assert not device_lock.still_ours(path, handle)
    os.close(handle)


def test_a_started_worker_gets_every_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("NTK_WEIGHTS_DIR", "/stale")
    chosen = Settings(cache_dir=tmp_path, weights_dir=None, import_roots=(tmp_path, tmp_path / "b"), threads=2, start_worker=False)
    for name, value in _environment(chosen).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NTK_WEIGHTS_DIR")
    assert "NTK_WEIGHTS_DIR" not in _environment(chosen)
    assert Settings() == chosen


def test_importing_jobs_loads_no_torch_and_says_nothing():
    code = "import sys, ntkcore.jobs; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
