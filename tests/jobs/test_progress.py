"""Fractions, rates and remaining times, by hand."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ntkcore.jobs.progress import Progress

PLAN = [("train", "images", 100, 10.0), ("kernel", "tiles", 4, 30.0)]


def planned():
    progress = Progress()
    progress.plan(PLAN)
    return progress


def test_before_anything_and_before_the_first_report():
    assert Progress().snapshot(0.0) == {"stage": "", "done": 0.0, "total": 0.0, "fraction": 0.0, "rate": None, "unit": "", "eta": None}
    snapshot = planned().snapshot(5.0)
    assert (snapshot["fraction"], snapshot["eta"], snapshot["stage"]) == (0.0, 40.0, "")


def test_shares_are_weighted_by_planned_seconds():
    progress = planned()
    progress.report("train", 50, 1.0)
    assert progress.snapshot(1.0)["fraction"] == pytest.approx(0.5 * 10 / 40)
    progress.report("kernel", 1, 2.0)  # the stage before counts as finished
    assert progress.snapshot(2.0)["fraction"] == pytest.approx((10 + 30 / 4) / 40)
    progress.report("kernel", 9, 3.0)
    assert progress.snapshot(3.0)["fraction"] == 1.0


def test_the_rate_and_the_time_left_are_measured():
    progress = planned()
    for second in range(11):
        progress.report("train", 5 * second, float(second))  # 5 a second: half as fast as planned
    snapshot = progress.snapshot(10.0)
    assert snapshot["rate"] == pytest.approx(5.0) and snapshot["unit"] == "images"
    assert snapshot["eta"] == pytest.approx(50 / 5 + 2 * 30)  # the rest at this rate, the next stage twice its plan
    assert progress.snapshot(14.0)["eta"] == pytest.approx(6 + 60)  # it counts down between reports


def test_what_was_there_on_resuming_is_no_speed():
    progress = planned()
    progress.report("train", 80, 0.0)
    assert progress.snapshot(0.0)["rate"] is None
    progress.report("train", 90, 2.0)
    assert progress.snapshot(2.0)["rate"] == pytest.approx(5.0)
    assert progress.snapshot(2.0)["fraction"] == pytest.approx(0.9 * 10 / 40)


def test_the_rate_follows_the_last_reports():
    progress = planned()
    for second in range(30):
        progress.report("train", second * 0.1, float(second))
    for second in range(30, 61):
        progress.report("train", 3 + (second - 30) * 2, float(second))
    assert progress.snapshot(60.0)["rate"] == pytest.approx(2.0)


def test_stages_of_nothing_or_without_forecast():
    progress = Progress()
    progress.plan([("empty", "x", 0, 1.0), ("rest", "x", 2, 1.0)])
    progress.report("empty", 0, 0.0)
    assert progress.snapshot(0.0)["fraction"] == 0.5
    progress.plan([("a", "x", 2, 0.0), ("b", "x", 2, 0.0)])
    progress.report("a", 1, 1.0)
    assert progress.snapshot(1.0)["fraction"] == 0.25


def test_wrong_plans_and_stages_are_refused():
    with pytest.raises(ValueError, match="same name"):
        Progress().plan([("a", "x", 1, 1), ("a", "x", 1, 1)])
    with pytest.raises(ValueError, match="not planned"):
        planned().report("cooking", 1, 0.0)


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e4)), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.floats(-10, 1e7), st.floats(0, 100)), max_size=20),
)
def test_whatever_is_reported_stays_in_bounds(stages, reports):
    progress, now = Progress(), 0.0
    progress.plan([(str(at), "x", total, seconds) for at, (total, seconds) in enumerate(stages)])
    for at, done, passed in reports:
        now += passed
        progress.report(str(at % len(stages)), done, now)
        snapshot = progress.snapshot(now)
        assert 0.0 <= snapshot["fraction"] <= 1.0 + 1e-9
        assert snapshot["eta"] is None or snapshot["eta"] >= 0.0
        assert snapshot["rate"] is None or snapshot["rate"] > 0.0
