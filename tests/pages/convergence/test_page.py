"""The convergence page in each of its states, without a browser."""

import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.convergence.analysis import CONVERGENCE
from ntkcore.analyses.progress import TIMING
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.convergence import ConvergenceSpec, ConvergenceView

SPEC = ConvergenceSpec.model_validate(
    {"dataset": {"classes": ("0", "1", "2"), "n": 24}, "test": 20, "depth": 1, "widths": (4, 8), "seeds": 1, "looks": (0, 1)}
)
CHARTS = 16


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache in which SPEC is computed; tests only look at it."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        CONVERGENCE.compute(SPEC, ws, Recording())
        yield ws.settings


@pytest.fixture
def ready(computed):
    """A page on the computed cache."""
    return visitor()


def opened(app, spec=SPEC, view=None, **query):
    return visiting.opened(app, "convergence", **(ADDRESSES["convergence"].write(spec, view) | query))


def test_forecast_before_anything_runs(app):
    opened(app)
    assert {m.label for m in app.metric} == {"Time", "Memory", "Disk"}
    assert not button(app, "Compute").disabled
    assert titles(app) == []


def test_result_answers_first_and_shows_every_chart(ready):
    opened(ready)
    assert not ready.metric
    assert "Which to use" in said(ready)
    assert "At width 8, at initialisation" in said(ready)
    assert len(titles(ready)) == CHARTS
    assert "4 comparisons · computed" in said(ready)
    assert {s.value for s in ready.select_slider} == {0, 8}


def test_what_rests_on_a_jitter_is_said_and_counts_only_when_asked_for(app, ws):
    """One hidden unit has 71 parameters: the full kernel of 72 equations is singular."""
    spec = SPEC.model_copy(update={"widths": (1, 4), "looks": (0,)})
    CONVERGENCE.compute(spec, ws, Recording())
    opened(app, spec)
    assert "not counted in the lines" in said(app) and not app.exception
    widget(app, "toggle", "Count jittered").set_value(True).run()
    assert app.query_params["jittered"] == "1" and "not counted in the lines" not in said(app) and "rest on a jitter." in said(app)
    opened(app, spec, ConvergenceView(point=(1, 0, 0)))
    assert "Jitter that they rest on" in said(app)


def test_controls_change_the_address_and_the_charts(ready):
    opened(ready)
    widget(ready, "select_slider", "After epoch").set_value(1).run()
    assert ready.query_params["epoch"] == "1"
    assert "after epoch 1" in said(ready)
    widget(ready, "button_group", "Charts").set_value("epoch").run()
    assert ready.query_params["over"] == "epoch"
    widget(ready, "button_group", "Cheap kernel").set_value("first").run()
    assert "first-logit" in said(ready)
    assert not ready.exception
    python, command = visiting.code(ready)
    assert "ntkcore.notebook import convergence, comparison_table" in python and "python -m ntkcore convergence" in command


def test_a_link_opens_its_kernel(ready):
    opened(ready, view=ConvergenceView(point=(8, 0, 1), heat="error"))
    assert "Width 8, seed 0, after epoch 1" in titles(ready)
    assert "the ratio of eq. 3.3" in said(ready)
    assert not button(ready, "Earlier").disabled
    assert button(ready, "Later").disabled
    button(ready, "Earlier").click().run()
    assert not ready.exception
    assert "Width 8, seed 0, at initialisation" in titles(ready)
    assert ready.query_params["point"] == "8-0-0"


def test_what_a_link_names_in_vain_is_said(ready):
    opened(ready, view=ConvergenceView(point=(16, 0, 1), epoch=7))
    assert "epoch 7" in ready.warning[0].value
    assert len(titles(ready)) == CHARTS


def test_what_a_link_names_in_vain_is_said_before_anything_runs(app):
    opened(app, view=ConvergenceView(point=(16, 0, 1), epoch=7, width=99))
    (warning,) = app.warning
    assert all(word in warning.value for word in ("epoch 7", "width 99", "width 16"))
    assert not button(app, "Compute").disabled


def test_a_link_to_a_kernel_that_is_not_computed_yet(app):
    opened(app, view=ConvergenceView(point=(8, 0, 1)))
    assert not app.warning
    assert "is not computed yet" in app.info[0].value


