"""One battery over every page that shows an analysis: the states in which there is nothing to show, and the one in which there is."""

from dataclasses import replace

import pytest
from recording import Recording
from small_analyses import SMALL, quickly
from visiting import button, kept_cache, opened, said, visitor

from ntkcore.analyses.catalogue import named
from ntkcore.jobs import Jobs
from ntkcore.permalink import ADDRESSES
from pages import PAGES

SHOWN = [page.name for page in PAGES if page.result]
OTHERS = [page.path for page in PAGES if not page.result]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A cache in which each page's small analysis is computed, made once."""
    with kept_cache(tmp_path_factory.mktemp("states")) as ws, pytest.MonkeyPatch.context() as patch:
        quickly(patch)
        for name in SHOWN:
            spec, _ = ADDRESSES[name].read(SMALL[name])
            named(name).compute(spec, ws, Recording())
        yield ws


def asked(page):
    spec, view = ADDRESSES[page].read(SMALL[page])
    return named(page), spec, view


@pytest.mark.parametrize("page", SHOWN)
def test_offered_and_under_way(app, ws, page):
    opened(app, page, **SMALL[page])
    assert {metric.label for metric in app.metric} == {"Time", "Memory", "Disk"}
    assert not app.error and not button(app, "Compute").disabled and not ws.jobs.list(10)
    button(app, "Compute").click().run()
    assert not app.exception and any(b.label == "Cancel" for b in app.button)
    analysis, spec, _ = asked(page)
    assert [job.id for job in ws.jobs.list(10)] == [analysis.key(spec, ws)]
    other = opened(visitor(), page, **SMALL[page])  # somebody else who asks for the same sees the same job
    assert any(b.label == "Cancel" for b in other.button) and not any(b.label == "Compute" for b in other.button)


@pytest.mark.parametrize("page", SHOWN)
def test_cancelled_and_failed(app, ws, page, monkeypatch):
    analysis, spec, _ = asked(page)
    analysis.request(spec, ws)
    ws.jobs.cancel(analysis.key(spec, ws))
    opened(app, page, **SMALL[page])
    assert any("cancelled" in item.value for item in app.info) and not button(app, "Compute").disabled
    real = Jobs.state

    def failed(self, key):
        state = real(self, key)
        return state and replace(state, status="failed", message="Training diverged.", remedy="Choose a smaller learning rate.")

    monkeypatch.setattr(Jobs, "state", failed)
    other = opened(visitor(), page, **SMALL[page])
    assert "diverged" in other.error[0].value and "smaller" in other.error[0].value and not button(other, "Compute").disabled


@pytest.mark.parametrize("page", SHOWN)
def test_refused(app, ws, page, monkeypatch):
    from ntkcore.settings import settings

    monkeypatch.setenv("NTK_JOB_MEMORY", str(2**20))
    settings.cache_clear()
    opened(app, page, **SMALL[page])
    assert any("would fit" in item.value for item in app.error) and button(app, "Compute").disabled


@pytest.mark.parametrize("page", SHOWN)
def test_a_wrong_address_is_explained_and_starts_nothing(app, ws, page):
    opened(app, page, n="-5", flavour="red")
    assert "n: Input should be greater" in plainly(app.error[0].value) and "flavour" in app.error[0].value
    assert not ws.jobs.list(10)
    button(app, "Start from the defaults").click().run()
    assert not app.error and not app.exception and app.metric


@pytest.mark.parametrize("page", SHOWN)
@pytest.mark.parametrize("query", [{"n": "100000"}, {"classes": ["0", "nothing"]}, {"dataset": "own", "own": "0" * 64}])
def test_what_cannot_be_computed_is_said_with_a_remedy(app, page, query):
    opened(app, page, **query)
    assert app.error or app.info or app.warning
    assert not any(b.label == "Compute" and not b.disabled for b in app.button)


@pytest.mark.parametrize("page", SHOWN)
def test_missing_data_are_said(app, ws, page, monkeypatch, tmp_path):
    from ntkcore.settings import settings

    monkeypatch.setenv("NTK_DATA_DIR", str(tmp_path / "nothing"))
    settings.cache_clear()
    opened(app, page, dataset="mnist", classes=["3", "5", "8"])
    assert any("Download (" in b.label for b in app.button) and not any(b.label == "Compute" for b in app.button)


@pytest.mark.parametrize("page", SHOWN)
def test_stored_it_says_what_the_analysis_answers(stored, page):
    analysis, spec, view = asked(page)
    app = opened(visitor(), page, **SMALL[page])
    first = analysis.answer(analysis.open(spec, stored), view, stored)[0]
    assert first in plainly(said(app)), page
    assert not app.error and not any(b.label == "Compute" for b in app.button)


@pytest.mark.parametrize("page", SHOWN)
def test_damage_is_said_and_mended(stored, page):
    analysis, spec, _ = asked(page)
    artifact = stored.store.open(analysis.kind, analysis.key(spec, stored))
    manifest = artifact.folder / "manifest.json"
    sound = manifest.read_bytes()
    try:
        manifest.write_bytes(sound[:-3])
        app = opened(visitor(), page, **SMALL[page])
        assert any("damaged" in item.value for item in app.warning) and any(b.label == "Cancel" for b in app.button)
    finally:
        stored.jobs.cancel(analysis.key(spec, stored))
        analysis.compute(spec, stored, Recording())


@pytest.mark.parametrize("path", OTHERS)
def test_the_other_pages_open(app, path):
    opened(app, path)
    assert not app.error and app.title


def plainly(text: str) -> str:
    """A text as a reader sees it: without escapes, marks and tags."""
    import html
    import re

    return html.unescape(re.sub(r"<[^>]+>", "", text.replace("\\", "").replace("\u2060", "")))
