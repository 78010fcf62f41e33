"""A sub-class at several counts, against refitting without each image."""

import numpy as np
import pytest
from pydantic import ValidationError
from recording import Recording
from scipy.stats import mannwhitneyu

from ntkcore.analyses.information.groups import kernel as composed_kernel
from ntkcore.analyses.information.groups.scores import by_kind, piece_of
from ntkcore.analyses.information.groups.subclass import SUBCLASS, held_counts, images, roles, rows_of
from ntkcore.analyses.progress import STUDY
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, DataError, SpecError
from ntkcore.kernels import two_layer_relu_ntk
from ntkcore.specs import DatasetSpec
from ntkcore.specs.groups import GroupsView, SourceSpec, SubclassSpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

PAGE = InfluenceSpec(dataset=DatasetSpec(n=40, seed=1), test=10)
SMALL = GroupsView(rare="4", common="7", other="1", counts=(3, 9), count=5, common_count=12, other_count=10, test=14, repeats=2)


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def asked(ws: Workspace, **changes: object) -> SubclassSpec:
    return SUBCLASS.asked(PAGE, InformationView(ridge=0.1, groups=SMALL.model_copy(update=changes)), ws)


@pytest.mark.parametrize("held", ["as-trained", "equal"])
def test_every_count_is_what_refitting_says(ws, held):
    spec = asked(ws, held=held)
    assert spec.counts == (3, 5, 9)  # the count that is looked at is one of them
    SUBCLASS.compute(spec, ws, Recording())
    pieces = SUBCLASS.open(spec, ws)
    assert pieces["scores"].shape == (6, 31)
    for repeat in range(2):
        found = images(spec, repeat, ws)
        assert found.split.train.class_names == ("4 or 7", "1") and found.group.tolist() == [0] * 9 + [1] * 12 + [2] * 10
        x, z = [values.reshape(len(values), -1).astype(np.float64) for values in (found.split.train.inputs, found.split.test_inputs)]
        x, z = x / np.linalg.norm(x, axis=1)[:, None], z / np.linalg.norm(z, axis=1)[:, None]
        k, kz, y = two_layer_relu_ntk(x), two_layer_relu_ntk(z, x), found.split.train.targets.astype(np.float64)

        def outputs(rows: np.ndarray, tested: np.ndarray, k: np.ndarray = k, kz: np.ndarray = kz, y: np.ndarray = y) -> np.ndarray:
            return kz[np.ix_(tested, rows)] @ np.linalg.solve(k[np.ix_(rows, rows)] + 0.1 * np.eye(len(rows)), y[rows])

        for count in spec.counts:
            rows = np.r_[:count, 9:31]
            assert np.array_equal(rows_of(spec, count), rows)
            numbers = held_counts(spec, count)
            tested = np.concatenate([np.flatnonzero(found.test_group == kind)[:number] for kind, number in enumerate(numbers)])
            whole = outputs(rows, tested)
            expected = [np.square(outputs(np.delete(rows, place), tested) - whole).mean() / 2 for place in range(len(rows))]
            scores = pieces["scores"][piece_of(spec, repeat, count)]
            assert np.isnan(np.delete(scores, rows)).all()
            assert np.abs(scores[rows] - expected).max() < 1e-9 * max(expected)
            hits = (whole[:, 0] > 0) == (found.split.test_labels[tested] == 1)
            accuracy = pieces["accuracy"][piece_of(spec, repeat, count)]
            assert accuracy.tolist() == pytest.approx([some.mean() for some in np.split(hits, np.cumsum(numbers)[:-1])])
            assert [len(values) for values in by_kind(pieces, repeat, count)] == [count, 12, 10]
    table = SUBCLASS.table(pieces, InformationView(), ws)
    assert table[["repeat", "count"]].values.tolist() == [[r, c] for r in range(2) for c in (3, 5, 9)]
    rare, common, _ = by_kind(pieces, 1, 5)
    area = mannwhitneyu(rare, common).statistic / (5 * 12)
    assert table["auc"][4] == pytest.approx(area) and table["ratio"][4] == pytest.approx(rare.mean() / common.mean())


def test_held_out_images(ws):
    spec = asked(ws, test=20)
    assert held_counts(spec, 5) == (4, 9, 7) and sum(held_counts(spec, 9)) == 20
    assert held_counts(asked(ws, test=3), 3) == (1, 1, 1)  # a sub-class is never without one
    assert held_counts(asked(ws, test=20, held="equal"), 5) == (6, 6, 8)


def test_all_counts_of_a_repeat_share_a_kernel_and_it_goes_on(ws, monkeypatch):
    made: list[object] = []
    fill = composed_kernel.fill_kernels
    monkeypatch.setattr(composed_kernel, "fill_kernels", lambda *args: made.append(1) or fill(*args))
    spec = asked(ws)
    with pytest.raises(Cancelled):
        SUBCLASS.compute(spec, ws, Recording(stop_at=(STUDY, 4.0)))  # the second repeat's first count is done
    assert SUBCLASS.state(spec, ws) == "partial" and len(made) == 2
    SUBCLASS.compute(spec, ws, Recording())
    assert len(made) == 2 and SUBCLASS.state(spec, ws) == "ready"


def test_who_plays_which_part():
    cifar = ("airplane", "bird", "cat", "deer", "dog")
    assert roles(cifar, InformationView()) == ("cat", "dog", "deer")
    assert roles(("a", "b", "c", "d"), InformationView()) == ("a", "b", "c")
    assert roles(("a", "b", "c", "d"), InformationView(groups=GroupsView(rare="b"))) == ("b", "a", "c")
    assert roles(cifar, InformationView(groups=GroupsView(common="cat", other="bird"))) == ("dog", "cat", "bird")


def test_refusals(ws):
    two = InfluenceSpec(dataset=DatasetSpec(n=40, classes=("1", "2")), test=10)
    with pytest.raises(SpecError, match="three classes"):
        SUBCLASS.asked(two, InformationView(), ws)
    with pytest.raises(SpecError, match="no class '11' here"):
        asked(ws, rare="11")
    with pytest.raises(SpecError, match="three different classes"):
        asked(ws, common="4")
    with pytest.raises(SpecError, match="after 2 epochs"):
        SUBCLASS.asked(InfluenceSpec.model_validate({"kernel": "pseudo", "training": {"epochs": 2}}), InformationView(), ws)
    with pytest.raises(DataError, match="Digits has 181 images"):
        SUBCLASS.forecast(asked(ws, rare="4", counts=(3, 500)), ws)
    with pytest.raises(DataError, match="no images to choose from"):
        SUBCLASS.forecast(asked(ws).model_copy(update={"source": SourceSpec(name="moons")}), ws)
    with pytest.raises(ValidationError, match="the smallest first"):
        SubclassSpec.model_validate(asked(ws).model_dump() | {"counts": (9, 3)})
