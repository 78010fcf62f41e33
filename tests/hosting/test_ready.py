"""Readiness: each part is asked, and what is wrong names no place and no secret."""

import pytest

from ntkcore.analyses.workspace import Workspace
from ntkcore.hosting.ready import problems
from ntkcore.settings import Settings


def test_all_is_well(ws, living):
    with living(ws):
        assert problems(ws) == {"library": "", "store": "", "jobs": "", "worker": ""}


@pytest.mark.parametrize(("lanes", "missing"), [((), "compute jobs and quick jobs"), (("compute",), "quick jobs")])
def test_a_lane_without_a_worker_is_said(ws, living, lanes, missing):
    if lanes:
        with living(ws, *lanes):
            found = problems(ws)
    else:
        found = problems(ws)
    assert found == {"library": "", "store": "", "jobs": "", "worker": f"No worker lives that takes {missing}."}


def test_a_damaged_library_is_said(ws, living):
    assert ws.library.file is not None
    ws.library.file.write_bytes(b"no database" * 1000)
    with living(ws):
        found = problems(ws)
    assert found["library"].startswith("The library is damaged") and str(ws.settings.cache_dir) not in found["library"]
    assert not found["jobs"] and not found["store"]


def test_a_store_that_cannot_be_written_is_said(ws):
    (ws.store.root / "probe").symlink_to(ws.store.root / "away" / "probe")  # no folder refuses root
    said = problems(ws)["store"]
    assert said and str(ws.settings.cache_dir) not in said


def test_a_database_that_is_away_is_said_without_its_address(tmp_path, ws, monkeypatch):
    _ = ws.jobs  # as a server has asked it before
    file = ws.settings.cache_dir / "jobs.sqlite"
    file.unlink()
    file.mkdir()
    found = problems(ws)
    assert found["jobs"].startswith("The job queue cannot be reached") and found["worker"] == found["jobs"]
    away = Workspace(Settings(cache_dir=tmp_path / "other", database_url="postgresql://ann:hush@127.0.0.1:1/atlas"))
    said = away.library.problem()
    assert said is not None and "hush" not in str(said) and "127.0.0.1" not in str(said)
    assert "hush" not in repr(away.settings)
