"""The learnability page says what its analysis answers, and its widgets, bound once, are in the address; without a browser."""

import html

import pytest
import visiting
from recording import Recording
from visiting import said, visitor, widget

from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView

SPEC = LearnabilitySpec.model_validate(
    {
        "dataset": {"classes": ("3", "8"), "n": 60, "label_noise": 0.1},
        "model": {"width": 8, "depth": 1},
        "training": {"epochs": 3, "batch_size": 0, "learning_rate": 0.5},
    }
)


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        LEARNABILITY.compute(SPEC, ws, Recording())
        yield ws


def opened(app, view):
    return visiting.opened(app, "learnability", **ADDRESSES["learnability"].write(SPEC, view))


def test_the_page_says_the_answer_and_follows_its_controls(computed):
    app = opened(visitor(), LearnabilityView(hard=20))

    def answered(view):
        order, reached = LEARNABILITY.answer(LEARNABILITY.open(SPEC, computed), view, computed)
        text = html.unescape(said(app).replace("<b>", "").replace("</b>", ""))
        return order in text and reached.removesuffix(".") in text

    assert answered(LearnabilityView(hard=20))
    assert "label flipped" in said(app)
    widget(app, "slider", "Hard: lowest k(x,x)").set_value(30.0).run()
    assert app.query_params["hard"] == "30.0" and answered(LearnabilityView(hard=30))
    widget(app, "selectbox", "Order").set_value("learned").run()
    widget(app, "button_group", "Gallery").set_value("all").run()
    [box for box in app.multiselect if box.label == "Classes"][-1].set_value(["8"]).run()  # the bar has one, too
    widget(app, "slider", "Percentile of k(x,x)").set_value((10.0, 50.0)).run()
    assert {name: app.query_params[name] for name in ("order", "show", "only")} == {"order": "learned", "show": "all", "only": "8"}
    assert app.query_params["low"] == "10.0" and app.query_params["high"] == "50.0"
    widget(app, "button_group", "Gallery").set_value("hard").run()  # another gallery shows all its images again
    assert "low" not in app.query_params and widget(app, "slider", "Percentile of k(x,x)").value == (0.0, 100.0)
    assert not app.exception
