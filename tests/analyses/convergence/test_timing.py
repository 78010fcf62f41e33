"""What a pair costs: measured, bounded, kept."""

import numpy as np
import pytest
from recording import Recording

from ntkcore.analyses.convergence import timing
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled

SPEC = timing.TimingSpec(architecture="fcn", width=8, depth=2, input_shape=(1, 4, 4), outputs=3, dtype="float32", device="cpu")


@pytest.fixture
def ws(cache, monkeypatch):
    monkeypatch.setattr(timing, "OUTPUTS", (1, 4))
    monkeypatch.setattr(timing, "DEPTHS", (1, 3))
    return Workspace(cache)


def test_both_series_are_measured_once(ws):
    reporter = Recording()
    found = timing.ensure_timing(SPEC, ws, reporter)
    np.testing.assert_array_equal(found.over_outputs, [1, 3, 4])  # the analysis's own number is always among them
    np.testing.assert_array_equal(found.over_depth, [1, 2, 3])
    for series in (found.outputs_seconds, found.depth_seconds):
        assert set(series) == {"pseudo", "full"}
        assert all((values > 0).all() and np.isfinite(values).all() for values in series.values())
    assert max(done for _, done in reporter.reports) == 11  # of 12 measurements, the last being under way
    again = timing.ensure_timing(SPEC, ws, Recording(stop_at=("Timing", 0)))
    assert again.created == found.created


def test_a_series_ends_where_it_would_take_too_long(ws, monkeypatch):
    taken = {1: 0.001, 3: 0.02, 4: 1.0}
    monkeypatch.setattr(timing, "BUDGET", 0.5)
    monkeypatch.setattr(timing, "_seconds", lambda spec, name, place, form, waiting: 1000.0 if form == "full" else taken.get(place, 1.0))
    found = timing.ensure_timing(SPEC, ws, Recording())
    assert np.isfinite(found.outputs_seconds["full"]).tolist() == [True, False, False]
    assert np.isfinite(found.outputs_seconds["pseudo"]).tolist() == [True, True, True]


def test_an_architecture_of_fixed_depth_has_one_series(ws):
    fixed = SPEC.model_copy(update={"architecture": "cnn3", "depth": None, "input_shape": (1, 8, 8), "width": 2})
    found = timing.ensure_timing(fixed, ws, Recording())
    assert len(found.over_depth) == 0 and found.depth is None


def test_cancelled_it_goes_on_after_the_finished_series(ws):
    with pytest.raises(Cancelled):
        timing.ensure_timing(SPEC, ws, Recording(stop_at=("Timing", 7)))
    reporter = Recording()
    timing.ensure_timing(SPEC, ws, reporter)
    assert min(done for _, done in reporter.reports) == 6


def test_the_device_is_part_of_the_key(ws):
    assert timing.timing_key(SPEC) != timing.timing_key(SPEC.model_copy(update={"device": "cuda:0"}))
