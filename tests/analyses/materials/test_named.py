"""Networks by name through the analyses: their kernels, forecasts and keys, and the command line that asks for them."""

import numpy as np
import pytest
import torch
from recording import Recording
from zoo_weights import SMALL, timm_weights

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.materials.about import about
from ntkcore.analyses.materials.network import network, plain_head, rate_name
from ntkcore.analyses.workspace import Workspace
from ntkcore.cli import main
from ntkcore.data import load_dataset
from ntkcore.models import describe_model
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import settings
from ntkcore.specs import DatasetSpec, ModelSpec
from ntkcore.specs.influence import InfluenceSpec

DIGITS = DatasetSpec(classes=("3", "8"), n=24)
MODEL = ModelSpec(architecture=SMALL, weights="pretrained")


@pytest.fixture
def ws(cache, tmp_path, monkeypatch):
    """A workspace with a weights folder."""
    monkeypatch.setenv("NTK_WEIGHTS_DIR", str(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()
    timm_weights(tmp_path / "weights")
    settings.cache_clear()
    yield Workspace(settings())
    settings.cache_clear()


def features(model, inputs):
    """(n, d) float64: what enters the head."""
    found = []
    handle = model.get_submodule("network.classifier").register_forward_pre_hook(lambda _, given: found.append(given[0].double().numpy()))
    with torch.no_grad():
        model(torch.from_numpy(inputs))
    handle.remove()
    return found[0]


def test_the_influence_of_a_pretrained_network_is_kernel_regression_on_its_features(ws):
    spec = InfluenceSpec(dataset=DIGITS, test=10, kernel="pseudo", model=MODEL)
    INFLUENCE.compute(spec, ws, Recording())
    result, data = INFLUENCE.open(spec, ws), load_dataset(DIGITS, ws.settings)
    phi = features(network(MODEL, data, ws), data.inputs)
    np.testing.assert_allclose(result.regression.kernel, phi @ phi.T + 1, rtol=1e-4)
    assert not result.f_test.any()


def test_the_key_follows_the_weights(ws, tmp_path):
    spec = InfluenceSpec(dataset=DIGITS, test=10, kernel="pseudo", model=MODEL)
    before = INFLUENCE.key(spec, ws)
    timm_weights(tmp_path / "weights", input="mean 0.5 std 0.5")
    assert INFLUENCE.key(spec, ws) != before


def test_a_fitted_head_is_fitted_on_the_training_images_and_for_no_forecast(ws):
    spec, data = MODEL.model_copy(update={"head": "ridge"}), load_dataset(DIGITS, ws.settings)
    model = network(spec, data, ws)
    with torch.no_grad():
        right = np.sign(model(torch.from_numpy(data.inputs)).numpy()) == data.targets
    assert right.mean() > 0.8
    assert plain_head(spec).head == "random"
    assert plain_head(MODEL) == MODEL


def test_a_rate_knows_what_is_seen_and_another_of_before_is_called_what_it_was(ws):
    data = load_dataset(DIGITS, ws.settings)
    names = {rate_name("kernel", MODEL.model_copy(update={"sees": sees}), data, "cpu") for sees in (None, "all", "last", "blocks.1")}
    assert len(names) == 4
    assert rate_name("kernel", ModelSpec(), data, "cpu") == "kernel cpu fcn-256-2 1x8x8 1"


def test_what_a_network_is_is_told_with_what_the_engine_factors(ws):
    found = about(MODEL.model_copy(update={"sees": "last", "head": "random"}), DIGITS, "mean", "float32", ws)
    described = describe_model(MODEL.model_copy(update={"sees": "last"}), input_shape=(1, 8, 8), outputs=1)
    assert (found.parameters, found.seen) == (described.parameters, described.seen)
    assert found.factored and not found.formed


def test_the_command_line_takes_a_network_by_name(ws, capsys):
    words = ["--classes", "3,8", "--n", "24", "--model", SMALL, "--weights", "pretrained", "--sees", "last", "--head", "random"]
    words += ["--head-size", "0.05", "--epochs", "1", "--rate", "0.0001"]
    assert main(["learnability", *words]) == 0
    assert "Stored as" in capsys.readouterr().out
    query = {"dataset": "digits", "classes": ["3", "8"], "n": "24", "model": SMALL, "weights": "pretrained", "sees": "last"}
    spec, _ = ADDRESSES["learnability"].read(query | {"head": "random", "head-size": "0.05", "epochs": "1", "rate": "0.0001"})
    assert LEARNABILITY.ready(spec, ws)
    assert main(["influence", *words[:4], "--kernel", "pseudo", "--model", "timm:resnet_18"]) == 1
    assert "timm:resnet18" in capsys.readouterr().err
    assert main(["learnability", "--model", "nothing"]) == 1
    assert "timm:NAME" in capsys.readouterr().err
