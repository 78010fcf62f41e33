"""Jobs through a worker that lives: asking, progress, cancelling, failing, asking again."""

import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

from ntkcore.errors import AtlasError
from ntkcore.jobs import Jobs

from .conftest import ROOT, wait_until

pytestmark = pytest.mark.kill


def test_a_job_runs_and_tells_its_progress_and_result(served):
    before = datetime.now(UTC)
    asked = served.jobs.submit("steps", "k1", {"n": 20, "sleep": 0.1}, "Twenty steps")
    assert asked.active and (asked.id, asked.kind, asked.title) == ("k1", "steps", "Twenty steps")
    seen = served.running("k1")
    assert seen.stage == "first" and 0 < seen.fraction <= 0.25 + 1e-9 and seen.stage_total == 20 and seen.rate_unit == "steps"
    assert seen.started is not None and seen.finished is None and seen.warnings == ("a warning",)
    workers = [worker for worker in served.jobs.workers() if worker.alive]
    assert [(worker.device, worker.job, worker.id) for worker in workers] == [("cpu", "k1", seen.worker)]
    done = served.ended("k1")
    assert (done.status, done.fraction, done.stage) == ("done", 1.0, "second")
    assert done.result == {"device": "cpu", "n": 20} and done.payload["n"] == 20 and done.deaths == 0
    assert before <= done.started <= done.finished <= datetime.now(UTC)
    assert done.warnings == ("a warning",) and done.eta_seconds is None
    assert served.jobs.workers()[0].job is None


def test_a_job_that_is_done_is_computed_again_only_on_request(served):
    payload = {"n": 1, "sleep": 0.0, "notes": str(served.folder / "again")}
    served.jobs.submit("steps", "k2", payload, "One step")
    assert served.ended("k2").status == "done"
    assert served.jobs.submit("steps", "k2", payload, "One step").status == "done"
    served.jobs.submit("steps", "k2", payload, "One step", again=True)
    assert served.ended("k2").status == "done"
    assert (served.folder / "again").read_text().count("begin") == 2


def test_a_running_job_is_cancelled_and_goes_on_when_asked_again(served):
    payload = {"n": 15, "sleep": 0.05, "notes": str(served.folder / "cancelled")}
    served.jobs.submit("steps", "k3", payload, "Cancelled")
    served.running("k3")
    served.jobs.cancel("k3")
    assert served.state("k3").status in ("cancelling", "cancelled")
    state = served.ended("k3")
    assert state.status == "cancelled" and state.finished is not None and 0 < state.fraction < 1
    lines = (served.folder / "cancelled").read_text().count("\n")
    served.jobs.cancel("k3")  # nothing to stop any more
    served.jobs.submit("steps", "k3", payload, "Cancelled")
    assert served.ended("k3").status == "done"
    # The cancelled run wrote nothing more after it was said to be cancelled.
    assert (served.folder / "cancelled").read_text().count("\n") == lines + 16


def test_a_job_asked_again_while_it_is_being_cancelled_runs_again(served):
    payload = {"n": 60, "sleep": 0.05}  # seconds, so that a busy machine asks again before it is done
    served.jobs.submit("steps", "k4", payload, "Hasty")
    served.running("k4")
    served.jobs.cancel("k4")
    assert served.jobs.submit("steps", "k4", payload, "Hasty").status in ("queued", "running")
    assert served.ended("k4").status == "done"


def test_a_waiting_job_is_cancelled_at_once(served):
    served.jobs.submit("steps", "k5", {"n": 30, "sleep": 0.03}, "Long")
    served.running("k5")
    served.jobs.submit("steps", "k6", {"n": 1, "sleep": 0}, "Waiting")
    assert served.state("k6").status == "queued"
    served.jobs.cancel("k6")
    assert served.state("k6").status == "cancelled"
    assert [job.id for job in served.jobs.list(100)].count("k6") == 1
    with pytest.raises(AtlasError, match="has not ended"):
        served.jobs.forget("k5")
    served.jobs.cancel("k5")
    assert served.ended("k5").status == "cancelled"
    served.jobs.forget("k5")
    served.jobs.forget("k5")
    assert served.jobs.state("k5") is None


@pytest.mark.parametrize(
    ("how", "message", "remedy"),
    [
        ("atlas", "The images are gone.", "Bring them back."),
        ("bug", "Internal error (KeyError)", "the details are in"),
        ("memory", "ran out of memory on cpu", "fewer images"),
        ("answer", "Internal error (TypeError)", "the details are in"),
        ("exit", "Internal error (SystemExit)", "the details are in"),
    ],
)
def test_a_failure_says_what_to_do_and_can_be_tried_again(served, how, message, remedy):
    cured = served.folder / f"cured-{how}"
    payload = {"how": how, "cured": str(cured)}
    served.jobs.submit("fails", f"f-{how}", payload, "Fails")
    state = served.ended(f"f-{how}")
    assert state.status == "failed" and message in state.message and remedy in state.remedy
    assert "Traceback" not in state.message + state.remedy and "secret" not in state.message + state.remedy
    cured.touch()
    served.jobs.submit("fails", f"f-{how}", payload, "Fails")
    assert served.ended(f"f-{how}").result == {"cured": True}
    logs = "".join(path.read_text() for path in (served.folder / "logs").glob("worker-*.log"))
    assert ("secret detail" in logs and "Traceback" in logs) if how == "bug" else True
    ends = [line.split(" kind=fails ")[1].split()[0] for line in logs.splitlines() if f"Job ended job={state.id} " in line]
    assert ends == ["status=failed", "status=done"]


def test_an_unknown_kind_fails_with_a_message(served):
    served.jobs.submit("nonsense", "k7", {}, "Unknown")
    state = served.ended("k7")
    assert state.status == "failed" and "nonsense" in state.message


SUBMIT = """
import sys
from pathlib import Path
from ntkcore.jobs import Jobs
from ntkcore.settings import Settings
jobs = Jobs(Settings(cache_dir=Path(sys.argv[1])))
sys.stdin.readline()
print(jobs.submit("steps", "k8", {"n": 3, "sleep": 0.02, "notes": sys.argv[2]}, "Both").id)
"""


def test_two_processes_asking_at_once_ask_for_one_job(served):
    notes = served.folder / "both"
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", SUBMIT, str(served.folder), str(notes)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [process.communicate("go\n", timeout=60) for process in asking] == [("k8\n", "")] * 2
    assert served.ended("k8").status == "done"
    assert notes.read_text().count("begin") == 1


def test_one_client_serves_many_threads(served):
    errors = []

    def ask(at):
        try:
            for turn in range(3):
                key = f"t-{(at + turn) % 4}"
                served.jobs.submit("steps", key, {"n": 1, "sleep": 0.0}, "Threaded")
                assert served.jobs.state(key) is not None and served.jobs.list(5) and served.jobs.workers()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    wait_until(lambda: all(served.state(f"t-{at}").status == "done" for at in range(4)))


def test_what_is_not_there(bench):
    assert bench.jobs.state("nothing") is None and bench.jobs.list() == () and bench.jobs.workers() == ()
    bench.jobs.cancel("nothing")
    bench.jobs.forget("nothing")


def test_a_queue_that_cannot_be_reached_is_said(bench):
    for path in bench.folder.glob("jobs.sqlite*"):
        path.unlink()
    (bench.folder / "jobs.sqlite").mkdir()
    with pytest.raises(AtlasError, match="cannot be reached"):
        Jobs(bench.settings)
