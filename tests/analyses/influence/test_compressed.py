"""Compressed gradients in an influence analysis: the same weights kept for all images, and the error told that was made."""

import json

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from recording import Recording

from ntkcore.analyses.forecast import sample_of
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.kernel import KEPT
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.materials.split import load_split
from ntkcore.analyses.materials.tiles import kernel_rate_names
from ntkcore.analyses.progress import PAIRS
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled
from ntkcore.kernels import Compression, empirical_ntk
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import Settings
from ntkcore.specs.influence import InfluenceSpec

DATA = {"classes": ("3", "5", "8"), "n": 14}
MODEL = {"architecture": "fcn", "width": 64, "depth": 2, "seed": 3}  # 4096 weights in each of two layers: more than are kept


def spec(kernel="pseudo", compression="subset", **values):
    base = {"dataset": DATA, "test": 6, "kernel": kernel, "model": MODEL, "dtype": "float64", "compression": compression}
    return InfluenceSpec.model_validate(base | values)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def computed(chosen, ws):
    INFLUENCE.compute(chosen, ws, Recording())
    result = INFLUENCE.open(chosen, ws)
    return result, ws.store.open("influence", result.key).read("k_train")


@pytest.mark.parametrize("kernel", ["pseudo", "full"])
def test_both_kernels_keep_the_same_weights_and_the_doctor_tells_the_error(ws, kernel):
    result, train = computed(spec(kernel), ws)
    split = load_split(spec().dataset, 6, ws)
    module = network(spec().model, split.train, ws).double()
    x, z = (torch.from_numpy(part).double() for part in (split.train.inputs, split.test_inputs))
    kept = Compression("subset", KEPT, seed=3)
    expected = empirical_ntk(module, torch.cat([x, z]), outputs=kernel, compression=kept)
    whole = empirical_ntk(module, torch.cat([x, z]), outputs=kernel).values
    n = len(x)
    np.testing.assert_allclose(train, expected.values[:n, :n], rtol=1e-10, atol=1e-12 * train.max())
    np.testing.assert_allclose(result.k_test, expected.values[n:, :n], rtol=1e-10, atol=1e-12 * train.max())
    error = np.linalg.norm(train - whole[:n, :n]) / np.linalg.norm(whole[:n, :n])
    assert error > 1e-3  # it is not the kernel that was asked to be compressed
    assert result.doctor.compression_error == pytest.approx(error, rel=1e-9)
    assert any("compressed" in finding for finding in result.doctor.findings)


def test_another_seed_keeps_other_weights(ws):
    one, other = (computed(spec(model=MODEL | {"seed": seed}), ws)[0].doctor.compression_error for seed in (3, 4))
    assert one != other


def test_an_interrupted_kernel_goes_on_with_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr("ntkcore.analyses.materials.tiles.TILE", 4)
    whole, broken = Workspace(Settings(cache_dir=tmp_path / "whole")), Workspace(Settings(cache_dir=tmp_path / "broken"))
    with pytest.raises(Cancelled):
        INFLUENCE.compute(spec(), broken, Recording(stop_at=(PAIRS, 40)))
    np.testing.assert_array_equal(computed(spec(), broken)[1], computed(spec(), whole)[1])


def test_without_compression_nothing_is_new(ws):
    """Keys of results from before there was a choice stay."""
    plain = spec(compression="none")
    assert "compression" not in json.loads(plain.canonical()) and "compression" not in plain.model_dump()
    assert plain == InfluenceSpec.model_validate(plain.model_dump())
    assert INFLUENCE.key(plain, ws) != INFLUENCE.key(spec(), ws)
    assert computed(plain, ws)[0].doctor.compression_error is None


def test_it_is_in_the_address():
    for address in (ADDRESSES["influence"], ADDRESSES["information"]):
        query = address.write(spec())
        assert query["compress"] == "subset" and address.read(query)[0] == spec()
        assert "compress" not in address.write(spec(compression="none"))


@pytest.mark.parametrize("kernel", ["two-layer", "infinite"])
def test_infinite_width_has_nothing_to_compress(kernel):
    with pytest.raises(ValidationError, match="not made of gradients"):
        InfluenceSpec.model_validate({"kernel": kernel, "compression": "subset"})


def test_its_forecast_has_rates_of_its_own(ws):
    chosen = spec(dtype="float32")
    found = INFLUENCE.forecast(chosen, ws)
    assert found.seconds > 0 and not found.refusal
    sample = sample_of(chosen.dataset, ws)
    names = [kernel_rate_names("pseudo", "float32", chosen.model, sample, ws.device, compressed) for compressed in (False, True)]
    assert len({name for pair in names for name in pair}) == 4
    assert all(ws.rates.get(name) is not None for pair in names for name in pair)
