"""Held-out images that are learned, too: their kernel against kernels called by hand, what it says against training anew with them."""

from math import inf

import numpy as np
import pytest
import torch
from deletion_oracle import outputs
from influence_oracle import NEAR_END, RIDGE, close, each, look, losses, view
from recording import Recording

from ntkcore.analyses.influence import answer, basket, views
from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.kernel import chain
from ntkcore.analyses.materials.kernel import kernel_network
from ntkcore.analyses.materials.split import load_split, targets_of
from ntkcore.analyses.progress import PAIRS, TRAINING
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.kernels import empirical_ntk, infinite_ntk, two_layer_relu_ntk
from ntkcore.permalink import ADDRESSES
from ntkcore.specs import KernelSpec
from ntkcore.specs.influence import AdditionSpec, InfluenceSpec, InfluenceView

PICKED = (1, 4, 6)


@pytest.fixture(scope="session")
def held(made):
    """The kernel of the held-out images with each other, once for each analysis."""

    def make(name):
        ws, result, *_ = made(name)
        spec = AdditionSpec(influence=result.spec)
        ADDITION.compute(spec, ws, Recording())
        return ADDITION.open(spec, ws)

    return make


def by_hand(ws, spec: InfluenceSpec) -> np.ndarray:
    split = load_split(spec.dataset, spec.test, ws)
    z = split.test_inputs.astype(np.float64)
    if spec.kernel == "two-layer":
        flat = z.reshape(len(z), -1)
        return two_layer_relu_ntk(flat / np.linalg.norm(flat, axis=1, keepdims=True))
    if spec.kernel == "infinite":
        mean, std = (values.reshape(-1, 1, 1).astype(np.float64) for values in (split.train.mean, split.train.std))
        return infinite_ntk(chain(spec.model, split.train), (z - mean) / std, initialisation=spec.model.initialisation)
    outputs = "pseudo" if spec.kernel == "pseudo" else "full"
    kernel = KernelSpec(dataset=spec.dataset, model=spec.model, training=spec.training, dtype="float64", outputs=outputs)
    module = kernel_network(kernel, split.train, ws, Recording(), TRAINING)
    return empirical_ntk(module, torch.from_numpy(z), outputs=outputs).values


@each
def test_the_kernel_is_that_of_the_analysis(made, held, name):
    ws, result, *_ = made(name)
    np.testing.assert_allclose(held(name).values, by_hand(ws, result.spec), rtol=1e-9, atol=1e-12)


@each
def test_adding_is_training_anew_with_them(made, held, name):
    ws, result, kernel, y = made(name)
    found = basket.addition(look(ws, result, 0.3), view(0.3, picked=(*PICKED, 99)), held(name).values)
    new = list(PICKED)
    across = result.k_test[new]
    back = across.swapaxes(0, 1).swapaxes(-1, -2) if across.ndim == 4 else across.T
    whole = np.concatenate([np.concatenate([kernel, back], 1), np.concatenate([across, by_hand(ws, result.spec)[np.ix_(new, new)]], 1)])
    test = np.concatenate([result.k_test, by_hand(ws, result.spec)[:, new]], 1)
    start = np.concatenate([result.f_train, result.f_test[new]])
    targets = np.concatenate([y, targets_of(result.test_labels[new], y.shape[1])])
    after = outputs(whole, test, targets - start, result.f_test, RIDGE, inf)
    before = outputs(kernel, result.k_test, y - result.f_train, result.f_test, RIDGE, inf)
    close(found.loss, losses(result, before), NEAR_END)
    close(found.loss_after, losses(result, after), NEAR_END)
    np.testing.assert_array_equal(found.images, [0, 2, 3, 5])
    right = [(views.classes(values) == result.test_labels)[found.images].mean() for values in (before, after)]
    assert [found.accuracy, found.after] == pytest.approx(right)
    assert found.changed == (views.classes(after) != views.classes(before))[found.images].sum()


def test_adding_none_changes_nothing_and_adding_all_leaves_none_to_judge_by(made, held):
    ws, result, *_ = made("two-layer")
    k_held = held("two-layer").values
    found = basket.addition(look(ws, result), view(), k_held)
    np.testing.assert_array_equal(found.loss, found.loss_after)
    with pytest.raises(SpecError, match="judge by"):
        basket.addition(look(ws, result), view(picked=tuple(range(7))), k_held)


def test_what_it_says(made, held):
    ws, result, *_ = made("pseudo")
    kernel = held("pseudo")
    asked = view(picked=PICKED)
    found = basket.addition(look(ws, result), asked, kernel.values)
    assert ADDITION.answer(kernel, asked, ws) == (answer.addition_sentence(found),)
    rows = ADDITION.table(kernel, asked, ws)
    assert list(rows["image"]) == [0, 2, 3, 5] and list(rows["loss_after"]) == list(found.loss_after[found.images])
    assert "picked" in ADDITION.answer(kernel, view(), ws)[0]
    assert ADDITION.missing(kernel, view(picked=(7,))) == "There is no held-out image 7: they are 0 to 6."
    said = INFLUENCE.answer(result, view(picked=PICKED, basket=(1, 2), deed="add", target=2), ws)
    assert said == INFLUENCE.answer(result, view(target=2), ws)


def test_it_waits_for_the_analysis_and_says_what_it_takes(cache):
    ws, spec = Workspace(cache), InfluenceSpec.model_validate({"dataset": {"classes": ("3", "8"), "n": 14}, "test": 6})
    asked = AdditionSpec(influence=spec)
    with pytest.raises(SpecError, match="Compute it first"):
        ADDITION.forecast(asked, ws)
    INFLUENCE.compute(spec, ws, Recording())
    forecast, watched = ADDITION.forecast(asked, ws), Recording()
    assert forecast.seconds > 0 and {stage.name for stage in forecast.stages} >= {PAIRS}
    ADDITION.compute(asked, ws, watched)
    assert watched.stages[PAIRS] == 36


def test_its_address():
    spec, seen = ADDRESSES["influence"].read({"dataset": "digits", "deed": "add", "picked": "0-2,5"})
    assert seen == InfluenceView(deed="add", picked=(0, 1, 2, 5))
    assert ADDITION.shown(AdditionSpec(influence=spec)) == (spec, InfluenceView(deed="add"))
