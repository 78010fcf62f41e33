"""The basket's confirmation by retraining in each of its states, without a browser, on results that real retraining made."""

import pytest
import visiting
from recording import Recording
from visiting import button, said, titles

from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.verification import views as verifying
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import AdditionSpec, InfluenceSpec, InfluenceView

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "5", "8"), "n": 24}, "test": 9})
VIEW = InfluenceView(ridge=0.1, time=0.5, target=2, verify=32, basket=(1, 4, 9))
SCATTER = "Predicted and real change of each held-out image’s loss"


def opened(app, **fields):
    view = InfluenceView.model_validate(VIEW.model_dump() | fields)
    return visiting.opened(app, "influence", **ADDRESSES["influence"].write(SPEC, view))


@pytest.fixture
def ready(ws):
    INFLUENCE.compute(SPEC, ws, Recording())
    return ws


def whole(ws, **fields):
    return verifying.whole_basket(INFLUENCE.open(SPEC, ws), InfluenceView.model_validate(VIEW.model_dump() | fields))


def test_the_offer_says_what_it_takes_and_is_one_job(app, ready):
    opened(app)
    offer = next(m.value for m in app.markdown if "Two trainings" in m.value)
    assert "a network of 32 units to τ = 0.5" in offer and "without 3 images or not" in offer and "on this machine" in offer
    assert SCATTER not in titles(app)
    button(app, "Confirm by retraining").click().run()
    assert not app.exception
    (job,) = ready.jobs.list(10)
    assert job.id == VERIFICATION.key(whole(ready), ready) and "without 3 images" in job.title
    assert any(b.label == "Cancel" for b in app.button)


@pytest.mark.parametrize("deed", ["delete", "relabel"])
def test_predicted_stands_beside_real(app, ready, deed):
    spec = whole(ready, deed=deed, label=1)
    assert spec.label == (1 if deed == "relabel" else None)
    VERIFICATION.compute(spec, ready, Recording())
    found = VERIFICATION.open(spec, ready)
    opened(app, deed=deed, label=1)
    assert SCATTER in titles(app) and not any(b.label == "Confirm by retraining" for b in app.button)
    told = said(app)
    assert ("Retrained without 3 images" if deed == "delete" else "Retrained with 3 images called 5") in told
    for kernel, network in zip(*found.accuracies(), strict=True):
        assert f"<td>{100 * kernel:.1f} %</td><td>{100 * network:.1f} %</td>" in told
    pearson, spearman = found.correlations(None)
    assert f"Pearson {pearson:+.2f}, Spearman {spearman:+.2f}".replace("-", "−") in told
    assert not app.error
    other = opened(visiting.visitor(), deed=deed, label=1, basket=(1, 4))
    assert any(b.label == "Confirm by retraining" for b in other.button)  # of another basket nothing is known


def test_held_out_images_are_added_once_their_kernel_is_there(app, ready):
    opened(app, deed="add", picked=(2, 5))
    assert not app.error and not app.exception
    assert any("kernel of all 9 with each other, once" in m.value for m in app.markdown) and "more image" not in said(app)
    button(app, "Compute their kernel").click().run()
    asked = AdditionSpec(influence=SPEC)
    (job,) = ready.jobs.list(10)
    assert job.id == ADDITION.key(asked, ready)
    ready.jobs.cancel(job.id)
    ADDITION.compute(asked, ready, Recording())
    other = opened(visiting.visitor(), deed="add", picked=(2, 5))
    (sentence,) = ADDITION.answer(ADDITION.open(asked, ready), InfluenceView(ridge=0.1, deed="add", picked=(2, 5)), ready)
    assert "with 2 more images: " in sentence and sentence.split(" → ")[0] in said(other)
    offer = next(m.value for m in other.markdown if "Two trainings" in m.value)
    assert "with 2 more images or not" in offer


def test_added_images_are_confirmed_on_the_others(app, ready):
    spec = whole(ready, deed="add", picked=(2, 5))
    VERIFICATION.compute(spec, ready, Recording())
    found = VERIFICATION.open(spec, ready)
    opened(app, deed="add", picked=(2, 5))
    told = said(app)
    assert SCATTER in titles(app) and "Retrained with 2 more images" in told and "The other held-out images" in told
    for kernel, network in zip(*found.accuracies(), strict=True):
        assert f"<td>{100 * kernel:.1f} %</td><td>{100 * network:.1f} %</td>" in told


def test_what_cannot_be_added_is_said(app, ready):
    ADDITION.compute(AdditionSpec(influence=SPEC), ready, Recording())
    opened(app, deed="add", picked=tuple(range(9)))
    assert any("judge by" in info.value for info in app.info) and not app.exception
    other = opened(visiting.visitor(), deed="add")
    assert any(c.value == "Tick held-out images at the top of the page, to add them with their labels." for c in other.caption)
    emptied = opened(visiting.visitor(), deed="add", picked=(2, 5), mean="ticked")
    button(emptied, "Empty").click().run()
    assert not {"picked", "mean"} & set(emptied.query_params) and not emptied.exception
    third = opened(visiting.visitor(), deed="delete", basket=(1,), picked=(1,))
    button(third, "Empty").click().run()
    assert any(c.value == "Tick training images above." for c in third.caption)


def test_what_single_influences_measured_stands_in_the_basket(app, ready):
    VERIFICATION.compute(verifying.leading(INFLUENCE.open(SPEC, ready), VIEW, 2, ready), ready, Recording())
    opened(app)
    assert (
        "Checked by retraining a network of 32 units on the 24 images without each of the 23 most influential on held-out image 2"
        in said(app)
    )


def test_a_change_that_changes_nothing(app, ready):
    result = INFLUENCE.open(SPEC, ready)
    same = tuple(int(i) for i in (result.labels == 0).nonzero()[0][:2])
    spec = whole(ready, deed="relabel", label=0, basket=same)
    VERIFICATION.compute(spec, ready, Recording())
    opened(app, deed="relabel", label=0, basket=same)
    assert "nothing moved that could be compared" in said(app)
    assert not app.error


def test_everything_cannot_be_deleted(app, ready):
    opened(app, basket=tuple(range(24)))
    assert app.error and not any(b.label == "Confirm by retraining" for b in app.button)
