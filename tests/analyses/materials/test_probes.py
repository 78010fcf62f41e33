"""Work that is timed once on a small sample: by a clock that is told, not by this machine's."""

from contextlib import contextmanager

import pytest

from ntkcore.analyses.forecast import sample_of
from ntkcore.analyses.materials import probes
from ntkcore.analyses.materials.probes import KernelRates, decomposition, kernel_rates, training_rate
from ntkcore.analyses.rates import Taken
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs import DatasetSpec, ModelSpec, TrainingSpec

MODEL = ModelSpec(width=4, depth=1)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


@pytest.fixture
def clock(monkeypatch):
    """What each timed piece takes, one after another; the last for all that follow. Says how many were timed."""
    told, count = [1.0], []

    @contextmanager
    def clocked(device="cpu"):
        taken = Taken()
        yield taken
        taken.alone = told[min(len(count), len(told) - 1)]
        count.append(1)

    monkeypatch.setattr(probes, "clocked", clocked)
    return told, count


def sample(ws, n=40):
    return sample_of(DatasetSpec(classes=("3", "5", "8"), n=n), ws)


@pytest.mark.measures
def test_the_best_of_a_few_epochs_is_a_training_rate(ws, clock):
    """An epoch each: at the start, one that warms up, and two that count; 16 images are enough where they take long."""
    told, _ = clock
    told[:] = [9.0, 9.0, 4.0, 3.2, 9.0, 9.0, 5.0, 5.0]
    assert training_rate(TrainingSpec(epochs=1), MODEL, 40, sample(ws), ws) == pytest.approx(3.2 / 16)


@pytest.mark.measures
def test_gradients_and_products_of_a_kernel_are_timed_each_by_itself(ws, clock):
    """Gradients of 2 images that warm up, then of 16, twice: the better counts; then products of them with all 40 in two such blocks."""
    told, count = clock
    told[:] = [9.0, 0.8, 0.5, 7.0]
    assert kernel_rates("pseudo", MODEL, "float32", sample(ws), ws) == KernelRates(0.5 / 16, 7.0 / (16 * 32))
    before = len(count)
    assert kernel_rates("pseudo", MODEL, "float32", sample(ws), ws).image == 0.5 / 16
    assert len(count) == before  # remembered


@pytest.mark.measures
def test_soon_done_products_are_timed_as_large_as_they_are(ws, clock):
    told, _ = clock
    told[:] = [9.0, 0.8, 0.5, *[0.001] * 4, 0.002]
    assert kernel_rates("pseudo", MODEL, "float32", sample(ws), ws).pair == pytest.approx(0.002 / (32 * 32))


@pytest.mark.parametrize(("outputs", "dtype"), [("mean", "float64"), ("full", "float32")])
@pytest.mark.measures
def test_every_form_has_rates(ws, outputs, dtype):
    found = kernel_rates(outputs, MODEL, dtype, sample(ws), ws)
    assert found.image > 0 and found.pair > 0


def test_a_large_decomposition_begins_in_a_process_of_its_own(ws):
    rate = ws.rates.get("spectrum cpu")
    assert decomposition(1200, ws) == pytest.approx(0.02 + rate * 1200**3)
    assert decomposition(1201, ws) == pytest.approx(0.02 + rate * 1201**3 + probes.START)
