"""A comparison that was interrupted, half finished or damaged comes to the same bytes, and shows meanwhile what is there."""

import json

import numpy as np
import pytest
from convergence_runs import SPEC
from recording import Recording

from ntkcore.analyses.convergence.analysis import CONVERGENCE, ready_points
from ntkcore.analyses.convergence.comparison import comparison_key, open_comparison
from ntkcore.analyses.convergence.making import ensure_comparison
from ntkcore.analyses.materials import tiles as tiles_module
from ntkcore.analyses.materials.split import load_split
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, CorruptArtifact
from ntkcore.settings import Settings
from ntkcore.store import Draft


@pytest.fixture
def ws(cache, few_timings):
    return Workspace(cache)


def files_of(ws, spec):
    """Every byte of the arrays and documents of the comparisons; the seconds of the making are left out."""
    found = {}
    for point in spec.points():
        folder = ws.settings.cache_dir / "artifacts" / "comparison" / comparison_key(point, ws)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "arrays" in path.parts:
                found[str(path.relative_to(folder.parent))] = path.read_bytes()
            elif path.name == "numbers.json":
                content = json.loads(path.read_text())["content"]
                found[str(path.relative_to(folder.parent))] = json.dumps({k: v for k, v in content.items() if k != "seconds"}).encode()
    assert len(found) >= 4 * len(spec.points())
    return found


def test_interrupted_in_the_full_kernel_it_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(tiles_module, "TILE_BYTES", 4 * 4 * 9 * 8)  # tiles of 4 × 4 images
    spec = SPEC.model_copy(update={"looks": (0,), "widths": (6,), "seeds": 1})
    (point,) = spec.points()
    whole, broken = Workspace(Settings(cache_dir=tmp_path / "whole")), Workspace(Settings(cache_dir=tmp_path / "broken"))
    split = load_split(point.dataset, point.test, whole)
    ensure_comparison(point, split, whole, Recording())
    stage = "Full kernel (width 6, seed 0, epoch 0)"
    with pytest.raises(Cancelled):
        ensure_comparison(point, split, broken, Recording(stop_at=(stage, 100)))
    arrays = broken.settings.cache_dir / "drafts" / "comparison" / comparison_key(point, broken) / "arrays"
    done = {path: path.stat().st_mtime_ns for path in (arrays / "full-train").rglob("c/**/*") if path.is_file()}
    assert 0 < len(done) < 9
    kept = []

    class Watching(Recording):
        def report(self, name, value):
            if name.startswith("Comparison") and not kept:
                kept.append({path: path.stat().st_mtime_ns for path in done})
            super().report(name, value)

    ensure_comparison(point, split, broken, Watching())
    assert kept == [done]  # finished tiles were not computed again
    assert files_of(broken, spec) == files_of(whole, spec)
    seconds = open_comparison(point, broken).seconds
    assert np.isnan(seconds["full"]) and seconds["pseudo"] > 0 and seconds["first"] > 0


@pytest.mark.parametrize("at", ["Training", "Comparison", "Timing"])
def test_finished_points_are_visible_while_others_are_missing(ws, at):
    spec = SPEC.model_copy(update={"widths": (6,)})
    name = {"Training": "Training (width 6, seed 1)", "Timing": "Timing"}.get(at, f"{at} (width 6, seed 1, epoch 3)")
    with pytest.raises(Cancelled):
        CONVERGENCE.compute(spec, ws, Recording(stop_at=(name, 1)))
    result = CONVERGENCE.open(spec, ws)
    expected = {"Training": 4, "Comparison": 5, "Timing": 6}[at]
    assert result.ready == ready_points(spec, ws) == expected
    assert not result.complete and not CONVERGENCE.ready(spec, ws) and result.timing is None
    assert [point is not None for point in result.points] == [True] * expected + [False] * (6 - expected)
    assert [point.epoch for point in result.points[:4]] == [0, 0, 2, 3]
    reporter = Recording()
    CONVERGENCE.compute(spec, ws, reporter)
    again = CONVERGENCE.open(spec, ws)
    assert again.complete and CONVERGENCE.ready(spec, ws) and again.class_names == ("3", "5", "8")
    assert all(a is b for a, b in zip(result.points, again.points, strict=True) if a is not None)  # hot, and computed once
    assert {stage for stage, _ in reporter.reports} <= set(reporter.stages)
    assert all(0 <= done <= reporter.stages[stage] + 1e-9 for stage, done in reporter.reports)
    np.testing.assert_array_equal(again.timing.over_outputs, [1, 3])
    assert all((values > 0).all() for values in again.timing.outputs_seconds.values())


def test_damage_is_detected_repaired_and_said(ws):
    CONVERGENCE.compute(SPEC, ws, Recording())
    before = files_of(ws, SPEC)
    point = SPEC.points()[3]
    folder = ws.settings.cache_dir / "artifacts" / "comparison" / comparison_key(point, ws)
    tile = next(path for path in (folder / "arrays" / "spectrum-full").rglob("c/*") if path.is_file())
    tile.write_bytes(tile.read_bytes()[:-9])
    fresh = Workspace(ws.settings)
    with pytest.raises(CorruptArtifact) as caught:
        CONVERGENCE.open(SPEC, fresh)
    job = CONVERGENCE.repair(caught.value, SPEC, fresh)
    assert job.id == CONVERGENCE.key(SPEC, fresh) and not CONVERGENCE.ready(SPEC, fresh)
    CONVERGENCE.compute(SPEC, fresh, Recording())
    assert files_of(fresh, SPEC) == before
    assert any("damaged" in text for text in CONVERGENCE.open(SPEC, fresh).warnings)
    fresh.jobs.close()


def test_stopped_between_a_trainings_last_state_and_its_end_the_training_is_ended_too(ws, monkeypatch):
    spec = SPEC.model_copy(update={"widths": (6,), "seeds": 1})
    real = Draft.publish

    def stopped(draft, *told):
        if draft.kind == "training":
            raise Cancelled
        return real(draft, *told)

    with monkeypatch.context() as patch, pytest.raises(Cancelled):
        patch.setattr(Draft, "publish", stopped)
        CONVERGENCE.compute(spec, ws, Recording())
    (begun,) = (ws.settings.cache_dir / "drafts" / "training").iterdir()
    assert ws.store.state("training", begun.name) == "partial"
    assert any(entry.kind == "state" for entry in ws.store.entries())  # all that the comparisons need is there
    CONVERGENCE.compute(spec, ws, Recording())
    assert ws.store.state("training", begun.name) == "ready"
