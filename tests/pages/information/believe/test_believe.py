"""The question "Can I believe the number?" in each of its states, without a browser, on studies that real training made."""

import pytest
import visiting
from recording import Recording
from small_analyses import quickly
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information.believe import noise, tables
from ntkcore.analyses.information.believe import retraining as retraining_study
from ntkcore.analyses.information.believe.agreement import AGREEMENT
from ntkcore.errors import ComputationError
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

SPEC = InfluenceSpec.model_validate(
    {"dataset": {"classes": ("3", "8"), "n": 16}, "test": 6, "kernel": "pseudo", "model": {"width": 6, "depth": 1}}
)
VIEW = InformationView.model_validate(
    {"ask": "believe", "ridge": 0.1, "time": 0.3, "believe": {"removals": 5, "ridge": 10.0, "others": ("fcn-2",), "seeds": 2}}
)
CHARTS = ["Predictions without an image", "Weights without an image"]


def opened(app, spec=SPEC, view=VIEW, **changes):
    asked = view.model_copy(update={"believe": view.believe.model_copy(update=changes)})
    return visiting.opened(app, "information", **ADDRESSES["information"].write(spec, asked))


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache with the analysis and both studies; tests only look at it."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws, pytest.MonkeyPatch.context() as patch:
        quickly(patch)
        INFLUENCE.compute(SPEC, ws, Recording())
        for study in (retraining_study.RETRAINING, AGREEMENT):
            study.compute(study.asked(SPEC, VIEW, ws), ws, Recording())
        yield ws


@pytest.fixture
def ready(ws):
    INFLUENCE.compute(SPEC, ws, Recording())
    return ws


def test_an_offer_says_what_it_takes_and_is_one_job(app, ready):
    opened(app)
    assert "measured by training it again" in said(app) and not titles(app)
    offer = " ".join(m.value for m in app.markdown)
    assert "one without each of 5 random images, at λ = 0 and λ = 10, to τ = 0.3" in offer and "on this machine" in offer
    button(app, "Retrain without each of 5 random images").click().run()
    assert not app.exception
    assert [job.id for job in ready.jobs.list(10)] == [
        retraining_study.RETRAINING.key(retraining_study.RETRAINING.asked(SPEC, VIEW, ready), ready)
    ]
    assert any(b.label == "Cancel" for b in app.button)


def test_what_was_measured_stands_beside_the_paper(computed):
    app = opened(visitor())
    assert titles(app) == CHARTS and not app.error
    text = said(app)
    assert text.count("network follows its linearisation") + text.count("does not follow its linearisation") == 2
    pieces = (study := retraining_study.RETRAINING).open(study.asked(SPEC, VIEW, computed), computed)
    rows = list(tables.agreements(pieces))
    for row in rows[:2]:
        assert f"<td>{row.pearson.value:.2f}</td>".replace("-", "−") in text
    assert "MLP from scratch in the paper" in text and "<td>0.987</td>" in text and "<td>0.990</td>" in text
    assert "0.16 on the sum here" in text and "10,000" not in text
    widget(app, "button_group", "λ of the charts").set_value("regularised").run()
    assert app.query_params["believe-plot"] == "regularised" and any("λ = 10." in t for t in [said(app)])
    assert not app.exception


def test_choices_are_in_the_address(computed):
    app = opened(visitor())
    widget(app, "selectbox", "Images left out").set_value(10).run()
    assert app.query_params["believe-removals"] == "10"
    widget(app, "selectbox", "Second λ").set_value(0.0).run()
    assert app.query_params["believe-ridge"] == "0.0"
    assert any("at λ = 0, to τ" in m.value for m in app.markdown)
    widget(app, "button_group", "Check").set_value("times").run()
    assert app.query_params["believe-show"] == "times" and not app.exception


def test_networks_are_compared(computed):
    app = opened(visitor(), show="agreement")
    assert titles(app)[:2] == [
        "Agreement of the scores",
        "Agreement of the ranks",
    ] and "Different networks agree on the scores with Pearson" in said(app)
    assert "Fully connected, 2 hidden, width 256: " in said(app) and said(app).count('class="atlas-strip atlas-captions') == 2
    widget(app, "multiselect", "Compared with").set_value(["fcn-2", "cnn3"]).run()
    assert app.query_params["believe-others"] == ["fcn-2", "cnn3"]
    assert any(b.label == "Compare 6 networks" for b in app.button)
    assert not app.exception


def test_times_need_no_job(computed):
    app = opened(visitor(), show="times")
    assert titles(app) == ["Agreement over training time"] and "one time agrees with the next" in said(app)
    assert not app.error


def test_noise_needs_no_job_and_its_settings_are_in_the_address(computed):
    app = opened(visitor(), show="noise")
    assert titles(app) == ["Information in the weights"] and "rank the images with Spearman" in said(app)
    found = noise.noises(Look(INFLUENCE.open(SPEC, computed), VIEW.ridge, VIEW.time, computed), 0.01, 1)
    assert found.sgd is not None and found.sgd.shape == (16,) and "at τ = 0.3, λ = 0.1" in said(app)
    widget(app, "number_input", "Images in a step b").set_value(8).run()
    widget(app, "number_input", "SGD’s rate η").set_value(0.5).run()
    assert (app.query_params["believe-batch"], app.query_params["believe-rate"]) == ("8", "0.5") and not app.exception


def test_where_sgd_has_no_noise_langevins_is_shown_and_why(computed, monkeypatch):
    def refuse(*_, **__):
        raise ComputationError("All gradients are alike.", "Choose another.")

    monkeypatch.setattr(noise, "steady_state", refuse)
    app = opened(visitor(), show="noise", batch=7)
    assert "All gradients are alike." in said(app) and "even noise the largest is" in said(app)
    assert titles(app) == ["Information in the weights"] and not app.exception


@pytest.mark.parametrize(
    ("spec", "changes", "words"),
    [
        ({"kernel": "two-layer", "model": None}, {}, "no network to retrain"),
        ({}, {"removals": 30}, "leave out fewer"),
        ({}, {"show": "agreement", "others": (), "seeds": 1}, "nothing to agree with"),
        ({}, {"show": "agreement", "others": ("cnn4",)}, "28 × 28"),
        ({"dataset": {"classes": ("3", "5", "8"), "n": 16}}, {}, "stands for the full kernel of 3 outputs"),
    ],
)
def test_what_cannot_be_says_why(app, ws, spec, changes, words):
    wanted = InfluenceSpec.model_validate(SPEC.model_dump(mode="json") | spec)
    INFLUENCE.compute(wanted, ws, Recording())
    opened(app, wanted, **changes)
    assert any(words in c.value.replace("\\", "") for c in app.caption), [c.value for c in app.caption]
    assert not app.exception and not any(b.label.startswith(("Retrain", "Compare")) for b in app.button if b.key != "bar_compare")


def test_a_wrong_address_is_explained(app):
    visiting.opened(
        app, "information", **(ADDRESSES["information"].write(SPEC, VIEW) | {"believe-removals": "0", "believe-others": ["vgg"]})
    )
    text = app.error[0].value.replace("\\", "")
    assert "believe-removals" in text and "'vgg'" in text
