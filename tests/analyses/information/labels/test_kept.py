"""Decisions of a review in the library: one review for each draw, links of before beside it, thousands of them."""

import pytest
from recording import Recording

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.information.labels import kept
from ntkcore.analyses.workspace import Workspace
from ntkcore.library import Decision, Labels, Standing, Taken
from ntkcore.specs.detection import LabelsView
from ntkcore.specs.influence import InfluenceSpec


@pytest.fixture
def made(cache):
    ws = Workspace(cache)
    spec = InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 16}, "test": 6})
    INFLUENCE.compute(spec, ws, Recording())
    return ws, INFLUENCE.open(spec, ws)


def test_decisions_are_kept_taken_back_and_undone(made):
    ws, result = made
    kept.keep(result, 3, "relabel", 1, "Ann", None, ws)
    kept.keep(result, 5, "accept", None, "Ben", None, ws)
    kept.keep(result, 5, None, None, "Ben", kept.standing(result, ws).seen(5), ws)
    kept.keep(result, 7, "reject", None, "Ann", None, ws)
    found = kept.merged(LabelsView(by="loss"), kept.standing(result, ws))
    assert found == LabelsView(by="loss", rejected=(7,), relabelled=((3, 1),))
    with pytest.raises(Taken):
        kept.keep(result, 3, "reject", None, "Ben", None, ws)
    assert [kept.undo(result, "Ann", ws) for _ in range(3)] == [7, 3, None]
    assert kept.merged(LabelsView(), kept.standing(result, ws)) == LabelsView()
    (session,) = Labels(ws.library).sessions("review")
    assert session.title.startswith("Review of Digits 3 | 8, 16 images")


def test_a_link_of_before_shows_what_the_library_does_not_hold(made):
    ws, result = made
    link = LabelsView(accepted=(1, 2), rejected=(4,), relabelled=((6, 0),))
    assert kept.merged(link, Standing()) == link
    kept.keep(result, 2, "reject", None, "Ann", None, ws)
    found = kept.standing(result, ws)
    assert kept.merged(link, found) == LabelsView(accepted=(1,), rejected=(2, 4), relabelled=((6, 0),))
    assert kept.carried(link, found) == [1, 4, 6]
    kept.keep_carried(result, link, "Ben", ws)
    assert kept.merged(LabelsView(), kept.standing(result, ws)) == kept.merged(link, found)
    assert kept.carried(link, kept.standing(result, ws)) == []


def test_thousands_of_decisions_are_merged_at_once():
    many = tuple(Decision(i + 1, i, "label", 1, "", {}, "Ann", 0.0) for i in range(30_000))
    found = kept.merged(LabelsView(accepted=tuple(range(20_000, 40_000))), Standing(many))
    assert len(found.relabelled) == 30_000 and found.accepted == tuple(range(30_000, 40_000))
