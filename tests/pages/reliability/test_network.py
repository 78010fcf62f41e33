"""The real network's part of the reliability page in each of its states, without a browser."""

from dataclasses import replace

import pytest
import visiting
from recording import Recording
from visiting import button, said, titles, visitor, widget

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.reliability import stochastic as views
from ntkcore.analyses.reliability.network import NETWORK_IHVP
from ntkcore.jobs import Jobs
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.reliability import ReliabilityView

SPEC = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 30}, "test": 8})
VIEW = ReliabilityView(scale=1, verify=64, runs=2, minibatch=16, target=5, time=1.0)
HEADER = "On a real network: what does stochastic estimation add?"


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """A cache in which SPEC is computed, and the comparison of VIEW."""
    with visiting.kept_cache(tmp_path_factory.mktemp("computed")) as ws:
        INFLUENCE.compute(SPEC, ws, Recording())
        NETWORK_IHVP.compute(asked(ws), ws, Recording())
        yield ws


@pytest.fixture
def ready(computed):
    return visitor()


def asked(ws, **changes):
    return views.to_compare(INFLUENCE.open(SPEC, ws), VIEW.model_copy(update=changes), 5, ws)


def opened(app, spec=SPEC, **changes):
    return visiting.opened(app, "reliability", **ADDRESSES["reliability"].write(spec, VIEW.model_copy(update=changes)))


def test_the_result_answers_first(ready):
    opened(ready)
    assert HEADER in [header.value for header in ready.header]
    assert "tochastic estimation" in said(ready) and "IHVP on this network misses retraining by" in said(ready)
    assert {"Estimates against retraining", "From retraining to one run of LiSSA", "Agreement with retraining"} <= set(titles(ready))
    assert "LiSSA, mean of 2" in said(ready) and "Î, network (12)" in said(ready)
    assert "influence held-out image 5 most" in said(ready)
    assert "its Hessian and its Gauss-Newton matrix are the same" in said(ready)


def test_controls_are_in_the_address_and_another_choice_is_offered(ready):
    opened(ready)
    assert widget(ready, "selectbox", "LiSSA’s depth").value == 0
    widget(ready, "selectbox", "LiSSA’s depth").set_value(50).run()
    assert ready.query_params["steps"] == "50"
    assert any("of the 30 most" in m.value or "is stored" in m.value for m in ready.markdown)
    assert "Estimates against retraining" not in titles(ready)
    assert not button(ready, "Compare with LiSSA").disabled
    widget(ready, "selectbox", "LiSSA’s depth").set_value(0).run()
    assert "steps" not in ready.query_params and "Estimates against retraining" in titles(ready)
    widget(ready, "selectbox", "Network’s width").set_value(256).run()
    assert ready.query_params["verify"] == "256"
    assert any("A network is trained once on all images" in m.value for m in ready.markdown)


def test_compute_is_a_job_with_cancel_and_its_failure_is_said(ready, computed, monkeypatch):
    opened(ready, steps=20)
    button(ready, "Compare with LiSSA").click().run()
    assert not ready.exception
    key = NETWORK_IHVP.key(asked(computed, steps=20), computed)
    assert computed.jobs.state(key).kind == NETWORK_IHVP.kind
    assert any(b.label == "Cancel" for b in ready.button)
    real = Jobs.state
    failed = {"status": "failed", "message": "The disk is full.", "remedy": "Free some space."}

    def ended(self, one):
        state = real(self, one)
        return replace(state, **failed) if state is not None and one == key else state

    monkeypatch.setattr(Jobs, "state", ended)
    opened(ready, steps=20)
    assert any("disk is full" in error.value for error in ready.error)
    assert not button(ready, "Compare with LiSSA").disabled


def test_where_it_cannot_be_the_page_says_why(ready, computed):
    opened(ready, ridge=0.0)
    assert any("λ above 0" in caption.value for caption in ready.caption)
    infinite = InfluenceSpec.model_validate(
        {"dataset": {"classes": ("3", "8"), "n": 12}, "test": 4, "kernel": "infinite", "model": {"width": 8, "depth": 1}}
    )
    INFLUENCE.compute(infinite, computed, Recording())
    opened(ready, infinite, target=None)
    assert any("no real network" in caption.value for caption in ready.caption)
    assert all(box.label != "LiSSA’s depth" for box in ready.selectbox)


def test_a_network_s_own_kernel_has_no_width_to_choose(ready, computed):
    own = InfluenceSpec.model_validate(
        {"dataset": {"classes": ("3", "8"), "n": 12}, "test": 4, "kernel": "pseudo", "model": {"width": 6, "depth": 1}}
    )
    INFLUENCE.compute(own, computed, Recording())
    opened(ready, own, target=1, time=1e4)
    assert any("would take" in caption.value and "larger λ" in caption.value for caption in ready.caption)
    assert "Error of each cluster, and Theorem 4’s bound" in titles(ready)
    opened(ready, own, target=1, time=0.1)
    assert all(box.label != "Network’s width" for box in ready.selectbox)
    assert not button(ready, "Compare with LiSSA").disabled
