"""The toy's answers from its distributions, shared by all who ask, and what they are made of."""

import numpy as np
import pytest
from pydantic import ValidationError

from ntkcore.analyses.information import toy as analysis
from ntkcore.analyses.information.toy import CELLS, KINDS, toy
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import ComputationError
from ntkcore.information.toy import gaussian_divergence, neighbour_divergence, toy_points
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView
from ntkcore.specs.information_toy import ToyView

FEW = ToyView(runs=300, epochs=5)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def test_information_and_bound_are_those_of_the_three_distributions(ws):
    found = toy(FEW, ws)
    whole, without, others = found.weights
    assert found.weights.shape == (3, 300, 2) and (found.points.x == toy_points(0).x).all()
    for estimate, other in ((found.information, others), (found.bound, without)):
        assert estimate.neighbours == neighbour_divergence(whole, other)
        assert estimate.gaussian == gaussian_divergence(whole, other)
    assert found.above == (found.information.neighbours > found.bound.gaussian)
    assert np.sort(found.predicted)[-2] <= found.predicted[FEW.point]


def test_histograms_hold_nearly_all_trainings_on_one_grid(ws):
    found = toy(FEW, ws)
    assert found.counts.shape == (3, CELLS, CELLS) and found.edges.shape == (2, CELLS + 1)
    assert (found.counts.sum((1, 2)) >= 0.98 * 300).all()
    w = found.weights[0]
    cell = np.argwhere(found.counts[0] == found.counts[0].max())[0]
    inside = (w[:, 0] >= found.edges[0][cell[1]]) & (w[:, 0] < found.edges[0][cell[1] + 1])
    inside &= (w[:, 1] >= found.edges[1][cell[0]]) & (w[:, 1] < found.edges[1][cell[0] + 1])
    assert inside.sum() == found.counts[0].max()


def test_asked_for_again_nothing_is_trained(ws, monkeypatch):
    trained = []
    train = analysis.final_weights
    monkeypatch.setattr(analysis, "final_weights", lambda *a, **k: trained.append(a) or train(*a, **k))
    first = toy(FEW, ws)
    assert len(trained) == 3
    assert toy(FEW.model_copy(update={"shown": True}), ws) is first  # open or closed, it is the same toy
    other = toy(FEW.model_copy(update={"point": 3}), ws)
    assert len(trained) == 5  # the distribution with every point is every point's
    assert (other.weights[0] == first.weights[0]).all() and (other.weights[1] != first.weights[1]).all()
    again = toy(FEW, Workspace(ws.settings))
    np.testing.assert_array_equal(again.weights, first.weights)


def test_tables(ws):
    found = toy(FEW, ws)
    points, weights = analysis.points_table(found), analysis.weights_table(found)
    assert list(points.columns) == ["point", "target", "x1", "x2", "predicted_information"] and len(points) == 80
    said = analysis.answer(found)
    assert said[0].startswith(f"The weights know {analysis.nats(found.information.neighbours)} of point") and len(said) == 1 + found.above
    assert list(weights.trained.unique()) == list(KINDS) and len(weights) == 900


def test_a_rate_that_diverges_is_refused_with_a_remedy(ws):
    with pytest.raises(ComputationError) as refused:
        toy(FEW.model_copy(update={"rate": 2.0, "batch": 1}), ws)
    assert "smaller rate" in refused.value.remedy


@pytest.mark.parametrize("wrong", [{"point": 80}, {"batch": 80}, {"batch": 0}, {"rate": float("nan")}, {"runs": 10}, {"order": "any"}])
def test_what_does_not_exist_is_refused(wrong):
    with pytest.raises(ValidationError):
        ToyView(**wrong)


def test_every_choice_is_in_the_address():
    view = ToyView(shown=True, point=3, apart=0.5, seed=7, runs=400, rate=0.02, batch=10, epochs=30, order="drawn")
    query = ADDRESSES["information"].write(InfluenceSpec(), InformationView(toy=view))
    assert ADDRESSES["information"].read(query)[1].toy == view
    assert {name for name in query if name.startswith("toy-")} == {f"toy-{name}" for name in ToyView.model_fields}
    assert not any(name.startswith("toy-") for name in ADDRESSES["information"].write(InfluenceSpec(), InformationView()))