def test_finished_comparisons_show_while_the_job_runs(app, ws):
    with pytest.raises(Cancelled):
        CONVERGENCE.compute(SPEC, ws, Recording(stop_at=(TIMING, 0)))
    CONVERGENCE.request(SPEC, ws)
    opened(app)
    assert any(b.label == "Cancel" for b in app.button)
    assert len(titles(app)) == CHARTS
    assert not app.metric


def test_a_job_without_a_comparison_yet(app, ws):
    CONVERGENCE.request(SPEC, ws)
    opened(app)
    assert any(b.label == "Cancel" for b in app.button)
    assert "The first comparison shows here" in said(app)
    assert len([job for job in ws.jobs.list(10) if job.kind == "convergence"]) == 1


def test_a_cancelled_job_goes_on_from_there(app, ws):
    CONVERGENCE.request(SPEC, ws)
    ws.jobs.cancel(CONVERGENCE.key(SPEC, ws))
    opened(app)
    assert any("cancelled" in item.value for item in app.info)
    assert not button(app, "Compute").disabled


def test_a_diverged_training_is_told_where_it_is_opened(app, ws):
    spec = SPEC.model_copy(update={"training": SPEC.training.model_copy(update={"learning_rate": 1000.0})})
    with pytest.raises(Cancelled):
        CONVERGENCE.compute(spec, ws, Recording(stop_at=(TIMING, 0)))
    assert any(point.diverged for point in CONVERGENCE.open(spec, ws).points)
    opened(app, spec, ConvergenceView(point=(8, 0, 1), epoch=1))
    assert "Every training up to epoch 1 failed so far" in said(app)
    assert any("diverged" in item.value.lower() for item in app.warning)
    spectra = next(chart for chart in app.get("plotly_chart") if "spectra" in chart.proto.id)
    assert "as said above" in spectra.proto.spec


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"widths": "8,4"}, "ascending order"),
        ({"looks": "0,x"}, "whole number"),
        ({"epochs": "3"}, "is unknown"),
        ({"n": "-3"}, "greater than or equal to 4"),
    ],
)
def test_a_wrong_address_is_explained_and_starts_nothing(app, ws, query, words):
    opened(app, **query)
    assert words in app.error[0].value
    assert ws.jobs.list(10) == ()
    button(app, "Start from the defaults").click().run()
    assert not app.error
    assert app.metric


@pytest.mark.parametrize("query", [{"n": "50000"}, {"classes": ["0", "1"]}, {"test": "5000"}, {"dataset": "own", "own": "0" * 64}])
def test_what_cannot_be_computed_is_said(app, query):
    opened(app, **query)
    assert app.error
    assert not any(b.label == "Compute" and not b.disabled for b in app.button)


@pytest.mark.parametrize(
    ("label", "value", "words"), [("Widths", "8, wide", "wide"), ("Widths", "", "at least one"), ("Epochs looked at", "1.5", "1")]
)
def test_contradictory_choices_are_said(app, label, value, words):
    opened(app)
    widget(app, "text_input", label).set_value(value).run()
    assert words in app.warning[0].value
    assert not app.metric


def test_widths_are_put_in_order(app):
    opened(app)
    widget(app, "text_input", "Widths").set_value("16, 8").run()
    assert app.query_params["widths"] == "8,16"


def test_another_network_brings_its_defaults(app):
    opened(app)
    widget(app, "selectbox", "Network").set_value("cnn4").run()
    assert not app.exception
    assert app.query_params["model"] == "cnn4"
    assert "widths" not in app.query_params
    assert "rate" not in app.query_params


def test_damage_is_said_and_repaired(app, ws):
    with pytest.raises(Cancelled):
        CONVERGENCE.compute(SPEC, ws, Recording(stop_at=(TIMING, 0)))
    tile = next(p for p in (ws.settings.cache_dir / "artifacts" / "comparison").rglob("c/**/*") if p.is_file() and "spectrum" in str(p))
    tile.write_bytes(tile.read_bytes()[:-3])
    opened(app)
    assert "damaged" in app.warning[0].value
    assert ws.jobs.state(CONVERGENCE.key(SPEC, ws)) is not None


def test_jobs_page_names_and_opens_it(ready, computed):
    CONVERGENCE.request(SPEC, Workspace(computed))
    visiting.opened(ready, "jobs")
    assert any("Convergence on Digits" in m.value for m in ready.markdown)
    rows = ready.dataframe[0].value
    assert "comparison of the kernels of one network" in set(rows["what"])
    assert any("width 8, seed 0, epoch 1" in text for text in rows["of"]) and all(rows["of"])
