"""Jobs on a PostgreSQL: asked for by many at once, and with the database restarted, away for a minute, or a worker stopped meanwhile."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from postgres_server import PostgreSQL

from ntkcore.jobs import Jobs
from ntkcore.store import Store

from .conftest import LEASE, Bench, wait_until
from .worker_script import tile_of

pytestmark = pytest.mark.kill


@pytest.mark.parametrize("bench", ["postgresql"], indirect=True)
def test_one_wish_of_ten_people_on_two_workers_is_computed_once(bench):
    bench.start("first")
    bench.start("second")
    wait_until(lambda: len(bench.jobs.workers()) == 2)
    people = [Jobs(bench.settings) for _ in range(10)]
    payload = {"n": 10, "sleep": 0.01, "notes": str(bench.folder / "notes")}
    with ThreadPoolExecutor(len(people)) as all_at_once:
        asked = list(all_at_once.map(lambda jobs: jobs.submit("steps", "wish", payload, "Steps"), people))
    for jobs in people:
        jobs.close()
    assert {job.id for job in asked} == {"wish"} and len(bench.jobs.list()) == 1
    assert bench.ended("wish").status == "done"
    assert (bench.folder / "notes").read_text().count("begin") == 1


@pytest.fixture
def faulty(tmp_path, monkeypatch):
    """A server that may be stopped, and a bench on it with a job of thirty tiles that two workers could do, of which some are done."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    server = PostgreSQL(tmp_path / "data")
    server.start()
    bench = Bench(tmp_path / "cache", server.database())
    bench.start("first")
    bench.start("second")
    notes = bench.folder / "notes"
    bench.jobs.submit("tiles", "k1", {"store": str(bench.folder), "notes": str(notes), "sleep": 1.0}, "Tiles")
    bench.running("k1", 3)
    yield server, bench, lambda: notes.read_text().split()
    bench.close()
    server.stop()


def whole(bench, noted):
    """The job ends, nobody is said to have died, and no tile was computed twice."""
    state = bench.ended("k1")
    assert (state.status, state.deaths) == ("done", 0)
    assert sorted(map(int, noted())) == list(range(30))
    expected = np.concatenate([tile_of(tile) for tile in range(30)])
    assert Store(bench.folder, 1).open("tiles", "k1").read("x").tobytes() == expected.tobytes()


@pytest.mark.soak
def test_a_database_that_is_restarted_in_mid_job_costs_nothing(faulty):
    server, bench, noted = faulty
    for _ in range(2):
        before = len(noted())
        server.stop()
        server.start()
        wait_until(lambda before=before: len(noted()) > before)
    whole(bench, noted)


@pytest.mark.soak
def test_a_minute_without_the_database_is_worked_through(faulty):
    """The job's tiles are all done meanwhile; that it is done is told when the database is there again."""
    server, bench, noted = faulty
    server.stop()
    time.sleep(60.0)
    assert len(noted()) == 30
    server.start()
    whole(bench, noted)
    bench.jobs.submit("steps", "k2", {"n": 1, "sleep": 0.0}, "Steps")
    assert bench.ended("k2").status == "done"


@pytest.mark.soak
@pytest.mark.parametrize("bench", ["postgresql"], indirect=True)
def test_a_stopped_worker_s_job_is_another_s_and_stays_it(bench):
    notes = bench.folder / "notes"
    silent = bench.start("first")
    bench.jobs.submit("tiles", "k1", {"store": str(bench.folder), "notes": str(notes), "sleep": 0.2}, "Tiles")
    bench.running("k1", 3)
    os.kill(silent.pid, signal.SIGSTOP)
    bench.start("second")
    time.sleep(4 * LEASE)
    os.kill(silent.pid, signal.SIGCONT)
    state = bench.ended("k1")
    assert (state.status, state.deaths) == ("done", 1)
    expected = np.concatenate([tile_of(tile) for tile in range(30)])
    assert Store(bench.folder, 1).open("tiles", "k1").read("x").tobytes() == expected.tobytes()
