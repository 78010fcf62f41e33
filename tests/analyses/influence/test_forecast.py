"""The influence forecast: every stage, from measured rates, refusing what cannot fit with what would."""

import pytest
from recording import Recording

from ntkcore.analyses.forecast import HELPER_MEMORY, sample_of
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.forecast import influence_stages
from ntkcore.analyses.materials.memory import kernel_memory
from ntkcore.analyses.progress import IMAGES, PAIRS, SPECTRUM, TRAINING
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import DataError, ModelError, SpecError
from ntkcore.settings import Settings
from ntkcore.specs.influence import InfluenceSpec

FCN = {"architecture": "fcn", "width": 8, "depth": 1}


def spec(kernel="two-layer", n=100, **values):
    base = {"dataset": {"n": n}, "test": 20, "kernel": kernel} | ({} if kernel == "two-layer" else {"model": FCN})
    return InfluenceSpec.model_validate(base | values)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


@pytest.mark.parametrize("kernel", ["two-layer", "infinite", "pseudo", "full"])
def test_the_stages_and_their_totals(ws, kernel):
    chosen = spec(kernel, training={"epochs": 3} if kernel in ("pseudo", "full") else None)
    stages = {stage.name: stage for stage in influence_stages(chosen, sample_of(chosen.dataset, ws), ws)}
    totals = {IMAGES: 120, PAIRS: 100 * 100 + 20 * 100, SPECTRUM: 1} | ({TRAINING: 300} if chosen.training else {})
    assert {name: stage.total for name, stage in stages.items()} == totals
    order = list(stages)
    assert (order[0], order[-1]) == (IMAGES, SPECTRUM)
    assert all(stage.seconds > 0 for stage in stages.values())
    found = INFLUENCE.forecast(chosen, ws)
    assert not found.refusal and found.largest_n == 100
    assert found.seconds == pytest.approx(sum(stage.seconds for stage in found.stages))


@pytest.mark.parametrize(
    ("kernel", "more"),
    [
        ("two-layer", {"n": 400}),
        ("two-layer", {"test": 900}),
        ("infinite", {"n": 400}),
        ("pseudo", {"n": 400}),
        ("pseudo", {"training": {"epochs": 50}}),
        ("full", {"n": 200}),
    ],
)
def test_more_work_takes_longer(ws, kernel, more):
    small = INFLUENCE.forecast(spec(kernel), ws)
    large = INFLUENCE.forecast(spec(kernel, **more), ws)
    assert large.seconds > small.seconds
    if "training" not in more:
        assert large.memory > small.memory and large.disk > small.disk


def test_the_full_kernels_system_has_a_row_for_each_output(ws):
    """Ten outputs: five matrices of (10 n)² numbers instead of n², features of ten gradients, a decomposition of a thousandfold."""
    chosen = [spec(kernel, n=100) for kernel in ("pseudo", "full")]
    pseudo, full = (INFLUENCE.forecast(one, ws) for one in chosen)
    sample = sample_of(chosen[0].dataset, ws)
    tiles = [kernel_memory(one.kernel, one.model, one.dtype, sample, ws)(100, 20) for one in chosen]
    assert tiles[1] > tiles[0]
    assert full.memory - pseudo.memory == 8 * 99 * (5 * 100**2 + 3 * 20 * 100) + tiles[1] - tiles[0]

    def deciding(found):
        return next(stage.seconds for stage in found.stages if stage.name == SPECTRUM) - 0.02

    assert deciding(full) == pytest.approx(1000 * deciding(pseudo))


def test_a_large_system_is_decomposed_in_a_process_of_its_own(ws):
    """Which takes time to begin and memory for its libraries and copies."""
    small, large = (INFLUENCE.forecast(spec("two-layer", n=n), ws) for n in (1200, 1201))
    seconds = [next(stage.seconds for stage in found.stages if stage.name == SPECTRUM) for found in (small, large)]
    assert seconds[1] - seconds[0] > 0.3
    assert large.memory - small.memory > 3 * 8 * 1200**2 + HELPER_MEMORY


def test_a_network_takes_the_memory_of_its_features(ws):
    """Up to the share of the machine that is kept for them, which no number of images passes."""
    chosen = spec("pseudo", n=1000)
    memory = kernel_memory("pseudo", chosen.model, "float32", sample_of(chosen.dataset, ws), ws)
    few, more, most, beyond = (memory(n) for n in (300, 600, 10**8, 10**9))
    assert more > few and most == beyond > more


def test_a_network_that_is_trained_already_costs_no_training(ws):
    few = {"n": 30, "classes": ("0", "3", "7")}
    chosen = spec("pseudo", dataset=few, training={"epochs": 2})
    INFLUENCE.compute(chosen, ws, Recording())
    for other in (chosen, chosen.model_copy(update={"test": 30})):
        stages = {stage.name: stage.seconds for stage in influence_stages(other, sample_of(other.dataset, ws), ws)}
        assert stages[TRAINING] == 0 < stages[PAIRS]
    longer = spec("pseudo", dataset=few, training={"epochs": 4})
    assert {stage.name: stage.seconds for stage in influence_stages(longer, sample_of(longer.dataset, ws), ws)}[TRAINING] > 0


@pytest.mark.parametrize("kernel", ["two-layer", "full"])
def test_disk_written_is_within_the_forecast(ws, kernel):
    chosen = spec(kernel, dataset={"n": 60, "classes": ("0", "3", "7")})
    forecast = INFLUENCE.forecast(chosen, ws)
    INFLUENCE.compute(chosen, ws, Recording())
    written = sum(entry.bytes for entry in ws.store.entries())
    side = 60 * (3 if kernel == "full" else 1)
    assert 8 * side**2 < written <= forecast.disk  # at least the eigenvectors, in float64; they do not compress


@pytest.mark.parametrize(("kernel", "memory", "n"), [("two-layer", 650, 1500), ("full", 800, 900)])
def test_what_cannot_fit_is_refused_with_what_would(tmp_path, kernel, memory, n):
    ws = Workspace(Settings(cache_dir=tmp_path, job_memory=memory * 2**20))
    forecast = INFLUENCE.forecast(spec(kernel, n=n), ws)
    assert f"{forecast.largest_n:,} images would fit" in forecast.refusal and not forecast.stages and forecast.seconds == 0
    assert ("serves all outputs" in forecast.refusal) == (kernel == "full")
    assert 4 <= forecast.largest_n < n
    assert not INFLUENCE.forecast(spec(kernel, n=forecast.largest_n), ws).refusal
    assert INFLUENCE.forecast(spec(kernel, n=forecast.largest_n + 1), ws).refusal
    with pytest.raises(SpecError) as caught:
        INFLUENCE.require_fit(spec(kernel, n=n), ws)
    assert "would fit" in caught.value.message and "fewer images" in caught.value.remedy
    INFLUENCE.require_fit(spec(kernel, n=forecast.largest_n), ws)


def test_impossible_requests_are_errors_before_anything_runs(ws):
    with pytest.raises(DataError):
        INFLUENCE.forecast(spec(n=1797), ws)  # none is left to hold out
    with pytest.raises(ModelError):
        INFLUENCE.forecast(spec("pseudo", model={"architecture": "cnn4"}), ws)  # digits are too small
    with pytest.raises(ModelError):
        INFLUENCE.forecast(spec("infinite", model={"architecture": "cnn4"}), ws)
    assert not ws.store.entries()
