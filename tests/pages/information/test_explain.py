"""The information page's explainer, and the toy in it, without a browser."""

import pytest
import visiting
from recording import Recording
from visiting import said, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView
from ntkcore.specs.information_toy import ToyView

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 24}, "test": 12})
TOY = ToyView(shown=True, runs=200, epochs=4)
TITLES = {"The points", "The weights after training with it, without it, and with others in its place"}


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache in which SPEC is computed; tests only look at it."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        INFLUENCE.compute(SPEC, ws, Recording())
        yield ws.settings


@pytest.fixture
def ready(computed):
    """A page on the computed cache."""
    return visitor()


def opened(app, toy=TOY, **view):
    return visiting.opened(app, "information", **ADDRESSES["information"].write(SPEC, InformationView(toy=toy, **view)))


def test_every_question_ends_with_what_it_means(ready):
    for ask in ("informative", "drop"):
        opened(ready, toy=ToyView(), ask=ask)
        assert [tab.label for tab in ready.tabs][-4:] == ["The equation", "How to read it", "What it does not say", "Reproduce it"]
        assert any("Unique, not total" in item.value for item in ready.markdown)
        assert not TITLES & set(titles(ready))  # the toy is closed
    python, command = visiting.code(ready)
    assert "information(dataset='digits'" in python and "information_table(result)" in python
    assert "python -m ntkcore information" in command


def test_opened_the_toy_shows_information_and_bound(ready):
    opened(ready, toy=ToyView(runs=200, epochs=4))
    widget(ready, "toggle", "Show the toy: where the bound comes from").set_value(True).run()
    assert ready.query_params["toy-shown"] == "1"
    assert set(titles(ready)) >= TITLES
    assert "nats</b> of point 52 that no other point tells" in said(ready)
    assert "Bound, first from second" in said(ready) and "<td>3.0</td>" in said(ready)


def test_its_controls_change_the_address_and_the_answer(ready):
    opened(ready)
    widget(ready, "number_input", "Point").set_value(3).run()
    assert ready.query_params["toy-point"] == "3"
    assert "of point 3 that no other point tells" in said(ready)
    before = said(ready)
    widget(ready, "slider", "Distance of the classes").set_value(2.0).run()
    widget(ready, "number_input", "Seed").set_value(5).run()
    assert (ready.query_params["toy-apart"], ready.query_params["toy-seed"]) == ("2.0", "5")
    assert said(ready) != before and not ready.exception


def test_a_rate_at_which_sgd_diverges_is_said_with_a_remedy(ready):
    opened(ready, toy=TOY.model_copy(update={"rate": 2.0, "batch": 1}))
    assert any("SGD diverges" in item.value and "smaller rate" in item.value for item in ready.warning)
    assert not TITLES & set(titles(ready))
    widget(ready, "number_input", "Learning rate").set_value(0.1).run()
    assert set(titles(ready)) >= TITLES


def test_a_link_to_a_point_that_does_not_exist_is_refused(ready):
    query = ADDRESSES["information"].write(SPEC, InformationView(toy=TOY)) | {"toy-point": "80"}
    visiting.opened(ready, "information", **query)
    assert any("less than 80" in item.value for item in [*ready.error, *ready.warning])
