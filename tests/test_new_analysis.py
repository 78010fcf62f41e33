"""What somebody who adds an analysis gets: one folder each and three list lines, and it has all the others have.

The analysis is ``tests/nearest``; ``docs/analyses.md`` walks through it.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from nearest.address import NEAREST_ADDRESS
from nearest.analysis import NEAREST
from nearest.spec import NearestSpec
from recording import Recording
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import pages
from ntkcore import cli, notebook, permalink
from ntkcore.analyses import catalogue
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import CorruptArtifact
from ntkcore.permalink import ADDRESSES

APP = str(Path(__file__).resolve().parents[1] / "app.py")
QUERY = {"dataset": "digits", "classes": ["3", "8"], "n": "40", "norm": "largest"}


@dataclasses.dataclass(frozen=True)
class _Elsewhere(pages.Entry):
    """A page whose folder lies with the tests."""

    @property
    def file(self) -> str:
        return str(Path(__file__).parent / self.name / "page.py")


@pytest.fixture
def added(cache, monkeypatch):
    """The three list lines."""
    monkeypatch.setattr(catalogue, "ANALYSES", (*catalogue.ANALYSES, NEAREST))
    monkeypatch.setitem(ADDRESSES, "nearest", NEAREST_ADDRESS)
    page = _Elsewhere("nearest", "Nearest", "straighten", "Explore", "Which images look like another class?")
    monkeypatch.setattr(pages, "PAGES", (*pages.PAGES, page))
    return Workspace(cache)


def visit(**query):
    app = AppTest.from_file(APP, default_timeout=60)
    app._page_hash = calc_hash("nearest")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def test_job_forecast_and_repair(added):
    spec, view = ADDRESSES["nearest"].read(QUERY)
    assert not NEAREST.forecast(spec, added).refusal
    job = NEAREST.request(spec, added)
    assert job.kind == "nearest" and "Digits 3 | 8" in job.title and catalogue.of_job(job) is NEAREST
    catalogue.handlers(added)["nearest"](job.payload, Recording())
    result = NEAREST.open(spec, added)
    assert len(NEAREST.table(result, view, added)) == 40 and NEAREST.answer(result, view, added)
    tile = next(p for p in (added.settings.cache_dir / "artifacts" / "nearest").rglob("c/*") if p.is_file())
    tile.write_bytes(tile.read_bytes()[:-3])
    other = Workspace(added.settings)
    with pytest.raises(CorruptArtifact) as caught:
        NEAREST.open(spec, other)
    NEAREST.repair(caught.value, spec, other)
    NEAREST.compute(spec, other, Recording())
    np.testing.assert_array_equal(NEAREST.open(spec, other).distances, result.distances)


def test_link_command_line_and_notebook(added, capsys, tmp_path):
    spec, view = ADDRESSES["nearest"].read(QUERY)
    assert ADDRESSES["nearest"].write(spec, view) == QUERY and spec == NearestSpec.model_validate(spec.model_dump())
    result = notebook.compute("nearest", **QUERY)
    assert notebook.open("nearest", **QUERY) is result and notebook.open(spec) is result
    said = notebook.answer(result)
    assert cli.main(["nearest", "--classes", "3,8", "--n", "40", "--norm", "largest", "--csv", str(tmp_path / "rows.csv")]) == 0
    assert said[0] in capsys.readouterr().out
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 41
    with pytest.raises(SystemExit):
        cli.main(["nearest", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "distance between two images; one of euclidean, largest (default: euclidean)" in told
    assert permalink.read_ranges("1-3") == (1, 2, 3)


def test_states_of_its_page(added):
    app = visit(**QUERY)
    assert {metric.label for metric in app.metric} == {"Time", "Memory", "Disk"}  # offered
    next(b for b in app.button if b.label == "Compute").click().run()
    assert any(b.label == "Cancel" for b in app.button)  # under way
    spec, view = ADDRESSES["nearest"].read(QUERY)
    added.jobs.cancel(NEAREST.key(spec, added))
    app = visit(**QUERY)
    assert any("cancelled" in item.value for item in app.info)
    NEAREST.compute(spec, added, Recording())
    app = visit(**QUERY)  # stored
    said = " ".join(item.proto.body for item in app.get("html"))
    assert NEAREST.answer(NEAREST.open(spec, added), view, added)[0] in said
    assert visit(n="-4").error  # a wrong address
    app = AppTest.from_file(APP, default_timeout=60)
    app._page_hash = calc_hash("jobs")
    app.run()
    assert any("Nearest images of Digits" in item.value for item in app.markdown)
