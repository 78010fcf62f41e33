"""What can I drop? Without a browser: the list, the study's offer, its answer, settings and addresses."""

import json
import re

import numpy as np
import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information.drop import keep as lists
from ntkcore.analyses.information.drop import study, views
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 40, "label_noise": 0.2}, "test": 12})
DROP = {"seeds": 2, "shares": (20, 50), "step": 10.0}
NETWORK = DROP | {"model": {"width": 8, "depth": 1}, "training": {"epochs": 2}, "retrained": (50,)}


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache in which SPEC and two studies are computed; tests only look at it."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        INFLUENCE.compute(SPEC, ws, Recording())
        for drop in (DROP, NETWORK):
            study.SUMMARY.compute(study.SUMMARY.asked(SPEC, InformationView.model_validate({"drop": drop}), ws), ws, Recording())
        yield ws, INFLUENCE.open(SPEC, ws)


def opened(drop=DROP, **fields):
    view = InformationView.model_validate({"ask": "drop", "drop": drop} | fields)
    return visiting.opened(visitor(), "information", **ADDRESSES["information"].write(SPEC, view))


def shown(app):
    """The cards of the gallery: id and title."""
    found = next(item.proto for item in app.get("bidi_component") if item.proto.id.endswith("-information_drop_gallery"))
    return [(card[0], card[6]) for card in json.loads(found.json)["items"]]


def plain(text):
    return re.sub(r"<[^>]+>", "", text)


def test_the_list_works_without_the_study(computed):
    ws, result = computed
    app = opened({"step": 20.0, "share": 30})
    assert "The list keeps 28 of 40 images" in plain(said(app)) and "after every 20 %" in plain(said(app))
    order = lists.whole_order(Look(result, 1e-2, np.inf, ws), 20.0)
    assert [card[0] for card in shown(app)] == order[:12].tolist() and "Number 1 to go" in shown(app)[0][1]
    assert button(app, "Measure what it costs") and any("12 other images" in item.value for item in app.markdown)
    widget(app, "button_group", "Images shown").set_value("stays").run()
    assert app.query_params["drop-show"] == "stays"
    assert [card[0] for card in shown(app)][: len(order) - 12] == order[12:].tolist() and "stays to the last" in shown(app)[-1][1]
    button(app, "Put the 12 that go in the basket").click().run()
    assert len(visiting.basket(ws, SPEC.dataset)) == 12 and not app.exception and not app.error


def test_the_answer_of_the_study(computed):
    ws, _ = computed
    pieces = study.SUMMARY.open(study.SUMMARY.asked(SPEC, InformationView.model_validate({"drop": DROP}), ws), ws)
    app, found = opened(), views.cost(pieces, "kernel", 50)
    told = plain(said(app))
    assert f"test accuracy {100 * found.own.value:.1f} % instead of {100 * found.whole.value:.1f} %" in told
    assert f"{100 * found.random.value:.1f} % when as many are dropped at random" in told
    assert "With 50 % gone, ahead of" in told and "at random" in told
    assert titles(app)[:2] == ["Test accuracy over the share dropped", "The list to keep"] and "Computed" in told
    widget(app, "slider", "Training images dropped, the least informative first (%)").set_value(23).run()
    assert app.query_params["drop-share"] == "23" and "20 % of the " in plain(said(app))
    widget(app, "slider", "Training images dropped, the least informative first (%)").set_value(0).run()
    assert "keeps 40 of 40" in plain(said(app)) and not app.exception and not app.error


def test_kernel_regression_or_the_network_trained_anew(computed):
    ws, _ = computed
    pieces = study.SUMMARY.open(study.SUMMARY.asked(SPEC, InformationView.model_validate({"drop": NETWORK}), ws), ws)
    app = opened(NETWORK)
    found = [views.cost(pieces, judge, 50) for judge in views.JUDGES]
    assert f"test accuracy {100 * found[0].own.value:.1f} %" in plain(said(app))
    widget(app, "button_group", "Trained on what is kept").set_value("network").run()
    assert app.query_params["drop-judge"] == "network"
    assert f"trained anew {100 * found[1].own.value:.1f} % instead of {100 * found[1].whole.value:.1f} %" in plain(said(app))


def test_settings_are_in_the_address_and_another_study_is_offered(computed):
    app = opened()
    widget(app, "number_input", "Draws").set_value(1).run()
    assert app.query_params["drop-seeds"] == "1" and button(app, "Measure what it costs")
    widget(app, "selectbox", "Network trained on what is kept").set_value("cnn3").run()
    assert (app.query_params["drop-model"], app.query_params["drop-width"], app.query_params["drop-rate"]) == ("cnn3", "32", "0.1")
    assert any("3-conv CNN" in item.value for item in app.markdown) and not app.exception and not app.error
    widget(app, "number_input", "Epochs").set_value(3).run()
    assert app.query_params["drop-epochs"] == "3"
    widget(app, "selectbox", "Network trained on what is kept").set_value("none").run()
    assert "drop-model" not in app.query_params
    button(app, "Measure what it costs").click().run()
    assert any(b.label == "Cancel" for b in app.button) and shown(app)


def test_what_cannot_be_studied_is_said_and_the_list_stays(computed):
    app = opened(DROP | {"test": 5000})
    assert any("12 that F-SI is a mean over and 5,000 others to judge by" in plain(e.value).replace("\\", "") for e in app.error)
    assert shown(app) and "The list keeps" in said(app)
    app = opened(DROP | {"shares": (1,)})
    assert any("1 % of 40 images is none" in plain(e.value).replace("\\", "") for e in app.error) and shown(app)
    app = opened(DROP | {"share": 99})
    assert any("A class keeps no image" in item.value for item in app.warning)


@pytest.mark.parametrize(
    ("query", "words"),
    [({"drop-share": "100"}, "drop-share"), ({"drop-shares": "20,x"}, "drop-shares"), ({"drop-model": "vgg"}, "drop-model")],
)
def test_a_wrong_address_is_explained(app, query, words):
    visiting.opened(app, "information", **(ADDRESSES["information"].write(SPEC) | {"ask": "drop"} | query))
    assert words in app.error[0].value.replace("\\", "")
