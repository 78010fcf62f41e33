"""Each page in each of its states, without a browser; the browser tests do the clicking."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from recording import Recording
from visiting import basket, button, opened

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.data import import_images
from ntkcore.jobs import Jobs
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import VerificationSpec
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView

SPEC = LearnabilitySpec.model_validate(
    {"dataset": {"classes": ("0", "1"), "n": 60}, "model": {"width": 8, "depth": 1}, "training": {"epochs": 2}}
)


def test_start_offers_three_cards(app):
    app.run()
    assert not app.exception
    assert [b.label for b in app.button].count("Open") == 3
    assert not app.error
    assert "NTK Atlas" in app.title[0].value


def test_start_greys_what_is_missing_and_says_why(app, monkeypatch, tmp_path):
    from ntkcore.settings import settings

    monkeypatch.setenv("NTK_DATA_DIR", str(tmp_path / "nothing"))
    settings.cache_clear()
    app.run()
    assert not app.exception
    opens = [b for b in app.button if b.label == "Open"]
    assert [b.disabled for b in opens] == [False, True, True]
    assert any("Download (" in b.label for b in app.button)


def test_result_page_and_its_link(app, ws):
    LEARNABILITY.compute(SPEC, ws, Recording())
    opened(app, "learnability", **ADDRESSES["learnability"].write(SPEC, LearnabilityView(gallery="all", basket=(1, 2, 5))))
    app.run()  # the charts come a moment after the gallery
    assert not app.exception
    assert "How k(x,x) is distributed" in [item.value for item in app.subheader]
    labels = [b.label for b in app.get("download_button")]
    assert any("Whole ranking, 60 images" in label for label in labels)
    assert basket(ws, SPEC.dataset) == (1, 2, 5) and "basket" not in app.query_params  # the server has it


def test_inspector_opens_by_link(app, ws):
    LEARNABILITY.compute(SPEC, ws, Recording())
    opened(app, "learnability", **ADDRESSES["learnability"].write(SPEC, LearnabilityView(image=3, gallery="all")))
    assert any(b.label == "Next" for b in app.button)
    button(app, "Next").click().run()
    assert not app.exception
    assert app.query_params["image"] != "3"


@pytest.mark.parametrize("query", [{"model": "cnn4"}, {"n": "100000", "model": "cnn3"}])
def test_what_cannot_be_computed_is_said_with_a_remedy(app, query):
    opened(app, "learnability", **query)
    assert app.error or app.info
    assert not any(b.label == "Compute" and not b.disabled for b in app.button)


def test_damage_is_said_and_repaired(app, ws):
    LEARNABILITY.compute(SPEC, ws, Recording())
    key = dict(LEARNABILITY.artifacts(SPEC, ws))["training"]
    tile = next(p for p in (ws.settings.cache_dir / "artifacts" / "training" / key).rglob("c/**/*") if p.is_file())
    tile.write_bytes(tile.read_bytes()[:-3])
    opened(app, "learnability", **ADDRESSES["learnability"].write(SPEC))
    assert "damaged" in app.warning[0].value
    assert ws.jobs.state(LEARNABILITY.key(SPEC, ws)) is not None


def test_jobs_page(app, ws):
    LEARNABILITY.compute(SPEC, ws, Recording())
    LEARNABILITY.request(SPEC, ws)
    opened(app, "jobs")
    assert any("No worker" in w.value for w in app.warning)
    assert any("Learnability of Digits" in m.value for m in app.markdown)


def test_what_runs_stands_above_what_waits_and_what_ended(app, ws, monkeypatch):
    states = ("done", "running", "queued", "done", "failed", "running", "done", "queued")
    for place, _ in enumerate(states):
        spec = SPEC.model_copy(update={"dataset": SPEC.dataset.model_copy(update={"seed": place})})
        LEARNABILITY.request(spec, ws)
    real, start = Jobs.list, datetime(2026, 1, 1, tzinfo=UTC)

    def listed(self, count):
        later = [start + timedelta(minutes=place) for place in range(len(states))]
        ended = [None if state in ("running", "queued") else moment for state, moment in zip(states, later, strict=True)]
        found = zip(states, ended, strict=True)
        said = [{"title": f"number {place}", "status": state, "finished": end} for place, (state, end) in enumerate(found)]
        return [replace(job, created=start, **changes) for job, changes in zip(real(self, count), said, strict=True)]

    monkeypatch.setattr(Jobs, "list", listed)
    opened(app, "jobs")
    shown = [int(text.value[len("**number ")]) for text in app.markdown if text.value.startswith("**number ")]
    assert shown == [1, 5, 2, 7, 6, 4, 3, 0]
    (earlier,) = app.expander
    assert earlier.label == "3 earlier jobs"


def test_images_page(app):
    opened(app, "images")
    assert button(app, "Import").disabled


def test_streamlit_never_runs_a_page_past_the_router():
    """The pinned Streamlit still has the internal switch that app.py turns (see app.py)."""
    from streamlit.runtime.pages_manager import PagesManager

    assert isinstance(PagesManager.uses_pages_directory, bool | None)


def test_a_damaged_own_set_is_listed_and_can_be_removed(app, cache, tmp_path):
    np.savez(tmp_path / "set.npz", images=np.arange(8 * 64, dtype=np.uint8).reshape(8, 8, 8), labels=np.arange(8) % 2)
    own = import_images(tmp_path / "set.npz", cache, name="**mine** <b>x</b>").content_id
    opened(app, "images")
    assert not button(app, "Explore").disabled
    (cache.cache_dir / "sets" / own / "set.json").write_text("{")
    opened(app, "images")
    assert app.error
    assert button(app, "Explore").disabled
    button(app, "Delete it").click().run()
    assert not app.exception
    assert not any(b.label == "Explore" for b in app.button)


def test_what_is_kept_says_what_it_is_of(app, ws):
    """Also what names no data set itself: a verification hangs on an influence analysis."""
    influence, _ = ADDRESSES["influence"].read({"classes": ["3", "8"], "n": "20", "test": "6"})
    INFLUENCE.compute(influence, ws, Recording())
    spec = VerificationSpec(influence=influence, removed=(1, 2), ridge=1.0, time=0.05, width=16)
    VERIFICATION.compute(spec, ws, Recording())
    opened(app, "jobs")
    rows = app.dataframe[0].value
    assert set(rows["what"]) == {INFLUENCE.word, VERIFICATION.word}
    assert any(text == VERIFICATION.title(spec, ws) for text in rows["of"]) and all(rows["of"])
