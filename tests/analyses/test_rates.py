"""Remembered rates."""

import dataclasses
import threading
import time

import pytest

from ntkcore.analyses import rates as module
from ntkcore.analyses.rates import Rate, Rates, clocked

NOW = 1e9  # seconds since 1970
LONG_AGO = NOW - 91 * 86400
QUIET, BUSY = 0.0, 0.6  # shares of the processors in others' hands


def rate(seconds, others=QUIET, at=NOW, threads=2):
    return Rate(seconds, others, at, threads)


@pytest.fixture
def still(monkeypatch):
    """A clock that stands still until it is moved, a quiet machine, and probes beside which nothing runs unless said."""

    class Machine:
        now, loaded, others = NOW, False, 0.0

    machine = Machine()
    monkeypatch.setattr(module.time, "time", lambda: machine.now)
    monkeypatch.setattr(module, "quiet", lambda: not machine.loaded)
    write = Rates._write
    monkeypatch.setattr(Rates, "_write", lambda self, measured, others: write(self, measured, machine.others))
    return machine


def test_unknown_rate_is_measured_once_and_remembered(tmp_path):
    calls = []

    def probe():
        calls.append(1)
        return 0.25

    rates = Rates(tmp_path / "rates.json")
    threads = [threading.Thread(target=lambda: rates.get("work", probe)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert Rates(tmp_path / "rates.json").get("work") == 0.25
    assert rates.get("other") is None


def test_finished_work_corrects_the_rate(tmp_path):
    rates = Rates(tmp_path / "rates.json")
    rates.learn("work", 10.0, 5)
    assert rates.get("work") == 2.0
    rates.learn("work", 20.0, 5)
    assert rates.get("work") == 3.0
    rates.learn("work", 0.0, 5)
    assert rates.get("work") == 3.0


@pytest.mark.parametrize(
    ("known", "new", "expected"),
    [
        (rate(2.0), rate(4.0), 3.0),  # two good ones: half-way
        (rate(2.0), rate(3.0, BUSY), 2.0),  # between 1.2 and 3 alone: nothing against 2
        (rate(2.0), rate(1.0, BUSY), 1.5),  # at most 1 alone
        (rate(0.2), rate(1.0, BUSY), 0.3),  # at least 0.4 alone
        (rate(9.0, BUSY), rate(4.0), 4.0),  # a poor one gives way to a good one
        (rate(9.0, BUSY), rate(4.0, BUSY), 4.0),  # and to a better one
        (rate(4.0, BUSY), rate(9.0, BUSY), 4.0),  # but not to a worse one
        (rate(9.0, at=LONG_AGO), rate(4.0), 4.0),  # an old one gives way
        (rate(9.0, threads=1), rate(4.0, BUSY), 4.0),  # one of other threads is another rate
    ],
)
def test_a_measurement_moves_a_rate_into_its_bounds(known, new, expected):
    assert known.corrected(new).seconds == pytest.approx(expected)


def test_a_measurement_that_says_nothing_leaves_a_rate_as_good_as_it_was():
    assert rate(2.0).corrected(rate(3.0, BUSY)).others == QUIET
    assert rate(4.0, BUSY, NOW - 700).corrected(rate(9.0, BUSY)) == rate(4.0, BUSY)  # it was tried again, now


def test_a_poor_rate_is_measured_again_once_the_machine_is_quiet(tmp_path, still):
    rates = Rates(tmp_path / "rates.json")
    still.others, still.loaded = BUSY, True
    assert rates.get("work", lambda: 9.0) == 9.0
    still.now += 3600
    assert rates.get("work", lambda: 1.0) == 9.0  # a measurement now would be as poor
    still.loaded = False
    assert rates.get("work", lambda: 8.0) == 8.0
    assert rates.get("work", lambda: 1.0) == 8.0  # not at every look
    still.now, still.others = still.now + 3600, QUIET
    assert rates.get("work", lambda: 2.0) == 2.0
    still.now += 3600
    assert rates.get("work", lambda: 1.0) == 2.0  # it is good now
    still.now += 100 * 86400
    assert rates.get("work", lambda: 1.0) == 1.0  # and old


def test_rates_that_one_probe_measures_belong_together(tmp_path, still):
    rates = Rates(tmp_path / "rates.json")
    assert rates.all_of(("a", "b")) is None
    rates.learn("a", 1.0, 1)
    assert rates.all_of(("a", "b")) is None
    assert rates.all_of(("a", "b"), lambda: (3.0, 5.0)) == (2.0, 5.0)
    assert rates.all_of(("b", "a"), lambda: pytest.fail("known")) == (5.0, 2.0)


def test_rates_of_other_threads_are_not_known(tmp_path):
    Rates(tmp_path / "rates.json", threads=2).learn("work", 1.0, 1)
    assert Rates(tmp_path / "rates.json", threads=1).get("work") is None
    assert Rates(tmp_path / "rates.json", threads=2).get("work") == 1.0


def test_the_rates_that_are_used_are_told(tmp_path, still):
    rates = Rates(tmp_path / "rates.json")
    rates.learn("before", 1.0, 1)
    rates.get("before")
    with rates.used() as used:
        rates.get("before")
        rates.get("new", lambda: 2.0)
        rates.get("unknown")
    rates.get("before")
    assert [one.seconds for one in used] == [1.0, 2.0]


def test_a_clock_says_what_work_takes_alone():
    """Waiting takes no processor; what waits for another device takes as long as it takes."""
    with clocked() as here:
        time.sleep(0.02)
    with clocked("cuda:0") as there:
        time.sleep(0.02)
    assert here.alone < here.seconds and there.alone == there.seconds
    assert all(0 <= taken.others <= 1 for taken in (here, there))


def test_seconds_alone_are_bounded_by_both(monkeypatch):
    """On two processors: one second long 0.4 of work here and 0.8 elsewhere."""
    busy, own, now = iter([10.0, 11.2]), iter([5.0, 5.4]), iter([0.0, 1.0])
    monkeypatch.setattr(module, "_busy", lambda: next(busy))
    monkeypatch.setattr(module, "_own", lambda: next(own))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(module.os, "cpu_count", lambda: 2)
    with clocked() as taken:
        pass
    assert dataclasses.astuple(taken) == pytest.approx((1.0, 0.4, 0.4))


@pytest.mark.parametrize(
    "content",
    ["", "{", "[1]", '{"work": "x"}', '{"work": 2.0}', '{"work": [1.0]}', '{"work": [-1, 0, 0, 1]}', '{"work": null}'],
)
def test_a_damaged_file_is_measured_again(tmp_path, content):
    (tmp_path / "rates.json").write_text(content)
    assert Rates(tmp_path / "rates.json").get("work", lambda: 0.5) == 0.5


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path):
    (tmp_path / "file").write_text("")
    rates = Rates(tmp_path / "file" / "rates.json")
    assert rates.get("work", lambda: 0.5) == 0.5
