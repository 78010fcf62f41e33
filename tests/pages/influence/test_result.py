"""What the influence page shows of a result, without a browser."""

import re

import numpy as np
import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence import basket, views
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.workspace import Workspace
from ntkcore.influence.self_influence import self_influence
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import settings
from ntkcore.specs.influence import InfluenceSpec, InfluenceView

DATA = {"classes": ("3", "5", "8"), "n": 40, "label_noise": 0.2}
SPEC = InfluenceSpec.model_validate({"dataset": DATA, "test": 12})
CLEAN = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 20}, "test": 5})
THROUGH = ["The most influential images, by rank", "This image’s prediction and loss"]
GROUPS, NOISE = "Complexity of ten groups of training images", "Flipped labels among the most influential images"


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache in which SPEC, CLEAN and a set with duplicates are computed; tests only look at it."""
    folder = tmp_path_factory.mktemp("computed")
    with visiting.kept_cache(folder) as ws:
        twins = InfluenceSpec.model_validate({"dataset": {"name": "own", "own": visiting.twins(folder), "n": 8}, "test": 4})
        for spec in (SPEC, CLEAN, twins):
            INFLUENCE.compute(spec, ws, Recording())
        yield ws, twins


@pytest.fixture
def ready(computed):
    """A page on the computed cache."""
    return visitor()


def opened(app, spec=SPEC, view=None, **query):
    return visiting.opened(app, "influence", **(ADDRESSES["influence"].write(spec, view) | query))


def charts(app):
    return [name for name in (*THROUGH, GROUPS, NOISE) if name in titles(app)]


def test_a_result_answers_first_and_shows_every_chart(ready, computed):
    opened(ready)
    ws, _ = computed
    result = INFLUENCE.open(SPEC, ws)
    look = Look.of(result, InfluenceView().ridge, None, ws)
    now = look.held()
    target = int(now.loss.argmax())
    values = look.influence(target)
    assert not ready.metric
    verdict = f"{'rightly' if now.correct[target] else 'wrongly'} taken for {result.class_names[now.predicted[target]]}"
    assert f"Held-out image {target}, {result.class_names[result.test_labels[target]]}, is <b>{verdict}</b>; " in said(ready)
    for sentence in INFLUENCE.answer(result, InfluenceView(), ws):  # the page says what a terminal says
        assert sentence in re.sub("</?b>", "", said(ready))
    assert f"most helpful training image ({values.argmax()}, " in said(ready)
    assert f"most harmful training image ({values.argmin()}, " in said(ready)
    assert "40 training and 12 held-out images" in said(ready)
    assert f"{100 * now.correct.mean():.1f} % classified correctly" in said(ready)
    assert charts(ready) == [*THROUGH, GROUPS, NOISE]
    assert not ready.error and not ready.warning
    python, command = visiting.code(ready)
    assert "ntkcore.notebook import influence, influences" in python and "python -m ntkcore influence" in command


def test_two_classes_without_noise(ready):
    opened(ready, CLEAN)
    assert charts(ready) == [*THROUGH, GROUPS]
    assert any("Flip some labels" in item.value for item in ready.caption) and not ready.error
    assert "Median error" not in said(ready)  # a column that the paper's rows would leave empty


def test_controls_change_the_address_and_the_answer(ready):
    opened(ready)
    before = said(ready)
    widget(ready, "select_slider", "Regularisation λ").set_value(1.0).run()
    assert ready.query_params["ridge"] == "1.0"
    assert said(ready) != before
    time = widget(ready, "select_slider", "Training time τ")
    assert time.value == "end of training"
    before = said(ready)
    early = views.times(INFLUENCE.open(SPEC, Workspace(settings())))[5]
    time.set_value(early).run()
    assert float(ready.query_params["time"]) == early
    assert said(ready) != before
    widget(ready, "select_slider", "Training time τ").set_value("end of training").run()
    assert "time" not in ready.query_params
    widget(ready, "button_group", "Training images").set_value("harmful").run()
    assert ready.query_params["show"] == "harmful"
    widget(ready, "selectbox", "Order of the held-out images").set_value("all").run()
    assert ready.query_params["tests"] == "all"
    assert ready.query_params["ridge"] == "1.0"
    assert not ready.exception and not ready.error


def test_a_link_shows_what_it_names(ready):
    view = InfluenceView(ridge=0.0316, time=2.0, target=7, tests="all", show="idle", basket=(1, 3), deed="relabel", label=2)
    opened(ready, view=view)
    assert "Held-out image 7, " in said(ready)
    assert widget(ready, "select_slider", "Regularisation λ").value == 0.0316
    assert widget(ready, "select_slider", "Training time τ").value == 2.0
    assert widget(ready, "button_group", "What to do").value == "relabel"
    assert widget(ready, "selectbox", "New class").value == 2
    assert not ready.warning and not ready.error


@pytest.mark.parametrize("ridge", [0.0032, 0.0101, 0.01000001, 12345.678])
def test_a_links_ridge_is_kept_beside_one_that_reads_alike(ready, ridge):
    """The widget tells its positions apart by what they are called."""
    opened(ready, view=InfluenceView(ridge=ridge, time=0.4000001))
    for label in ("Regularisation λ", "Training time τ"):
        slider = widget(ready, "select_slider", label)
        assert len(set(slider.options)) == len(slider.options)
    widget(ready, "button_group", "Training images").set_value("harmful").run()
    assert float(ready.query_params["ridge"]) == ridge
    assert float(ready.query_params["time"]) == 0.4000001
    widget(ready, "select_slider", "Regularisation λ").set_value(0.1).run()
    assert ready.query_params["ridge"] == "0.1" and widget(ready, "select_slider", "Regularisation λ").value == 0.1


def test_filters_and_order_of_the_training_images(ready, computed):
    ws, _ = computed
    result = INFLUENCE.open(SPEC, ws)
    look = Look.of(result, InfluenceView().ridge, None, ws)
    values, own = look.influence(int(look.held().loss.argmax())), self_influence(look.regression())
    middle = float(np.median(own))
    opened(ready, view=InfluenceView(filters=(f"self~{middle!r}~",), show="harmful", by="-self"))
    wanted = [int(image) for image in np.argsort(own, kind="stable") if values[image] < 0 and own[image] >= middle]
    assert visiting.shown(ready, "training_gallery") == wanted
    assert widget(ready, "selectbox", "Order").value == "-self" and not ready.info
    widget(ready, "toggle", "Filters").set_value(True).run()
    assert not ready.exception and any(item.proto.id.endswith("-influence_brushes") for item in ready.get("bidi_component"))
    next(b for b in ready.button if "self-influence ≥" in b.label.replace("\\", "")).click().run()
    assert "filters" not in ready.query_params and ready.query_params["by"] == "-self"
    before = widget(ready, "selectbox", "Order").key
    widget(ready, "selectbox", "Order").set_value("").run()
    assert "by" not in ready.query_params and widget(ready, "selectbox", "Order").key == before
    widget(ready, "button_group", "Training images").set_value("helpful").run()
    assert widget(ready, "selectbox", "Order").key != before  # other words: a browser would go on telling the old ones
    widget(ready, "button_group", "Training images").set_value("harmful").run()
    assert visiting.shown(ready, "training_gallery") == views.ranking(values, "harmful").tolist()


def test_a_number_that_is_not_known_here_is_said(ready):
    opened(ready, view=InfluenceView(filters=("learned~3~",)))
    assert any("not known" in item.value for item in ready.info) and visiting.shown(ready, "training_gallery")


def test_the_basket_says_what_deleting_would_do(ready, computed):
    opened(ready, view=InfluenceView(basket=(0, 5, 6)))
    ws, _ = computed
    view = InfluenceView(basket=(0, 5, 6))
    found = basket.effect(Look.of(INFLUENCE.open(SPEC, ws), view.ridge, None, ws), view)
    assert ("no prediction changes sides" in said(ready)) == (found.changed == 0)
    assert ("the mean loss rises" in said(ready)) == bool((found.loss_after - found.loss).mean() > 0)
    widget(ready, "button_group", "What to do").set_value("relabel").run()
    assert ready.query_params["deed"] == "relabel" and "label" not in ready.query_params
    have = np.bincount(INFLUENCE.open(SPEC, ws).labels[[0, 5, 6]], minlength=3)
    assert have[widget(ready, "selectbox", "New class").value] == have.min()  # none that most of them have already
    other = int(have.argmax())
    widget(ready, "selectbox", "New class").set_value(other).run()
    assert ready.query_params["label"] == str(other)
    button(ready, "Empty").click().run()
    assert "basket" not in ready.query_params
    assert any("Tick training images above" in item.value for item in ready.caption)
    assert not ready.exception


def test_sides_that_change_both_ways_are_changes(ready, computed, monkeypatch):
    """As many right before as after does not mean the same ones."""
    ws, _ = computed
    result = INFLUENCE.open(SPEC, ws)
    now = Look.of(result, InfluenceView().ridge, None, ws).held()
    swapped = basket.Effect(np.arange(len(now.loss)), 0.5, 0.5, now.loss, now.loss + 1.0, (now.predicted + 1) % 3, 12)
    monkeypatch.setattr(basket, "effect", lambda *_: swapped)
    opened(ready, view=InfluenceView(basket=(0,)))
    assert "no prediction changes sides" not in said(ready)


@pytest.mark.parametrize("time", [None, 0.5])
def test_duplicates_without_ridge_are_explained(ready, computed, time):
    _, twins = computed
    opened(ready, twins, InfluenceView(ridge=0.0, time=time))
    assert any("repeat each other" in item.value and "at least" in item.value for item in ready.error)
    assert charts(ready) == ([] if time is None else [*THROUGH, GROUPS])  # at a finite time only the groups speak of the end
    widget(ready, "select_slider", "Regularisation λ").set_value(0.01).run()
    assert not ready.error and charts(ready) == [*THROUGH, GROUPS]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"target": "9999"}, "no held-out image 9,999: they are 0 to 11"),
        ({"label": "7"}, "no class 7"),
        ({"basket": "3,500"}, "images of the basket"),
    ],
)
def test_what_a_link_names_in_vain_is_said(ready, query, words):
    opened(ready, **query)
    assert words in re.sub(r"\\(.)|\u2060", r"\1", ready.warning[0].value)
    assert charts(ready) and not ready.error


def test_jobs_page_names_and_opens_it(ready, computed):
    ws, _ = computed
    INFLUENCE.request(SPEC, ws)
    visiting.opened(ready, "jobs")
    assert not ready.exception
    assert any("Influence on Digits" in m.value for m in ready.markdown)
