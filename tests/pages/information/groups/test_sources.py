"""Which source is worth more? The question on the information page, without a browser."""

import json
import re

import numpy as np
import pytest
import visiting
from group_sets import negatives
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.information.groups import views as group_views
from ntkcore.analyses.information.groups.sources import SOURCES
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 20}, "test": 8})


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache with another source, and the study of both; tests only look at it."""
    folder = tmp_path_factory.mktemp("computed")
    with visiting.kept_cache(folder) as ws:
        content = negatives(folder, ws.settings)
        INFLUENCE.compute(SPEC, ws, Recording())
        view = look(content)
        study = SOURCES.asked(SPEC, view, ws)
        SOURCES.compute(study, ws, Recording())
        yield ws, content, SOURCES.open(study, ws)


def look(content: str, **fields: object) -> InformationView:
    own = {"others": (f"own:{content}",), "n": 12, "test": 8, "repeats": 2}
    return InformationView.model_validate({"ask": "sources", "sources": own} | fields)


def opened(view: InformationView, spec: InfluenceSpec = SPEC):
    return visiting.opened(visitor(), "information", **ADDRESSES["information"].write(spec, view))


def plain(text: str) -> str:
    return re.sub(r"<[^>]+>", "", text)


def cards(app, name: str) -> list:
    found = next(item.proto for item in app.get("bidi_component") if item.proto.id.endswith(f"-{name}"))
    return json.loads(found.json)["items"]


def test_the_address_says_it_all(computed):
    _, content, _ = computed
    view = look(content, sources={"others": (f"own:{content}", "mnist"), "n": 30, "test": 9, "repeats": 4, "part": 1})
    query = ADDRESSES["information"].write(SPEC, view)
    assert query["sources-others"] == [f"own:{content}", "mnist"] and query["sources-n"] == "30"
    assert ADDRESSES["information"].read(query) == (SPEC, view)


def test_the_answer_charts_and_galleries(computed):
    ws, content, pieces = computed
    app = opened(look(content))
    scores = group_views.source_scores(pieces, 0, ws)
    told = plain(said(app))
    times = [mean.value for mean in scores.means]
    assert ("An image of " in told or "about as much" in told) and "In the paper, images of SVHN" in told
    assert f"{max(times) / min(times):.2g}" in told and " times" in told
    for name in scores.names:
        assert name in told and f"Without images of {name}" in titles(app)
    assert {"How the information is distributed", "How much is told by the others already?"} <= set(titles(app))
    for place in range(2):
        order = np.argsort(-scores.values[place], kind="stable")[:10]
        assert [card[0] for card in cards(app, f"sources_gallery_{place}")] == (12 * place + order).tolist()
    widget(app, "button_group", "Order").set_value("least").run()
    assert app.query_params["show"] == "least" and not app.exception
    assert cards(app, "sources_gallery_0")[0][0] == int(scores.values[0].argmin())
    widget(app, "selectbox", "Repeat").set_value(1).run()
    assert app.query_params["sources-part"] == "1" and not app.exception


def test_other_settings_are_another_study_with_its_forecast(computed):
    _, content, _ = computed
    app = opened(look(content))
    widget(app, "number_input", "Repeats").set_value(5).run()
    assert app.query_params["sources-repeats"] == "5" and not app.exception
    assert button(app, "Compare the sources")
    assert any("about **" in item.value and "5 times with other images" in item.value for item in app.markdown)


@pytest.mark.parametrize("others", [(), ("moons",), ("digits",), ("own:" + "0" * 64,)])
def test_what_cannot_be_is_explained(computed, others):
    view = InformationView.model_validate({"ask": "sources", "sources": {"others": others, "n": 12, "test": 8}})
    app = opened(view)
    words = {(): "There is one source only", ("moons",): "no images to choose from", ("digits",): "Name different ones"}
    told = re.sub(r"\\(.)|\u2060", r"\1", " ".join(item.value for item in app.info))
    assert words.get(others, "not on this machine") in told and not app.exception


def test_sources_of_other_sizes_and_classes(computed, tmp_path):
    ws, _, _ = computed
    for content, words in (
        (negatives(tmp_path, ws.settings, side=12), "of 12 × 12 pixels in gray: one network takes inputs of one size"),
        (negatives(tmp_path, ws.settings, classes=("3", "5"), n=60), "Negatives has no class '8'"),
    ):
        app = opened(look(content))
        told = re.sub(r"\\(.)|\u2060", r"\1", " ".join(item.value for item in app.info))
        assert words in told and not app.exception
