"""The reliability page in each of its states, without a browser."""

import numpy as np
import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.reliability import views
from ntkcore.analyses.workspace import Workspace
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.reliability import ReliabilityView

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 60}, "test": 30})
VIEW = ReliabilityView(scale=1)
CHARTS = [
    "Error rate over λ",
    "Error rate against density",
    "How the correlation depends on the estimate",
    "Estimated against true influence",
    "Error of each cluster, and Theorem 4’s bound",
]


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


def opened(app, spec=SPEC, view=VIEW, **query):
    return visiting.opened(app, "reliability", **(ADDRESSES["reliability"].write(spec, view) | query))


def test_forecast_before_anything_runs(app):
    opened(app)
    assert {m.label for m in app.metric} == {"Time", "Memory", "Disk"}
    assert not button(app, "Compute").disabled
    assert titles(app) == []


def test_computing_is_the_influence_page_s_job(app, ws):
    opened(app)
    button(app, "Compute").click().run()
    assert any(b.label == "Cancel" for b in app.button)
    assert [job.kind for job in ws.jobs.list(10)] == ["influence"]
    assert ws.jobs.state(INFLUENCE.key(SPEC, ws)) is not None


def test_result_answers_first_and_shows_every_chart(ready):
    opened(ready)
    assert not ready.metric
    assert "At λ = 1, IHVP misses the true influence by" in said(ready)
    assert "All 1,800 pairs satisfy its exact inequality" in said(ready)
    assert "60 training and 30 held-out images" in said(ready)
    assert [title for title in titles(ready) if title in CHARTS] == CHARTS
    assert "Least reliable training images" in titles(ready)
    assert "every one of 24,800 pairs" in said(ready)  # 124 training samples, 200 held out


def test_controls_change_the_address_and_the_answer(ready):
    opened(ready)
    widget(ready, "select_slider", "Regularisation λ").set_value(16.0).run()
    assert ready.query_params["ridge"] == "16.0"
    assert "At λ = 16, IHVP" in said(ready)
    widget(ready, "selectbox", "Components").set_value(5).run()
    widget(ready, "selectbox", "Bandwidth").set_value("cv").run()
    widget(ready, "button_group", "Over held-out images").set_value("median").run()
    widget(ready, "button_group", "Held-out images").set_value("green").run()
    assert {name: ready.query_params[name] for name in ("dimension", "bandwidth", "average", "light")} == {
        "dimension": "5",
        "bandwidth": "cv",
        "average": "median",
        "light": "green",
    }
    assert not ready.exception
    python, command = visiting.code(ready)
    assert "ntkcore.notebook import reliability, error_rates" in python and "python -m ntkcore reliability" in command


def test_a_link_opens_selected_images_and_a_held_out_one(ready):
    opened(ready, view=ReliabilityView(ridge=0.3, picked=(1, 5, 7), target=4, scale=2, dimension=7))
    assert "3 selected training images" in titles(ready)
    assert "Held-out image 4, " in said(ready)
    assert "At λ = 0.3, IHVP" in said(ready)
    button(ready, "Clear").click().run()
    assert "picked" not in ready.query_params
    assert "Least reliable training images" in titles(ready)


def test_filters_and_order_of_the_training_images(ready, computed):
    ws = Workspace(computed)
    result = INFLUENCE.open(SPEC, ws)
    look = Look.of(result, VIEW.ridge, None, ws)
    rate, diagonal = views.summary(look).rates["mean"], views.density(look, 10, "scott", 60).log_density
    middle = float(np.median(diagonal))
    opened(ready, view=ReliabilityView(scale=1, filters=(f"density~~{middle!r}",)))
    first = np.argsort(-rate, kind="stable")
    assert visiting.shown(ready, "unreliable_gallery") == first[diagonal[first] <= middle].tolist()
    widget(ready, "selectbox", "Order").set_value("-rate").run()
    assert ready.query_params["by"] == "-rate"
    last = np.argsort(rate, kind="stable")
    assert visiting.shown(ready, "unreliable_gallery") == last[diagonal[last] <= middle].tolist()
    widget(ready, "toggle", "Filters").set_value(True).run()
    assert not ready.exception and not ready.info
    next(b for b in ready.button if "log density" in b.label).click().run()
    assert "filters" not in ready.query_params and visiting.shown(ready, "unreliable_gallery") == last.tolist()


def test_what_a_link_names_in_vain_is_said(ready):
    opened(ready, view=ReliabilityView(target=99, picked=(5, 700), scale=1))
    assert "99" in ready.warning[0].value and "selected training images" in ready.warning[0].value
    assert "1 selected training image" in titles(ready)


def test_the_way_to_all_influences(ready):
    opened(ready, view=ReliabilityView(ridge=0.25, target=3, scale=1))
    button(ready, "All its influences").click().run()
    assert not ready.exception
    assert ready.title[0].value == "Influence"
    assert ready.query_params["target"] == "3" and ready.query_params["ridge"] == "0.25"
    assert "Held-out image 3, " in said(ready)


def test_the_bar_is_not_the_influence_page_s(ready, computed):
    """Both pages have the same fields; what one of them chose must not become the other's."""
    visiting.opened(ready, "influence", dataset="digits", classes=["3", "8"], n="60", test="30")
    opened(ready, SPEC.model_copy(update={"test": 20}))
    assert ready.query_params["test"] == "20"


def test_a_full_kernel_is_refused_before_it_is_computed(app, ws):
    opened(app, InfluenceSpec.model_validate({"kernel": "full", "model": {"width": 8, "depth": 1}}))
    assert "one kernel for all outputs" in app.error[0].value
    assert not app.metric and ws.jobs.list(10) == ()


def test_a_ridge_too_small_for_the_kernel_is_said_and_can_be_raised(ready, monkeypatch):
    monkeypatch.setattr("ntkcore.regression.resolvent._EPS", 1e-3)
    opened(ready, view=ReliabilityView(ridge=1e-6, scale=1))
    assert "singular to rounding" in ready.error[0].value
    assert any(slider.label == "Regularisation λ" for slider in ready.select_slider)


@pytest.mark.parametrize(
    ("query", "words"), [({"ridge": "-1"}, "greater than or equal to 0"), ({"light": "blue"}, "light"), ({"tests": "all"}, "is unknown")]
)
def test_a_wrong_address_is_explained_and_starts_nothing(app, ws, query, words):
    opened(app, **query)
    assert words in app.error[0].value
    assert ws.jobs.list(10) == ()
    button(app, "Start from the defaults").click().run()
    assert not app.error
