"""The bar's network: by name, from which weights, what the kernel sees and how the head starts; all of it in the address."""

import pytest
import visiting
from noise_photographs import photographs
from visiting import told, visitor, widget
from zoo_weights import SMALL, timm_weights

from ntkcore.permalink import ADDRESSES
from ntkcore.settings import settings
from ntkcore.specs import ModelSpec

TINY = {"dataset": "digits", "classes": ["3", "8"], "n": "24", "epochs": "1"}


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A weights folder, empty."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("NTK_WEIGHTS_DIR", str(folder))
    with visiting.kept_cache(tmp_path):
        yield folder


def plain(app):
    """What is told, without its escapes."""
    return told(app).replace("\\", "").replace("\N{WORD JOINER}", "")


def chosen(app):
    """The network that the address says."""
    query = {name: app.query_params[name] for name in app.query_params if name in ADDRESSES["learnability"].fields}
    return ADDRESSES["learnability"].read(query)[0].model


def test_a_network_is_found_by_its_name_and_taken_with_what_is_usual_of_it(weights):
    timm_weights(weights)
    app = visiting.opened(visitor(), "learnability", **TINY)
    widget(app, "selectbox", "Network").set_value("another network by name").run()
    assert chosen(app) == ModelSpec()  # nothing is chosen yet
    widget(app, "text_input", "Part of its name").set_value("test efficientnet").run()
    found = next(box for box in app.selectbox if "found" in box.label)
    found.set_value(SMALL).run()
    assert chosen(app) == ModelSpec(architecture=SMALL, weights="pretrained")
    assert widget(app, "selectbox", "The kernel sees").value == "head"
    assert widget(app, "selectbox", "The head starts").value == "zero"
    assert "passes no gradient on" in told(app)
    widget(app, "toggle", "Describe this network").set_value(True).run()
    assert "are seen" in told(app) and "factors" in told(app)
    widget(app, "selectbox", "The kernel sees").set_value("last").run()
    widget(app, "selectbox", "The head starts").set_value("random").run()
    widget(app, "number_input", "Deviation of its weights").set_value(0.03).run()
    assert chosen(app) == ModelSpec(architecture=SMALL, weights="pretrained", sees="last", head="random", head_size=0.03)
    widget(app, "button_group", "Weights").set_value("random").run()
    assert chosen(app) == ModelSpec(architecture=SMALL)
    widget(app, "selectbox", "Network").set_value("cnn3").run()
    assert chosen(app) == ModelSpec(architecture="cnn3")
    assert not app.exception


def test_photographs_get_the_size_that_the_weights_were_trained_with(weights, tmp_path):
    timm_weights(weights)
    own = photographs(tmp_path / "photographs.zip", settings())
    app = visiting.opened(visitor(), "learnability", dataset="own", own=own, n="8", epochs="1")
    widget(app, "selectbox", "Network").set_value("timm:tf_efficientnet_lite0").run()
    assert {name: app.query_params[name] for name in ("size", "crop", "interpolation")} == {
        "size": "224",
        "crop": "0.875",
        "interpolation": "bicubic",
    }
    assert not app.exception


def test_weights_that_are_missing_can_be_downloaded_and_are_said_by_file(weights):
    app = visiting.opened(visitor(), "learnability", model="torchvision:resnet18", weights="pretrained", **TINY)
    assert "Put the file resnet18.safetensors into the weights folder" in plain(app)
    assert any(button.label == "Download the weights" for button in app.button)


def test_a_network_that_there_is_not_is_said(weights):
    app = visiting.opened(visitor(), "learnability", model="timm:resnet_18", **TINY)
    assert "timm:resnet18" in plain(app)


def test_layers_by_name_that_there_are_not_are_said(weights):
    timm_weights(weights)
    asked = {"kernel": "pseudo", "model": SMALL, "weights": "pretrained", "sees": "block.1"}
    app = visiting.opened(visitor(), "influence", dataset="digits", classes=["3", "8"], n="24", **asked)
    assert "The network has no layer 'block.1' with weights" in plain(app)


@pytest.mark.parametrize("page", ["influence", "reliability", "information", "active", "convergence"])
def test_every_bar_takes_a_network_by_name(weights, page):
    timm_weights(weights)
    query = {"dataset": "digits", "classes": ["1", "3", "8"], "n": "30", "model": SMALL, "weights": "pretrained"}
    query |= {} if page in ("active", "convergence") else {"kernel": "pseudo"}
    app = visiting.opened(visitor(), page, **query)
    assert widget(app, "selectbox", "Network").value == SMALL
    spec, _ = ADDRESSES[page].read({name: app.query_params[name] for name in app.query_params if name in ADDRESSES[page].fields})
    model = spec.models()[0] if page == "convergence" else spec.model
    assert model.model_copy(update={"seed": 0}) == ModelSpec(architecture=SMALL, weights="pretrained")
    assert settings().weights_dir == weights
