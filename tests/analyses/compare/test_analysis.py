"""A comparison: its sides are influence analyses of their own, its numbers those that they have, its ranks scipy's."""

import numpy as np
import pytest
from recording import Recording
from scipy.stats import kendalltau, rankdata, spearmanr
from seeded import rate

from ntkcore.analyses.carry import carried
from ntkcore.analyses.compare import curves, look
from ntkcore.analyses.compare.analysis import COMPARE
from ntkcore.analyses.compare.differences import differences, partners, suggestions
from ntkcore.analyses.compare.look import Look
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look as SideLook
from ntkcore.analyses.information.views import scores
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import DataError
from ntkcore.kernels.alikeness import kernels_alike
from ntkcore.settings import Settings
from ntkcore.specs.compare import CompareSpec, CompareView
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.learnability import LearnabilitySpec
from ntkcore.specs.map import MapSpec

DATA = {"classes": ("3", "5", "8"), "n": 40, "label_noise": 0.2}
NETWORK = {"kernel": "pseudo", "model": {"width": 8, "depth": 1}, "dtype": "float64"}
SPEC = CompareSpec.model_validate(
    NETWORK | {"dataset": DATA, "test": 12, "other": NETWORK | {"model": {"width": 8, "depth": 1, "seed": 0}, "training": {"epochs": 3}}}
)
VIEW = CompareView(ridge=0.5, b_ridge=0.1)


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    rate(folder)
    return Workspace(Settings(cache_dir=folder))


@pytest.fixture(scope="module")
def computed(ws):
    COMPARE.compute(SPEC, ws, Recording())
    return COMPARE.open(SPEC, ws)


def test_both_sides_are_stored_as_their_own_analyses_and_taken_where_they_are(computed, ws, monkeypatch):
    assert INFLUENCE.ready(SPEC.one, ws) and INFLUENCE.ready(SPEC.two, ws)
    assert SPEC.one.training is None and SPEC.two.training.epochs == 3 and SPEC.one.dataset == SPEC.two.dataset
    monkeypatch.setattr("ntkcore.analyses.influence.base.fill_kernels", lambda *_: pytest.fail("computed again"))
    COMPARE.compute(SPEC.swapped, ws, Recording())
    again = COMPARE.open(SPEC.swapped, ws)
    assert again.alignment == pytest.approx(computed.alignment, abs=1e-14)
    assert SPEC.swapped.swapped == SPEC


def test_the_alignment_is_that_of_the_stored_kernels(computed, ws):
    kernels = [INFLUENCE.open(side, ws).regression.kernel for side in (SPEC.one, SPEC.two)]
    found = kernels_alike(*kernels)
    assert computed.alignment == pytest.approx(found.alignment, abs=1e-12)
    np.testing.assert_allclose(computed.alike, found.rows, atol=1e-12)


def test_it_is_ready_only_with_both_sides(ws, computed):
    other = CompareSpec.of(SPEC.one, SPEC.one.model_copy(update={"model": SPEC.one.model.model_copy(update={"seed": 4})}))
    assert COMPARE.state(other, ws) == "partial" and COMPARE.state(SPEC, ws) == "ready"
    stages = [stage.name for stage in COMPARE.forecast(other, ws).stages]
    assert not any(name.startswith("A:") for name in stages) and any(name.startswith("B:") for name in stages)


def test_scores_ranks_and_their_agreement(computed, ws):
    found = Look(computed, VIEW, ws)
    first, second = found.values
    for side, ridge, values in ((SPEC.one, 0.5, first), (SPEC.two, 0.1, second)):
        np.testing.assert_array_equal(values, scores(SideLook.of(INFLUENCE.open(side, ws), ridge, None, ws)))
    assert found.agreement.spearman.rho == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)
    assert found.agreement.kendall == pytest.approx(kendalltau(first, second).statistic, abs=1e-12)
    assert found.agreement.spearman.low < found.agreement.spearman.rho < found.agreement.spearman.high
    assert (found.agreement.leading, found.agreement.chance) == (4, 16 / 40)
    assert found.agreement.shared == len(set(np.argsort(-first)[:4]) & set(np.argsort(-second)[:4]))
    np.testing.assert_array_equal(found.moved, rankdata(-first) - rankdata(-second))
    up, down = found.movers(True), found.movers(False)
    assert up[0] == np.argmax(found.moved) and down[0] == np.argmin(found.moved) and not set(up) & set(down)
    rows = look.table(found)
    assert list(rows["moved"]) == sorted(rows["moved"], reverse=True) and len(rows) == 40


@pytest.mark.parametrize("name", ["k-xx", "loss", "margin", "residual", "self", "influence", "density"])
def test_every_number_of_both_can_be_compared(computed, ws, name):
    found = Look(computed, VIEW.model_copy(update={"score": name}), ws)
    assert found.agreement.spearman.n == 40 and found.titles[name] and found.agreement.spearman.defined


def test_a_side_against_itself_does_not_move(ws):
    same = CompareSpec.of(SPEC.one, SPEC.one)
    COMPARE.compute(same, ws, Recording())
    found = Look(COMPARE.open(same, ws), CompareView(ridge=0.5), ws)
    assert found.agreement.spearman.rho == 1 and found.agreement.kendall == 1 and not found.moved.any()
    assert found.result.alignment == pytest.approx(1, abs=1e-14) and not len(found.movers(True)) and not differences(same, found.view)


