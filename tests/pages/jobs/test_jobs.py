"""The page of jobs: what waits and for what, workers that can be started, and a list of jobs that was damaged."""

import random
import sqlite3
from dataclasses import replace

import pytest
from small_analyses import SMALL
from visiting import button, opened

import ntkcore.jobs
from ntkcore.analyses.catalogue import named
from ntkcore.analyses.imports import request_download
from ntkcore.analyses.label import sitting as sittings
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.jobs.book import new_worker
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import settings
from ntkcore.specs.label import LabelSpec
from pages import PAGES, entry


def asked(ws, **query):
    spec, _ = ADDRESSES["learnability"].read({"classes": ["0", "1"]} | query)
    return LEARNABILITY.request(spec, ws)


@pytest.fixture
def served(ws, monkeypatch):
    """A worker of each lane is said to live; none takes anything."""
    monkeypatch.setattr(ntkcore.jobs.Jobs, "_alive", lambda jobs, row: True)
    for name, device in (("here-cpu", "cpu"), ("here-cpu-quick", "cpu")):
        ws.jobs._book.beat(new_worker(name, name, "here", device, 1))


def test_workers_can_be_started(app, ws, monkeypatch):
    started = []
    monkeypatch.setattr(ntkcore.jobs, "ensure_worker", lambda settings, lane: started.append((settings, lane)))
    opened(app, "jobs")
    assert "No worker is running, so nothing is computed" in app.warning[0].value
    button(app, "Start a worker").click().run()
    assert not app.exception and started == [(ws.settings, "compute"), (ws.settings, "quick")]
    assert not app.warning and any("A worker is starting" in caption.value for caption in app.caption)


def test_a_lane_without_a_worker_is_said(app, served, ws):
    opened(app, "jobs")
    assert not app.warning and any("cpu on here, cpu on here, imports" in caption.value for caption in app.caption)
    ws.jobs._book.leave("here-cpu-quick")
    opened(app, "jobs")
    assert "imports and for what takes seconds" in app.warning[0].value


def test_a_waiting_job_says_what_for_and_how_long(app, served, ws):
    for at, seconds in enumerate((4.0, 3.0)):
        ws.jobs.submit("import", f"k{at}", {}, f"Import of *{at}*", seconds=seconds, queue="import")
    first, second = ws.jobs.state("k0"), ws.jobs.state("k1")
    assert ws.jobs.waiting(first).ahead == () and ws.jobs.waiting(second).seconds == 4.0
    opened(app, "jobs")
    texts = [bar.proto.text for bar in app.get("progress")]
    assert texts[1] == "Waiting for a worker" and texts[0] == r"Waiting for Import of \*0\*, about 4 s"


@pytest.mark.parametrize("name", [page.name for page in PAGES if page.result])
def test_the_panel_of_every_page_says_it(app, served, ws, name):
    for queue in ("compute", "quick"):
        ws.jobs.submit("steps", f"before-{queue}", {}, "Another", seconds=4.0, queue=queue)
    spec, _ = ADDRESSES[name].read(SMALL[name])
    named(name).request(spec, ws)
    opened(app, entry(name).path, **SMALL[name])
    assert any("Waiting for Another, about 4 s" in item.value for item in app.markdown)


def test_the_panels_of_imports_and_downloads_say_it(app, served, ws, monkeypatch, tmp_path):
    monkeypatch.setenv("NTK_DATA_DIR", str(tmp_path / "nothing"))
    settings.cache_clear()
    ws.jobs.submit("import", "before", {}, "Import of one", seconds=4.0, queue="import")
    app.session_state["import.job"] = ws.jobs.submit("import", "k", {}, "Import of two", seconds=5.0, queue="import").id
    request_download("mnist", ws)
    opened(app, "images")
    assert any("Waiting for Import of one, about 4 s" in item.value for item in app.markdown)
    opened(app, "learnability", dataset="mnist")
    assert any("Waiting for Import of one and 1 more, about 9 s" in item.value for item in app.markdown)


@pytest.mark.parametrize(("seconds", "queue"), [(9.0, "quick"), (11.0, "compute")])
def test_what_is_forecast_in_seconds_waits_for_nothing_long(ws, monkeypatch, seconds, queue):
    real = type(LEARNABILITY).forecast
    monkeypatch.setattr(type(LEARNABILITY), "forecast", lambda *asked: replace(real(*asked), seconds=seconds))
    assert asked(ws, n="60").queue == queue


@pytest.mark.parametrize("page", ["", "jobs", "images", "learnability"])
def test_a_damaged_list_of_jobs_closes_no_page(app, ws, page):
    asked(ws, n="60")
    path = ws.settings.cache_dir / "jobs.sqlite"
    ws.jobs.close()
    path.write_bytes(random.Random(0).randbytes(path.stat().st_size))
    opened(app, page)
    assert not app.error
    if page == "jobs":
        (aside,) = ws.settings.cache_dir.glob("jobs.damaged-*.sqlite")
        assert any(aside.name in caption.value for caption in app.caption)
        button(app, "Delete what was moved aside").click().run()
        assert not app.exception and not aside.exists() and not any("damaged" in caption.value for caption in app.caption)


def test_a_job_that_nobody_can_read_is_listed(app, ws):
    job = asked(ws, n="60")
    ws.jobs.cancel(job.id)
    with sqlite3.connect(ws.settings.cache_dir / "jobs.sqlite") as connection:
        connection.execute("""UPDATE workflow_input SET inputs = replace(inputs, '"n"', '"x"')""")
    opened(app, "jobs")
    button(app, "Open").click().run()
    assert not app.exception and any("cannot be read" in caption.value for caption in app.caption)
    with sqlite3.connect(ws.settings.cache_dir / "jobs.sqlite") as connection:
        connection.execute("UPDATE workflow_input SET inputs = '{'")
    opened(app, "jobs")
    assert any("Damaged entry" in item.value for item in app.markdown)


def test_a_network_for_labelling_opens_its_session(app, served, ws):
    spec = LabelSpec.model_validate({"dataset": {"n": 12, "classes": ("3", "8")}, "model": {"width": 8, "depth": 1}, "start": 2, "held": 6})
    session = sittings.begin(spec, "Ann", ws)
    (job,) = ws.jobs.list(9)
    ws.jobs.cancel(job.id)
    opened(app, "jobs")
    button(app, "Open").click().run()
    assert not app.exception and app.query_params["session"] == session and app.title[0].value == "Label"
