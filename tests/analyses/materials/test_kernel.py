"""Stored kernels of every form: against explicit Jacobians, in tiles, resumed, with their doctor."""

import numpy as np
import pytest
import torch
from comparison_oracle import jacobians, kernels
from recording import Recording

from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.materials import tiles as tiles_module
from ntkcore.analyses.materials.kernel import ensure_kernel, ensure_spectrum, kernel_key, kernel_network
from ntkcore.analyses.materials.tiles import kernel_pairs, kernel_tiles, tile_side
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import load_dataset
from ntkcore.errors import Cancelled
from ntkcore.kernels import Ways
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec, KernelSpec, ModelSpec
from ntkcore.specs.learnability import LearnabilitySpec

DATASET = DatasetSpec(classes=("3", "5", "8"), n=14)
MODEL = ModelSpec(width=5, depth=1)


def spec(outputs):
    return KernelSpec(dataset=DATASET, model=MODEL, training=None, dtype="float64", outputs=outputs)


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(tiles_module, "TILE", 5)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


@pytest.mark.parametrize("outputs", ["mean", "pseudo", "first", "full"])
def test_every_form_is_the_explicit_one(ws, small_tiles, outputs):
    dataset, reporter = load_dataset(DATASET, ws.settings), Recording()
    artifact = ensure_kernel(spec(outputs), dataset, ws, reporter, "Full kernel")
    j = jacobians(kernel_network(spec(outputs), dataset, ws, Recording()), torch.from_numpy(dataset.inputs).double())
    found, wanted = artifact.read("kernel"), kernels(j, j)[outputs]
    assert found.dtype == np.float64 and artifact.layout("kernel").grid[:2] == (3, 3)
    np.testing.assert_allclose(found, wanted, atol=1e-12 * np.abs(wanted).max())
    np.testing.assert_array_equal(found, found.swapaxes(0, 1).swapaxes(-1, -2) if found.ndim == 4 else found.T)
    assert artifact.info["batch_invariance"] < 1e-12
    assert reporter.reports[-1] == ("Full kernel", 6) and all(done <= 6 for _, done in reporter.reports)
    assert any(name.startswith(f"kernel-{outputs}-float64") for name in ws.rates._read())


@pytest.mark.parametrize("outputs", ["mean", "full"])
def test_cancelled_it_goes_on_at_the_missing_tiles(tmp_path, small_tiles, outputs):
    whole, broken = Workspace(Settings(cache_dir=tmp_path / "whole")), Workspace(Settings(cache_dir=tmp_path / "broken"))
    dataset = load_dataset(DATASET, whole.settings)
    ensure_kernel(spec(outputs), dataset, whole, Recording(), "Full kernel")
    with pytest.raises(Cancelled):
        ensure_kernel(spec(outputs), dataset, broken, Recording(stop_at=("Full kernel", 2)), "Full kernel")
    folder = broken.settings.cache_dir / "drafts" / "kernel" / kernel_key(spec(outputs), broken) / "arrays"
    done = {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("c/**/*") if path.is_file()}
    assert 0 < len(done) < 9
    artifact = ensure_kernel(spec(outputs), dataset, broken, Recording(), "Full kernel")
    for name, moment in done.items():
        assert (artifact.folder / "arrays" / name).stat().st_mtime_ns == moment
    np.testing.assert_array_equal(artifact.read("kernel"), whole.store.open("kernel", artifact.key).read("kernel"))


def test_all_parts_are_computed_in_the_ways_of_the_first(tmp_path, small_tiles, monkeypatch):
    """Also where the machine finds another way quicker when the job goes on; the artifact says which they were."""
    single = spec("pseudo").model_copy(update={"dtype": "float32"})
    used: list[Ways] = []
    tiles = tiles_module.ntk_tiles
    monkeypatch.setattr(tiles_module, "ntk_tiles", lambda *given, **options: used.append(options["ways"]) or tiles(*given, **options))
    ws, first, later = Workspace(Settings(cache_dir=tmp_path)), Ways("onednn", "windows"), Ways("blas", "grouped")
    dataset = load_dataset(DATASET, ws.settings)
    monkeypatch.setattr(tiles_module, "chosen", lambda seconds: first)
    with pytest.raises(Cancelled):
        ensure_kernel(single, dataset, ws, Recording(stop_at=("Full kernel", 2)), "Full kernel")
    monkeypatch.setattr(tiles_module, "chosen", lambda seconds: later)
    artifact = ensure_kernel(single, dataset, ws, Recording(), "Full kernel")
    assert used == [first, first]
    assert artifact.json("ways") == first.to_json()
    assert {"way products blas", "way weights by groups"} <= ws.rates._read().keys()  # remembered for the next process


def test_a_tile_of_blocks_stays_small():
    assert tile_side("pseudo", 100, "float32") == 256
    for k, dtype in ((10, "float32"), (100, "float64"), (2000, "float64")):
        side = tile_side("full", k, dtype)
        assert side >= 1 and (side == 1 or side**2 * k**2 * np.dtype(dtype).itemsize <= tiles_module.TILE_BYTES)


@pytest.mark.parametrize(("n", "side"), [(1, 5), (5, 5), (14, 5), (100, 7)])
def test_pairs_are_those_of_the_tiles(n, side):
    edges = [min(side, n - start) for start in range(0, n, side)]
    assert kernel_pairs(n, side) == sum(a * b for i, a in enumerate(edges) for b in edges[i:])
    assert kernel_tiles(n, side) == sum(1 for i in range(len(edges)) for _ in edges[i:])


def test_the_spectrum_has_its_kernels_doctor_and_learnability_shows_it(ws):
    chosen = LearnabilitySpec(dataset=DATASET, model=MODEL, dtype="float64", training={"epochs": 1})
    LEARNABILITY.compute(chosen, ws, Recording())
    doctor = LEARNABILITY.open(chosen, ws).doctor
    dataset = load_dataset(DATASET, ws.settings)
    spectrum = ensure_spectrum(chosen.kernel, dataset, ws, Recording(), "Spectrum", "Full kernel")
    values = np.linalg.eigvalsh(ws.store.open("kernel", spectrum.key).read("kernel"))
    share = values[values > 0] / values[values > 0].sum()
    assert doctor.n == doctor.columns == 14 and doctor.dtype == "float64"
    assert doctor.largest == pytest.approx(values[-1], rel=1e-10)
    assert doctor.effective_rank == pytest.approx(np.exp(-(share * np.log(share)).sum()), rel=1e-9)
    assert doctor.asymmetry == 0 and doctor.batch_invariance < 1e-12
    bare = chosen.model_copy(update={"full_kernel": False})
    LEARNABILITY.compute(bare, ws, Recording())
    assert LEARNABILITY.open(bare, ws).doctor is None
