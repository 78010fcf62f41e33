"""The influence page's verification in each of its states, without a browser, on results that real retraining made."""

import re

import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.progress import RETRAINING
from ntkcore.analyses.verification import views as verifying
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.verification.forecast import descent
from ntkcore.errors import Cancelled
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec, InfluenceView

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 20}, "test": 6})
VIEW = InfluenceView(ridge=0.1, time=0.5, target=2, verify=32)
EVIDENCE = "Predicted and real influence"


def opened(app, spec=SPEC, view=VIEW):
    return visiting.opened(app, "influence", **ADDRESSES["influence"].write(spec, view))


def changed(**fields):
    return InfluenceView.model_validate(VIEW.model_dump() | fields)


@pytest.fixture
def ready(ws):
    INFLUENCE.compute(SPEC, ws, Recording())
    return ws


def leading(ws, view=VIEW):
    return verifying.leading(INFLUENCE.open(SPEC, ws), view, view.target, ws)


def test_an_offer_says_what_it_takes_and_is_one_job(app, ready):
    opened(app)
    offer = " ".join(m.value for m in app.markdown)
    assert "most influential images of held-out image 2, each left out once, trained to τ = 0.5" in offer and "on this machine" in offer
    assert "Checked" not in said(app) and EVIDENCE not in titles(app)
    button(app, "Retrain without each of 19 images").click().run()
    assert not app.exception
    assert [job.id for job in ready.jobs.list(10)] == [VERIFICATION.key(leading(ready), ready)]
    assert any(b.label == "Cancel" for b in app.button)


def test_what_was_measured_is_shown_with_the_papers_figures(app, ready):
    VERIFICATION.compute(leading(ready), ready, Recording())
    found = VERIFICATION.open(leading(ready), ready)
    opened(app)
    pearson, spearman = found.correlations(2)
    assert EVIDENCE in titles(app)
    assert VERIFICATION.answer(found, VIEW, ready)[0] in re.sub("</?b>", "", said(app))  # the page says what a terminal says
    assert f"Pearson {pearson:+.2f}".replace("-", "−") in said(app)
    assert f"median error {100 * found.error(2):.0f} %" in said(app)
    assert f"<th>32 here</th><td>{pearson:.4f}</td><td>{spearman:.4f}</td><td>{100 * found.error(2):.1f} %</td>" in said(app)
    assert "80,000 in the paper</th><td>0.9955</td><td>0.9728</td>" in said(app) and "that one is for reference" in said(app)
    assert f"network of {32:,} units" in said(app)
    assert not app.error


def test_one_ticked_image_is_a_pair(app, ready):
    view = changed(check="ticked", basket=(7,))
    spec = verifying.ticked(INFLUENCE.open(SPEC, ready), view)
    opened(app, view=view)
    assert any(b.label == "Retrain without image 7" for b in app.button)
    VERIFICATION.compute(spec, ready, Recording())
    found = VERIFICATION.open(spec, ready)
    again = opened(visitor(), view=view)
    real = f"{found.actual[0, 2]:+.3g}".split("e")[0].replace("-", "−")
    assert "Without image 7 the loss of held-out image 2 <b>really changes by" in said(again) and real.lstrip("+") in said(again)
    assert EVIDENCE not in titles(again)
    widget(again, "button_group", "Images left out").set_value("leading").run()
    assert "check" not in again.query_params and any(b.label == "Retrain without each of 19 images" for b in again.button)
    assert not again.exception


def test_nothing_ticked_is_said(app, ready):
    opened(app, view=changed(check="ticked"))
    assert any("one is enough" in c.value for c in app.caption)
    assert not app.error


def test_all_widths_are_queued_at_once_with_their_forecast(app, ready):
    opened(app)
    assert any("512, 1,024, 2,048 and 4,096 units, one after another: about" in m.value for m in app.markdown)
    button(app, "Verify all widths").click().run()
    assert not app.exception
    wanted = {VERIFICATION.key(verifying.at_width(leading(ready), width), ready) for width in verifying.WIDTHS}
    assert {job.id for job in ready.jobs.list(10)} == wanted
    assert "Then 1,024, 2,048 and 4,096 units." in said(app)
    button(app, "Cancel these").click().run()
    assert {job.id for job in ready.jobs.list(10) if job.active} == {VERIFICATION.key(verifying.at_width(leading(ready), 512), ready)}
    assert not app.exception


