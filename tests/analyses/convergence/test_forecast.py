"""The convergence forecast: monotone, from measured rates, refusing what cannot fit with what would."""

import numpy as np
import pytest
from recording import Recording

from ntkcore.analyses.convergence.analysis import CONVERGENCE
from ntkcore.analyses.convergence.forecast import convergence_stages
from ntkcore.analyses.forecast import sample_of
from ntkcore.analyses.materials.probes import SOLVE_RATE, START, VALUES_RATE, KernelRates, kernel_rates
from ntkcore.analyses.materials.tiles import kernel_pairs, tile_side
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import DataError, ModelError, SpecError
from ntkcore.settings import Settings
from ntkcore.specs.convergence import ConvergenceSpec


def spec(n=100, **values):
    base = {"dataset": {"n": n}, "test": 20, "depth": 1, "widths": (4, 6, 8), "seeds": 2, "looks": (0, 2)}
    return ConvergenceSpec.model_validate(base | values)


@pytest.fixture
def ws(cache, monkeypatch):
    monkeypatch.setattr("ntkcore.analyses.convergence.timing.OUTPUTS", (1, 10))
    monkeypatch.setattr("ntkcore.analyses.convergence.timing.DEPTHS", (1,))
    return Workspace(cache)


def test_more_work_takes_longer(ws):
    small = CONVERGENCE.forecast(spec(), ws)
    assert not small.refusal and small.largest_n == 100
    assert [stage.name for stage in small.stages] == ["Reading images", "Training", "Kernels", "Comparison", "Timing"]
    assert small.seconds == pytest.approx(sum(stage.seconds for stage in small.stages))
    for more in (spec(n=200), spec(seeds=4), spec(looks=(0, 2, 30)), spec(widths=(4, 6, 8, 12))):
        larger = CONVERGENCE.forecast(more, ws)
        assert larger.seconds > small.seconds and larger.disk > small.disk and larger.memory >= small.memory
    assert CONVERGENCE.forecast(spec(n=1000), ws).memory > small.memory


@pytest.mark.measures  # two rates are given, and the others known nowhere else
def test_the_full_kernels_solves_grow_with_the_cube(ws):
    """Seconds of the comparisons, from rates that are given: per (side of the system)³ 1 ns for eigenvalues and 2 ns for regressions."""
    ws.rates.learn(VALUES_RATE, 1e-9, 1)
    ws.rates.learn(SOLVE_RATE, 2e-9, 1)

    def comparing(n):
        return next(stage.seconds for stage in CONVERGENCE.forecast(spec(n=n), ws).stages if stage.name == "Comparison")

    points, m, k = 3 * 2 * 2, 20, 10
    for n in (400, 800):
        solves = 3e-9 * ((n * k) ** 3 + 2 * n**3)  # the full kernel's side is n k, the two cheap ones' is n
        passes = 1e-7 * (n + m) * n * k**2
        assert comparing(n) == pytest.approx(points * (0.04 + solves + passes + START))


@pytest.mark.measures
def test_only_the_ends_are_measured_and_the_middle_lies_between(ws):
    CONVERGENCE.forecast(spec(), ws)
    known = {name for name in ws.rates._read() if name.startswith(("kernel-full", "gradients-full"))}
    assert {name.split("fcn-")[1].split("-")[0] for name in known} == {"4", "8"}
    sample = sample_of(spec().dataset, ws)
    stages = {stage.name: stage.seconds for stage in convergence_stages(spec(), sample, ws)}
    low, _, high, _ = (kernel_rates("full", model, "float32", sample, ws) for model in spec().models() if model.width != 6)
    share = np.log(6 / 4) / np.log(8 / 4)  # of the way on the logarithmic scale; each rate has a power law of its own
    middle = KernelRates(low.image ** (1 - share) * high.image**share, low.pair ** (1 - share) * high.pair**share)
    pairs = kernel_pairs(100, tile_side("full", 10, "float32")) + 20 * 100
    for width, rates in ((4, low), (6, middle), (8, high)):
        assert stages[f"Full kernel (width {width}, seed 0, epoch 0)"] == pytest.approx(rates.seconds(2 * 100 + 20, pairs))


def small(n=20, **values):
    return spec(dataset={"n": n, "classes": ("0", "3", "7")}, widths=(4, 6), **values)


def test_what_is_stored_costs_nothing_more(ws):
    CONVERGENCE.compute(small(), ws, Recording())
    assert CONVERGENCE.forecast(small(), ws).seconds < 1
    more = CONVERGENCE.forecast(small(seeds=3), ws)
    stages = {stage.name: stage for stage in convergence_stages(small(seeds=3), sample_of(small().dataset, ws), ws)}
    assert more.seconds > 0 and stages["Training (width 4, seed 0)"].seconds == 0 < stages["Training (width 4, seed 2)"].seconds


def test_disk_written_is_within_the_forecast(ws):
    """The three pictures of every comparison are its largest part; scratch and checkpoints are gone in the end."""
    chosen = small(n=80, looks=(0,))
    forecast = CONVERGENCE.forecast(chosen, ws)
    CONVERGENCE.compute(chosen, ws, Recording())
    written = sum(entry.bytes for entry in ws.store.entries())
    assert 4 * 3 * 4 * 80**2 < written <= forecast.disk


def test_what_cannot_fit_is_refused_with_what_would(tmp_path):
    ws = Workspace(Settings(cache_dir=tmp_path, job_memory=1500 * 2**20))
    forecast = CONVERGENCE.forecast(spec(n=1500), ws)
    assert "would fit" in forecast.refusal and not forecast.stages
    assert 4 <= forecast.largest_n < 1500
    assert not CONVERGENCE.forecast(spec(n=forecast.largest_n), ws).refusal
    assert CONVERGENCE.forecast(spec(n=forecast.largest_n + 1), ws).refusal
    with pytest.raises(SpecError) as caught:
        CONVERGENCE.require_fit(spec(n=1500), ws)
    assert "fewer" in caught.value.remedy


def test_impossible_requests_are_errors_before_anything_runs(ws):
    with pytest.raises(DataError):
        CONVERGENCE.forecast(spec(n=1797), ws)  # none is left to hold out
    with pytest.raises(SpecError):
        CONVERGENCE.forecast(spec(dataset={"n": 100, "classes": ("0", "1")}), ws)
    with pytest.raises(ModelError):
        CONVERGENCE.forecast(ConvergenceSpec.model_validate({"architecture": "cnn4"}), ws)
