"""The forecast: monotone, from measured rates, refusing what cannot fit with what would."""

import pytest
from recording import Recording

from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import DataError, DataMissing, ModelError
from ntkcore.settings import Settings
from ntkcore.specs.learnability import LearnabilitySpec


def spec(**values):
    return LearnabilitySpec.model_validate({"dataset": {"n": 300}, "model": {"width": 8, "depth": 1}, "training": {"epochs": 3}} | values)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def test_more_work_takes_longer(ws):
    small, large = LEARNABILITY.forecast(spec(), ws), LEARNABILITY.forecast(spec(dataset={"n": 1500}), ws)
    assert large.seconds > small.seconds
    assert large.memory > small.memory
    assert large.disk > small.disk
    assert not small.refusal
    assert small.largest_n == 300
    more = LEARNABILITY.forecast(spec(training={"epochs": 30}), ws)
    assert more.seconds > small.seconds


def test_rates_are_those_of_the_work_done(ws):
    LEARNABILITY.compute(spec(), ws, Recording())
    for name in list(ws.rates._read()):
        ws.rates.learn(name, 1e6, 1)  # as if this machine were very slow
    assert LEARNABILITY.forecast(spec(), ws).seconds > 1e6


def test_disk_written_is_close_to_the_forecast(ws):
    """Arrays are counted exactly; documents (ids, manifests) and thumbnails are allowed a megabyte."""
    forecast = LEARNABILITY.forecast(spec(), ws)
    LEARNABILITY.compute(spec(), ws, Recording())
    written = sum(entry.bytes for entry in ws.store.entries())
    assert forecast.disk - 2**21 < written <= forecast.disk


def test_what_cannot_fit_is_refused_with_what_would(tmp_path):
    ws = Workspace(Settings(cache_dir=tmp_path, job_memory=640 * 2**20))
    forecast = LEARNABILITY.forecast(spec(dataset={"n": 1797}), ws)
    assert "would fit" in forecast.refusal
    assert 4 <= forecast.largest_n < 1797
    smaller = LEARNABILITY.forecast(spec(dataset={"n": forecast.largest_n}), ws)
    assert not smaller.refusal
    one_more = LEARNABILITY.forecast(spec(dataset={"n": forecast.largest_n + 1}), ws)
    assert one_more.refusal
    assert not LEARNABILITY.forecast(spec(dataset={"n": 1797}, full_kernel=False), ws).refusal


def test_nothing_fits(tmp_path):
    ws = Workspace(Settings(cache_dir=tmp_path, job_memory=2**20))
    assert "no number of images" in LEARNABILITY.forecast(spec(), ws).refusal


def test_impossible_requests_are_errors_before_anything_runs(ws, tmp_path):
    with pytest.raises(DataError):
        LEARNABILITY.forecast(spec(dataset={"n": 5000}), ws)
    with pytest.raises(ModelError):
        LEARNABILITY.forecast(spec(model={"architecture": "cnn4"}), ws)
    nowhere = Workspace(Settings(cache_dir=tmp_path / "c", data_dir=tmp_path / "nowhere"))
    with pytest.raises(DataMissing):
        LEARNABILITY.forecast(spec(dataset={"name": "mnist"}), nowhere)
