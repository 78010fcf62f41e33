"""A server's own networks: made by the functions that NTK_NETWORKS names, looked at in a process of their own, refused in bounded time."""

import json
import sys

import pytest
import torch
from safetensors.torch import save_file

from ntkcore.errors import DataError, DataMissing, ModelError
from ntkcore.models import build_model, check_fit, describe_model, weights_content, zoo
from ntkcore.models.zoo import mine
from ntkcore.models.zoo.look import look
from ntkcore.settings import settings
from ntkcore.specs import ModelSpec

CODE = '''"""Networks of somebody's own."""
import sys, time
from torch import nn

def small(classes, input_shape):
    """A small network.

    For tests."""
    channels, height, width = input_shape
    return nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * height * width, classes))

def raising(classes, input_shape):
    raise KeyError("no such thing")

def hanging(classes, input_shape):
    time.sleep(600)

def ending(classes, input_shape):
    sys.exit(3)

def number(classes, input_shape):
    return classes

def other(classes, input_shape):
    return nn.Flatten()
'''
SPEC = ModelSpec(architecture="mine:small")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of networks, and the setting that names them."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "own_networks.py").write_text(CODE)
    (tmp_path / "code" / "waiting_networks.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    names = {name: f"own_networks:{name}" for name in ("small", "raising", "hanging", "ending", "number", "other", "absent")}
    trained = {"factory": "own_networks:small", "weights": "small.safetensors"}
    waiting = {"waiting": "waiting_networks:small", "missing": "no_such_networks:small"}
    monkeypatch.setenv("NTK_NETWORKS", json.dumps(names | waiting | {"trained": trained}))
    monkeypatch.setattr(mine, "_seen", {})
    settings.cache_clear()
    zoo.names.cache_clear()
    yield tmp_path
    sys.modules.pop("own_networks", None)
    settings.cache_clear()
    zoo.names.cache_clear()
    zoo.published.cache_clear()


def test_a_function_makes_the_network_it_is_named_for(own):
    told = {"input_shape": (3, 4, 4), "outputs": 2}
    model = build_model(SPEC, mean=[0.5] * 3, std=[0.2] * 3, **told)
    assert model(torch.rand(2, 3, 4, 4)).shape == (2, 2)
    assert torch.equal(build_model(SPEC, **told)[1][0].weight, model.network[0].weight)
    assert mine.looked("small", 2, (3, 4, 4)).about == "A small network. For tests."
    assert (
        describe_model(SPEC, **told).parameters
        == sum(p.numel() for p in model.parameters())
        == mine.looked("small", 2, (3, 4, 4)).parameters
    )
    assert zoo.names("mine")[-2:] == ("trained", "waiting")


def test_its_key_follows_its_code(own):
    asked = {"name": "small", "factory": "own_networks:small", "outputs": 0, "input_shape": []}
    before = look(asked)["code"]
    mine._seen[mine.factory_of("small"), 0, ()] = 0.0, mine.Looked("", before, 0)
    content = weights_content(SPEC)
    assert len(before) == len(content) == 64
    (own / "code" / "own_networks.py").write_text(CODE + "\n# changed\n")
    assert look(asked)["code"] != before
    mine._seen[mine.factory_of("small"), 0, ()] = 0.0, mine.Looked("", look(asked)["code"], 0)
    assert weights_content(SPEC) != content


def test_its_weights_are_kept_with_their_head_or_get_a_new_one(own):
    spec = ModelSpec(architecture="mine:trained", weights="pretrained")
    told = {"input_shape": (1, 4, 4), "weights_paths": [own]}
    with pytest.raises(DataMissing, match=r"small\.safetensors"):
        build_model(spec, outputs=2, **told)
    state = build_model(SPEC.model_copy(update={"seed": 7}), input_shape=(1, 4, 4), outputs=2).network.state_dict()
    save_file(state, own / "small.safetensors")
    kept = build_model(spec, outputs=2, **told)
    assert all(torch.equal(value, state[key]) for key, value in kept.network.state_dict().items())
    assert all(p.requires_grad for p in kept.parameters())
    with pytest.raises(DataError, match=r"'3\.\w+' has the shape \(2.*Choose a new head"):
        build_model(spec, outputs=5, **told)
    assert (
        not build_model(ModelSpec(architecture="mine:trained", weights="pretrained", head="zero"), outputs=5, **told)
        .network[3]
        .weight.any()
    )
    with pytest.raises(DataMissing, match="names no weights of mine:small"):
        weights_content(ModelSpec(architecture="mine:small", weights="pretrained"), [own])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("raising", "raises KeyError for 2 outputs.*no such thing"),
        ("number", "returns int, not a torch.nn.Module"),
        ("other", r"gives \(1, 48\), not \(1, 2\)"),
        ("absent", "cannot be imported .AttributeError"),
        ("missing", "cannot be imported .ModuleNotFoundError"),
    ],
)
def test_what_is_wrong_with_a_function_is_said(own, name, words):
    factory = mine.factory_of(name)
    with pytest.raises(ModelError, match=words):  # what the process that looks at it does
        look({"name": name, "factory": factory.factory, "outputs": 2, "input_shape": [3, 4, 4]})


def test_it_is_said_by_a_process_of_its_own(own):
    with pytest.raises(ModelError, match="ended its process"):
        build_model(ModelSpec(architecture="mine:ending"), input_shape=(3, 4, 4), outputs=2)
    with pytest.raises(ModelError, match="no network 'unnamed' of its own"):
        build_model(ModelSpec(architecture="mine:unnamed"), input_shape=(3, 4, 4), outputs=2)
    assert "own_networks" not in sys.modules


@pytest.mark.parametrize("name", ["hanging", "waiting"])
def test_what_hangs_is_given_up(own, monkeypatch, name):
    monkeypatch.setattr(mine, "SECONDS", 0.5)
    for _ in range(2):  # the second time it is remembered
        with pytest.raises(ModelError, match=r"has not made a network in 0\.5 seconds"):
            describe_model(ModelSpec(architecture=f"mine:{name}"), input_shape=(3, 4, 4), outputs=2)


def test_its_samples_need_not_be_images(own):
    check_fit(SPEC, (7,))