def test_widths_that_were_verified_are_rows_beside_the_rest(app, ready):
    for width in (24, 64):
        VERIFICATION.compute(leading(ready, changed(verify=width)), ready, Recording())
    opened(app)
    assert said(app).index("<th>24 here") < said(app).index("<th>64 here") < said(app).index("<th>10,000 in the paper")
    assert any(b.label == "Verify all widths" for b in app.button) and any(b.label.startswith("Retrain without") for b in app.button)


def test_a_cancelled_verification_goes_on(app, ready):
    spec = leading(ready)
    VERIFICATION.request(spec, ready)
    ready.jobs.cancel(VERIFICATION.key(spec, ready))
    _, steps = descent(spec, INFLUENCE.open(SPEC, ready))
    with pytest.raises(Cancelled):
        VERIFICATION.compute(spec, ready, Recording(stop_at=(RETRAINING, 3.5 * steps)))
    opened(app)
    assert any("goes on from there" in item.value for item in app.info)
    assert any("less what is done" in m.value for m in app.markdown)
    button(app, "Go on retraining").click().run()
    assert ready.jobs.state(VERIFICATION.key(spec, ready)).active


def test_damage_is_mended(app, ready):
    spec = leading(ready)
    VERIFICATION.compute(spec, ready, Recording())
    folder = ready.settings.cache_dir / "artifacts" / "verification"
    tile = next(p for p in folder.rglob("c/**/*") if p.is_file() and "outputs" in str(p))
    tile.write_bytes(tile.read_bytes()[:-3])
    opened(app)
    assert any("damaged" in item.value for item in app.warning) and not app.error
    job = ready.jobs.state(VERIFICATION.key(spec, ready))
    assert job is not None and job.active


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"kernel": "infinite", "model": {"width": 8, "depth": 1}}, "retrain the two-layer network"),
        ({"kernel": "pseudo", "model": {"width": 8, "depth": 1}, "training": {"epochs": 1}}, "take it at initialisation"),
    ],
    ids=["infinite", "trained"],
)
def test_what_cannot_be_retrained_says_why(app, ws, spec, words):
    wanted = InfluenceSpec.model_validate(SPEC.model_dump(mode="json") | spec)
    INFLUENCE.compute(wanted, ws, Recording())
    opened(app, wanted, changed(basket=(3,)))
    captions = [c.value.replace("\\", "") for c in app.caption if words in c.value.replace("\\", "")]
    assert len(captions) == 2  # of the basket, and of the most influential
    assert not app.error and not any("Retrain" in b.label for b in app.button)


def test_a_networks_own_kernel_is_verified_on_the_network(app, ws):
    wanted = InfluenceSpec.model_validate(SPEC.model_dump(mode="json") | {"kernel": "full", "model": {"width": 8, "depth": 1}})
    INFLUENCE.compute(wanted, ws, Recording())
    view = changed(verify=512)
    spec = verifying.leading(INFLUENCE.open(wanted, ws), view, 2, ws)
    VERIFICATION.compute(spec, ws, Recording())
    opened(app, wanted, view)
    assert EVIDENCE in titles(app) and not any("beside the paper" in title for title in titles(app))
    assert not any("network" in (s.label or "") for s in app.selectbox if s.label.startswith("Width of the"))
    assert not app.error


def test_measured_line_says_where_it_was_measured(ready):
    from pages.influence.verify.measured import measured_line

    result = INFLUENCE.open(SPEC, ready)

    def line_of(target=None, **fields):
        view = changed(**fields)
        return measured_line(Subject.of(Look.of(result, view.ridge, view.time, ready), view), target)

    assert line_of(2) is None
    VERIFICATION.compute(leading(ready), ready, Recording())
    found = VERIFICATION.open(leading(ready), ready)
    line = line_of(2)
    assert line.startswith(
        "Checked by retraining a network of 32 units on the 20 images without each of the 19 most influential on held-out image 2: "
    )
    assert f"Spearman {found.correlations(2)[1]:+.2f}".replace("-", "−") in line and 'href="#is-it-true"' in line
    assert line == line_of()  # the image that the view names
    assert "the 19 most influential on held-out image 2, for held-out image 4: " in line_of(4)
    assert line_of(2, time=None).startswith("At λ = 0.1 and τ = 0.5 checked by retraining")
    assert line_of(2, ridge=3.0).startswith("At λ = 0.1 and τ = 0.5 checked by retraining")
