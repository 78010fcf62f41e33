"""Under-sampled? Adversarial? Both studies on the information page, without a browser."""

import json
import re

import numpy as np
import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.information.groups import attacked as adversarial_views
from ntkcore.analyses.information.groups import scores as scores_of
from ntkcore.analyses.information.groups import views as group_views
from ntkcore.analyses.information.groups.adversarial import ADVERSARIAL
from ntkcore.analyses.information.groups.subclass import SUBCLASS, rows_of
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("4", "7", "1"), "n": 40}, "test": 12})
SUB = {"counts": (4, 8), "count": 4, "common_count": 12, "other_count": 12, "test": 12, "repeats": 2}
ATTACK = {"study": "adversarial", "epsilon": 0.2, "epochs": 4, "repeats": 1}


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache in which both studies are computed; tests only look at it."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        INFLUENCE.compute(SPEC, ws, Recording())
        found = []
        for study, groups in ((SUBCLASS, SUB), (ADVERSARIAL, ATTACK)):
            spec = study.asked(SPEC, look(**groups), ws)
            study.compute(spec, ws, Recording())
            found.append(study.open(spec, ws))
        yield ws, *found


def look(**groups: object) -> InformationView:
    return InformationView.model_validate({"ask": "groups", "groups": groups})


def opened(spec: InfluenceSpec = SPEC, **groups: object):
    return visiting.opened(visitor(), "information", **ADDRESSES["information"].write(spec, look(**groups)))


def told(app) -> str:
    return re.sub(r"<[^>]+>", "", said(app))


def informed(app) -> str:
    return re.sub(r"\\(.)|\u2060", r"\1", " ".join(item.value for item in app.info))


def cards(app, name: str) -> list:
    found = next(item.proto for item in app.get("bidi_component") if item.proto.id.endswith(f"-{name}"))
    return json.loads(found.json)["items"]


def test_the_address_says_it_all():
    view = look(**SUB, rare="7", held="equal", network="cnn3", weights="random", rate=0.3, batch=16, epsilon=0.1, share=0.2, part=1)
    query = ADDRESSES["information"].write(SPEC, view)
    assert query["groups-counts"] == "4,8" and query["groups-common-count"] == "12" and query["groups-rate"] == "0.3"
    assert ADDRESSES["information"].read(query) == (SPEC, view)


def test_the_subclass(computed):
    _, pieces, _ = computed
    app = opened(**SUB)
    rare, common = (scores_of.pooled_kind(pieces, 4, place) for place in (0, 1))
    assert f"{rare.mean() / common.mean():.2g} times" in told(app) and "with 4 images of 4 among 12 of 7" in told(app)
    assert "In the paper, 200 cats" in told(app)
    assert {"How the information is distributed", "Are they found, and are they classified?"} <= set(titles(app))
    scores, rows = group_views.subclass_scores(pieces, 0, 4), rows_of(pieces.spec, 4)
    for place, members in enumerate(np.split(rows, [4, 16])):
        order = np.argsort(-scores.values[place], kind="stable")[:10]
        assert [card[0] for card in cards(app, f"subclass_gallery_{place}")] == members[order].tolist()
    widget(app, "selectbox", "Images of the rare sub-class").set_value(8).run()
    assert app.query_params["groups-count"] == "8" and not app.exception
    assert "with 8 images of 4" in told(app) and len(cards(app, "subclass_gallery_0")) == 8


def test_other_roles_are_another_study(computed):
    app = opened(**SUB)
    widget(app, "selectbox", "Rare sub-class").set_value("1").run()
    assert app.query_params["groups-rare"] == "1" and not app.exception
    assert button(app, "Study the sub-class")
    assert [widget(app, "selectbox", label).value for label in ("Rare sub-class", "Common sub-class", "Other class")] == ["1", "7", "4"]
    widget(app, "selectbox", "Other class").set_value("1").run()
    assert "three different classes" in informed(app) and not app.exception


def test_the_adversarial_images(computed):
    ws, _, pieces = computed
    app = opened(**ATTACK)
    found = scores_of.attacked(pieces)
    assert f"changed the class of {found.found} of {found.tried} images tried, among {found.right}" in told(app)
    assert f"carries {found.ratio.value:.3g}" in told(app) and "Before the attack the same images carried" in told(app)
    assert {"Are they found?", "Adversarial images beside their originals"} <= set(titles(app))
    pairs = adversarial_views.pairs(pieces, 0, ws)
    assert said(app).count("<figure>") == len(pairs.images) and all(name in said(app) for name in pairs.ids)
    for metric in ("ROC-AUC", "Average precision", "Precision"):
        assert metric in told(app)


def test_another_attack_is_another_study(computed):
    app = opened(**ATTACK)
    widget(app, "number_input", "ε").set_value(0.3).run()
    assert app.query_params["groups-epsilon"] == "0.3" and button(app, "Attack and find them")
    widget(app, "selectbox", "Network attacked").set_value("cnn3").run()
    assert app.query_params["groups-network"] == "cnn3" and not app.exception
    assert any("A 3-conv CNN trained for 4 epochs and attacked" in item.value for item in app.markdown)
    widget(app, "button_group", "Study").set_value("subclass").run()
    assert "groups-study" not in app.query_params and widget(app, "selectbox", "Rare sub-class") and not app.exception


@pytest.mark.parametrize(
    ("spec", "groups", "words"),
    [
        ({"dataset": {"classes": ("4", "7"), "n": 40}, "test": 12}, {}, "needs three classes"),
        (SPEC.model_dump(), {"rare": "9"}, "no class '9' here"),
        (SPEC.model_dump(), {"counts": (2, 900)}, "Digits has 181 images"),
        ({"dataset": {"name": "moons", "n": 40}, "test": 12}, ATTACK, "these are no images"),
        ({"dataset": {"classes": ("4", "7"), "n": 40}, "test": 12}, ATTACK | {"network": "cnn4"}, "at least 28"),
    ],
)
def test_what_cannot_be_is_explained(computed, spec, groups, words):
    ws, _, _ = computed
    chosen = InfluenceSpec.model_validate(spec)
    INFLUENCE.compute(chosen, ws, Recording())
    app = opened(chosen, **groups)
    assert words in informed(app) and not app.exception