def test_selected_images_and_classes_alone_are_in_the_galleries(computed, ws):
    found = Look(computed, VIEW.model_copy(update={"only": ("3",), "picked": tuple(range(30))}), ws)
    shown = {int(image) for up in (True, False) for image in found.movers(up)}
    assert shown and all(image < 30 and found.one.labels[image] == 0 for image in shown)
    told = look.missing_from(Look(computed, CompareView(image=99, only=("bird",), picked=(99,)), ws))
    assert "no training image 99" in told and "no class bird" in told and "do not exist" in told


def test_the_epoch_learned_and_both_trainings_where_learnability_is_stored(computed, ws):
    view = VIEW.model_copy(update={"score": "learned"})
    assert not curves.through_epochs(Look(computed, view, ws))
    with pytest.raises(DataError):
        _ = Look(computed, view, ws).values
    learned = LearnabilitySpec(dataset=SPEC.dataset, model=SPEC.model, training=SPEC.two.training, full_kernel=False)
    LEARNABILITY.compute(learned, ws, Recording())
    found = Look(computed, view, ws)
    np.testing.assert_array_equal(found.values[0], LEARNABILITY.open(learned, ws).learned)
    ((name, curve),) = curves.through_epochs(found).items()  # the same network in both
    result = LEARNABILITY.open(learned, ws)
    assert name == "A and B" and curve.accuracy[-1] == (result.outputs[-1].argmax(1) == result.labels).mean() and len(curve.loss) == 4


def test_curves_through_training_time_end_at_the_regression(computed, ws):
    one, two = curves.through_time(Look(computed, VIEW, ws)).values()
    side = SideLook.of(INFLUENCE.open(SPEC.one, ws), 0.5, None, ws)
    last = side.at(float(one.moments[-1])).held()
    assert one.accuracy[-1] == last.correct.mean() and one.loss[-1] == pytest.approx(last.loss.mean(), rel=1e-12)
    rows = curves.curve_table({"A": one, "B": two})
    assert len(rows) == len(one.moments) + len(two.moments) and set(rows["side"]) == {"A", "B"}


def test_what_differs_is_told_in_words():
    told = {found.title: (found.one, found.two) for found in differences(SPEC, VIEW)}
    assert told == {"epochs before the kernel is taken": ("0", "3"), "λ": ("0.5", "0.1")}
    closed = CompareSpec.model_validate({"kernel": "two-layer", "other": {"size": 64, "kernel": "pseudo"}})
    told = {found.title: (found.one, found.two) for found in differences(closed, CompareView())}
    assert told["kernel"][0] == "Infinite two-layer ReLU network" and told["network"][0] == "–"
    assert told["size of the images"] == ("as imported", "64") and told["epochs before the kernel is taken"] == ("–", "0")


def test_what_is_stored_of_the_same_images_can_be_compared(computed, ws):
    found = partners(SPEC.one, ws)
    assert SPEC.two in found.values() and SPEC.one not in found.values()
    assert "epochs before the kernel is taken: 3" in found


def test_suggestions_change_one_thing():
    for one in (SPEC.one, SPEC.two, InfluenceSpec(), InfluenceSpec.model_validate({"kernel": "infinite"})):
        found = suggestions(one)
        assert found and one not in found.values()
    pretrained = InfluenceSpec.model_validate({"kernel": "pseudo", "model": {"architecture": "resnet20", "weights": "pretrained"}})
    seen = suggestions(pretrained)
    assert seen["The head alone seen"].model.seen == "head" and seen["Random weights"].model.weights == "random"
    assert "Pretrained weights" not in suggestions(SPEC.one)


def test_it_is_carried_to_and_from_other_pages(ws):
    assert carried(MapSpec(), SPEC, ws) == MapSpec.model_validate(SPEC.one.model_dump())
    to = carried(CompareSpec(), SPEC.one, ws)
    assert to.one == SPEC.one and to.two == next(iter(suggestions(SPEC.one).values()))
    again = carried(SPEC, SPEC.one.model_copy(update={"test": 9}), ws)
    assert again.two.test == 9 and again.other == SPEC.other  # a pair that somebody chose keeps its B
    assert carried(SPEC, SPEC.one, ws) is SPEC


def test_the_images_are_those_of_a_but_for_their_size():
    pair = CompareSpec.model_validate({"dataset": {"n": 30, "size": 64}, "other": {"size": 128, "crop": 0.875}})
    assert (pair.one.dataset.size, pair.two.dataset.size, pair.two.dataset.crop) == (64, 128, 0.875)
    assert pair.two.dataset.n == 30 and pair.other.model.seed == 1
    with pytest.raises(ValueError, match="no pictures"):
        CompareSpec.model_validate({"dataset": {"name": "moons"}, "other": {"size": 64}})


def test_the_nearest_in_each_are_those_of_its_stored_kernel(computed, ws):
    looked = Look(computed, VIEW.model_copy(update={"only": ("3", "5")}), ws)
    for side, spec in enumerate((SPEC.one, SPEC.two)):
        kernel = np.asarray(INFLUENCE.open(spec, ws).regression.kernel, dtype=np.float64)
        cosine = kernel / np.sqrt(np.outer(kernel.diagonal(), kernel.diagonal()))
        images, said = looked.nearest(side, 7)
        others = [int(i) for i in np.argsort(-cosine[7], kind="stable") if looked.shown[i] and i != 7]
        assert images.tolist() == [7, *others][: look.SHOWN]
        assert said == pytest.approx(cosine[7][images], abs=1e-9)
