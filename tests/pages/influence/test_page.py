"""The influence page before there is a result, without a browser: forecast, job, bad address, what cannot be computed."""

import numpy as np
import pytest
import visiting
from recording import Recording
from visiting import button, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.data import import_images
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "5", "8"), "n": 40, "label_noise": 0.2}, "test": 12})
CLEAN = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 20}, "test": 5})


def opened(app, spec=SPEC, **query):
    return visiting.opened(app, "influence", **(ADDRESSES["influence"].write(spec) | query))


def test_forecast_before_anything_runs(app):
    opened(app)
    assert {m.label for m in app.metric} == {"Time", "Memory", "Disk"}
    assert not button(app, "Compute").disabled
    assert titles(app) == [] and not app.error


def test_the_defaults_show_a_forecast(app):
    visiting.opened(app, "influence")
    assert app.metric and not button(app, "Compute").disabled
    assert set(app.query_params) == {"dataset"}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"ridge": "-1"}, "ridge"),
        ({"time": "0"}, "time"),
        ({"time": "inf"}, "time"),
        ({"target": "-4"}, "target"),
        ({"kernel": "full", "model": "vgg"}, "model"),
        ({"kernel": "huge"}, "kernel"),
        ({"lambda": "3"}, "is unknown"),
        ({"epochs": "3"}, "does not change in training"),
        ({"rate": "0.1"}, "rate given without epochs"),
        ({"image": "1", "held": "2"}, "held"),
        ({"test": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_wrong_address_is_explained_and_starts_nothing(app, ws, query, words):
    opened(app, **query)
    assert words in app.error[0].value
    assert ws.jobs.list(10) == ()
    button(app, "Start from the defaults").click().run()
    assert not app.error
    assert app.metric


@pytest.mark.parametrize("query", [{"n": "50000"}, {"classes": ["0", "nothing"]}, {"test": "5000"}, {"dataset": "own", "own": "0" * 64}])
def test_what_cannot_be_computed_is_said(app, query):
    opened(app, **query)
    assert app.error
    assert not any(b.label == "Compute" and not b.disabled for b in app.button)


def test_black_images_are_said_before_anything_runs(app, ws, tmp_path):
    np.savez(
        tmp_path / "set.npz",
        images=np.zeros((12, 8, 8), np.uint8) + (np.arange(12) > 6)[:, None, None].astype(np.uint8) * 9,
        labels=np.arange(12) % 2,
    )
    content = import_images(tmp_path / "set.npz", ws.settings, name="night").content_id
    opened(app, InfluenceSpec.model_validate({"dataset": {"name": "own", "own": content, "n": 8}, "test": 4}))
    assert "black everywhere" in app.error[0].value and "another kernel" in app.error[0].value


def test_damage_is_said_and_repaired(app, ws):
    INFLUENCE.compute(CLEAN, ws, Recording())
    tile = next(p for p in (ws.settings.cache_dir / "artifacts" / "influence").rglob("c/**/*") if p.is_file() and "k_test" in str(p))
    tile.write_bytes(tile.read_bytes()[:-3])
    opened(app, CLEAN)
    assert "damaged" in app.warning[0].value
    assert ws.jobs.state(INFLUENCE.key(CLEAN, ws)) is not None


def test_the_bar_chooses_kernel_network_and_training(app):
    opened(app)
    assert not any(s.label == "Network" for s in app.selectbox)
    widget(app, "selectbox", "Kernel").set_value("pseudo").run()
    assert app.query_params["kernel"] == "pseudo" and app.query_params["model"] == "fcn"
    widget(app, "number_input", "Epochs before the kernel is taken").set_value(1).run()
    assert app.query_params["epochs"] == "1"
    again = visitor()
    visiting.opened(again, "influence", **{name: app.query_params[name] for name in ("dataset", "n", "kernel", "model", "epochs")})
    assert widget(again, "number_input", "Epochs before the kernel is taken").value == 1
    widget(app, "selectbox", "Kernel").set_value("infinite").run()
    assert "epochs" not in app.query_params and app.metric
    widget(app, "selectbox", "Network").set_value("resnet18").run()
    assert "infinite width is known of" in app.warning[0].value and not app.metric
    widget(app, "selectbox", "Kernel").set_value("two-layer").run()
    assert "model" not in app.query_params and app.metric and not app.warning
    assert not app.exception
