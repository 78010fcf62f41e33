"""The information page and its first question, without a browser: forecast, result, galleries, charts, inspector, bad addresses."""

import numpy as np
import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information import views
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "5", "8"), "n": 40, "label_noise": 0.2}, "test": 12})
CHARTS = ["How it is distributed", "Against what else is known", "The most informative images", "Does the ranking stay?"]


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache in which SPEC is computed; tests only look at it."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        INFLUENCE.compute(SPEC, ws, Recording())
        yield ws, INFLUENCE.open(SPEC, ws)


def opened(**fields):
    query = ADDRESSES["information"].write(SPEC, InformationView.model_validate(fields))
    return visiting.opened(visitor(), "information", **query)


def test_forecast_before_anything_runs_and_one_job_with_the_influence_page(app, ws):
    visiting.opened(app, "information", **ADDRESSES["information"].write(SPEC))
    assert {m.label for m in app.metric} == {"Time", "Memory", "Disk"}
    button(app, "Compute").click().run()
    assert [job.id for job in ws.jobs.list(10)] == [INFLUENCE.key(SPEC, ws)]
    assert any(b.label == "Cancel" for b in app.button)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"ask": "why"}, "ask"),
        ({"ridge": "-1"}, "ridge"),
        ({"show": "best"}, "show"),
        ({"every": "yes"}, "every"),
        ({"tau": "1"}, "unknown"),
    ],
)
def test_a_wrong_address_is_explained(app, query, words):
    visiting.opened(app, "information", **(ADDRESSES["information"].write(SPEC) | query))
    assert words in app.error[0].value
    button(app, "Start from the defaults").click().run()
    assert not app.error


def test_the_answer_the_ends_and_the_charts(computed):
    ws, result = computed
    app = opened()
    assert titles(app) == ["Most informative", "Least informative", *CHARTS]
    values = views.scores(Look(result, 1e-2, np.inf, ws))
    first = np.sort(values)[::-1][:4].sum() / values.sum()
    assert f"<b>{100 * first:.0f} %</b> of all unique information" in said(app)
    assert "label flipped" in said(app)
    assert not app.error and not app.warning


def test_all_images_by_choice(computed):
    app = opened(every=True, show="least", only=("3",))
    assert titles(app) == CHARTS
    assert widget(app, "selectbox", "Order").value == "least"
    assert widget(app, "multiselect", "Classes shown").value == ["3"]


def test_another_measure_in_the_scatter(computed):
    ws, result = computed
    app = opened(against="k_xx")
    values, other = views.scores(Look(result, 1e-2, np.inf, ws)), views.diagonal(result)
    rho = views.spearman(values, other)
    assert ("ρ =" in said(app)) == bool(np.isfinite(rho))  # of unit vectors k(x, x) does not vary
    widget(app, "selectbox", "Held against").set_value("margin").run()
    assert app.query_params["against"] == "margin" and not app.exception


def test_each_switch_of_the_authors_code_is_in_the_address_and_changes_the_answer(computed):
    _, result = computed
    app = opened()
    assert "in steps" not in str(app) and widget(app, "select_slider", "Training time τ")
    widget(app, "selectbox", "Ranked by").set_value("loss").run()
    assert app.query_params["score"] == "loss" and "the mean training loss would be" in said(app) and not app.exception
    widget(app, "toggle", "A removal keeps the averaged loss’s rate").set_value(True).run()
    assert app.query_params["averaged"] == "1"
    widget(app, "toggle", "Train in discrete steps").set_value(True).run()
    rate = views.stable_rate(result, 0.01)
    assert app.query_params["descent"] == repr(rate) and rate * (result.regression.eigen[0][-1] + 0.01) < 1 and not app.exception
    slider = widget(app, "select_slider", "Steps of gradient descent")
    slider.set_value(views.axis_of(result, rate)[5]).run()
    assert float(app.query_params["time"]) == views.axis_of(result, rate)[5] and not app.exception
    widget(app, "toggle", "Train in discrete steps").set_value(False).run()
    assert "descent" not in app.query_params and "time" not in app.query_params and not app.exception


def test_the_leave_one_out_residual_ranks_the_galleries(computed):
    ws, result = computed
    app = opened()
    widget(app, "selectbox", "Ranked by").set_value("residual").run()
    assert app.query_params["score"] == "residual" and not app.exception
    assert titles(app)[:2] == ["Furthest off their label, unseen", "Nearest to it"]
    assert "Without having seen it, the network takes" in said(app) and "its leave-one-out residual" in said(app)
    off = views.residuals(Look(result, 1e-2, np.inf, ws))
    assert visiting.shown(app, "information_most") == np.argsort(-off, kind="stable")[: views.SHOWN].tolist()
    assert "leave-one-out residual" not in widget(app, "selectbox", "Held against").options
    widget(app, "selectbox", "Held against").set_value("information").run()
    assert app.query_params["against"] == "information" and not app.exception
    assert "how far from its label’s target" in said(opened(score="residual", image=5))


def test_held_against_itself_another_measure_is_shown(computed):
    assert widget(opened(against="information"), "selectbox", "Held against").value == "residual"


def test_steps_that_diverge_and_steps_that_are_not_whole_are_said(computed):
    app = opened(descent=1e3, time=5)
    assert any("diverges here" in item.value for item in (*app.error, *app.warning)) and not app.exception
    app = visiting.opened(visitor(), "information", **(ADDRESSES["information"].write(SPEC) | {"descent": "0.1", "time": "1.5"}))
    assert "whole steps" in app.error[0].value


def test_other_questions_take_the_flow_at_the_same_time(computed):
    ws, result = computed
    view = InformationView(ask="mislabelled", descent=0.25, time=8.0, score="loss", averaged=True)
    look = views.look_of(result, view, ws)
    assert (look.time, look.descent, look.score, look.averaged) == (2.0, None, "held-out", False)
    assert not opened(ask="mislabelled", descent=0.01, time=100.0).exception


def test_an_image_closely(computed):
    _, result = computed
    app = opened(image=5)
    assert any(f"Training image 5: {result.class_names[result.labels[5]]}" in title for title in titles(app))
    assert "Unique information" in said(app) and result.ids[5] in said(app)


def test_selected_images_and_their_end(computed):
    app = opened(picked=(1, 2, 3))
    button(app, "3 selected: show all again").click().run()
    assert "picked" not in app.query_params
    assert titles(app)[0] == "Most informative"


def test_what_a_link_names_that_is_not_there_is_said(computed):
    app = opened(image=4000, only=("bird",), basket=(4000,))
    said_ = app.warning[0].value.replace("\\", "")
    assert all(words in said_ for words in ("no training image 4,000", "no class bird", "do not exist here"))


def test_before_anything_is_learned_it_is_said(computed):
    app = opened(time=1e-12)
    assert not app.exception and not app.error


def test_what_retraining_found_is_said_under_every_other_question(computed, monkeypatch):
    monkeypatch.setattr("pages.information.result.warning_of", lambda spec, ws: "It does not follow.")
    assert "does not follow" in opened().warning[0].value
    assert "does not follow" in opened(ask="drop").warning[0].value
    assert not any("does not follow" in item.value for item in opened(ask="believe").warning)
