"""Remembered rates."""

import threading

import pytest

from ntkcore.analyses.rates import Rates


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


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"work": "x"}', '{"work": -1}', '{"work": null}'])
def test_a_damaged_file_is_measured_again(tmp_path, content):
    (tmp_path / "rates.json").write_text(content)
    assert Rates(tmp_path / "rates.json").get("work", lambda: 0.5) == 0.5


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path):
    (tmp_path / "file").write_text("")
    rates = Rates(tmp_path / "file" / "rates.json")
    assert rates.get("work", lambda: 0.5) == 0.5
