"""What the studies of groups say: means, ratios, curves and tables, against the numbers they are of."""

import numpy as np
import pytest
from group_sets import negatives
from recording import Recording

from ntkcore.analyses.information.groups import answer, views
from ntkcore.analyses.information.groups import scores as scores_of
from ntkcore.analyses.information.groups.sources import DROPPED, SOURCES, images
from ntkcore.analyses.information.groups.subclass import SUBCLASS
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs import DatasetSpec
from ntkcore.specs.groups import GroupsView, SourcesSpec, SourcesView
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def test_sources(ws, tmp_path):
    page = InfluenceSpec(dataset=DatasetSpec(classes=("3", "5"), n=20), test=6)
    chosen = SourcesView(others=(f"own:{negatives(tmp_path, ws.settings)}",), n=10, test=6, repeats=2)
    spec = SOURCES.asked(page, InformationView(ridge=0.1, sources=chosen), ws)
    SOURCES.compute(spec, ws, Recording())
    pieces = SOURCES.open(spec, ws)
    found = views.source_scores(pieces, 1, ws)
    assert found.names == ("Digits", "Negatives")
    assert np.array_equal(np.concatenate(found.values), pieces["scores"][1]) and found.flat()[1].tolist() == [0] * 10 + [1] * 10
    both = pieces["scores"].reshape(2, 2, 10)
    assert [mean.value for mean in found.means] == pytest.approx(both.mean((0, 2)))
    assert views.shares(pieces) == pytest.approx((both.sum(2) / both.sum((1, 2))[:, None]).mean(0))
    assert scores_of.pooled(pieces, 1).tolist() == both[:, 1].ravel().tolist()
    times = scores_of.times_as_much(scores_of.pooled(pieces, 0), scores_of.pooled(pieces, 1))
    assert times.value == pytest.approx(both[:, 0].mean() / both[:, 1].mean()) and times.low <= times.value <= times.high
    more, less = ("Digits", "Negatives") if both[:, 0].mean() > both[:, 1].mean() else ("Negatives", "Digits")
    (said,) = SOURCES.answer(pieces, InformationView(), ws)
    assert f"{more} and {less} carry about as much" in said or (f"An image of {more} carries" in said and f"as one of {less}" in said)
    assert answer.sources(pieces, ("<b>", "&"))[0].replace("<b>", "Digits").replace("&", "Negatives") == said  # names as they are
    alone = pieces["alone"].reshape(2, 2, 10)
    for place, one in enumerate(views.redundancies(pieces)):
        assert one.alone.value == pytest.approx(alone[:, place].mean()) and one.beside.value == pytest.approx(both[:, place].mean())
        assert one.left.value == pytest.approx(one.beside.value / one.alone.value)
    curves = views.drop_curves(pieces)
    assert curves.shares == DROPPED and np.array_equal(curves.mean, pieces["accuracy"].mean(0)) and (curves.low <= curves.high).all()
    table = views.source_table(pieces, ws)
    assert len(table) == 40 and table["information"].tolist() == pieces["scores"].ravel().tolist()
    assert table["id"][20] == images(spec, 1, ws).split.train.ids[0] and set(table["group"]) == {"Digits", "Negatives"}
    lines = views.curve_table(pieces, found.names)
    assert len(lines) == 2 * 2 * 2 * len(DROPPED) * 3
    one = lines[(lines.repeat == 1) & (lines.source == "Negatives") & (lines.order == "at random") & (lines.held_out == "all")]
    assert one["accuracy"].tolist() == pieces["accuracy"][1, 1, 1, :, 2].tolist()


def test_nothing_learned_has_no_ratio():
    spec = SourcesSpec.model_validate({"sources": [{"name": "digits"}, {"name": "mnist"}], "n": 4, "repeats": 1})
    zero = {name: np.zeros((1, 8)) for name in ("scores", "alone")}
    pieces = Pieces(spec, "key", zero, "2026-01-01", 1.0, "cpu")
    assert scores_of.times_as_much(np.ones(3), np.zeros(4)) is None
    assert "nothing has been learned yet" in answer.sources(pieces, ("a", "b"))[0]
    assert np.isnan(views.shares(pieces)).all() and all(one.left is None for one in views.redundancies(pieces))


def test_a_subclass(ws):
    small = GroupsView(rare="4", common="7", other="1", counts=(3, 6), count=6, common_count=9, other_count=8, test=12, repeats=2)
    spec = SUBCLASS.asked(InfluenceSpec(dataset=DatasetSpec(n=20), test=6), InformationView(ridge=0.1, groups=small), ws)
    SUBCLASS.compute(spec, ws, Recording())
    pieces = SUBCLASS.open(spec, ws)
    scores = pieces["scores"].reshape(2, 2, 23)
    found = views.subclass_scores(pieces, 1, 3)
    assert found.names == ("4", "7", "1") and [len(values) for values in found.values] == [3, 9, 8]
    assert found.values[0].tolist() == scores[1, 0, :3].tolist()
    assert found.means[1].value == pytest.approx(scores[:, 0, 6:15].mean())
    assert scores_of.pooled_kind(pieces, 6, 2).tolist() == scores[:, 1, 15:].ravel().tolist()
    assert scores_of.rare_found(pieces, 0, 6).flipped == 6
    for count, view in ((3, 2), (6, 6), (6, 90)):  # the nearest count that was studied
        first, second = SUBCLASS.answer(pieces, InformationView(groups=GroupsView(count=view)), ws)
        assert f"with {count} images of 4 among 9 of 7" in first and first.startswith(("Yes:", "Not by this score:", "It cannot be told:"))
        areas = [scores_of.rare_found(pieces, repeat, count).auc.value for repeat in range(2)]
        assert f"in {100 * np.mean(areas):.0f} % of all pairs" in second
    over = views.sweep(pieces)
    assert over.counts == (3, 6) and over.rare[1].value == pytest.approx(scores[:, 1, :6].mean())
    assert over.auc[0] == pytest.approx(np.mean([scores_of.rare_found(pieces, repeat, 3).auc.value for repeat in range(2)]))
    assert np.allclose(over.accuracy, pieces["accuracy"].reshape(2, 2, 3).mean(0))
    table = views.sweep_table(over)
    assert table["count"].tolist() == [3, 6] and table["rare_low"][0] == over.rare[0].low
    every = views.subclass_scores_table(pieces, ws)
    assert len(every) == 2 * (20 + 23) and not every["information"].isna().any()
    assert every[every["count"] == 3]["group"].value_counts().to_dict() == {"7": 18, "1": 16, "4": 6}
