"""The desk against kernel regression done from scratch in float64, with no label, some, and all; the network against its parts."""

import numpy as np
import pytest
from label_networks import coded, drawn, said, spec
from recording import Recording

from ntkcore.analyses.label.desk import Desk, Moment
from ntkcore.analyses.label.network import compute, is_ready, open_network
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import load_pool
from ntkcore.kernels import empirical_ntk
from ntkcore.models import evaluate, train
from ntkcore.specs.label import LabelNetworkSpec


def classes(outputs):
    return (outputs[:, 0] > 0).astype(int) if outputs.shape[1] == 1 else outputs.argmax(1)


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("labels", [{}, {3: 1}, {0: 1, 4: 0, 7: 1}])
def test_a_moment_is_kernel_regression(k, labels):
    found = drawn(k)
    moment = Moment(found, labels)
    others = np.setdiff1d(np.arange(9), list(labels))
    outputs = said(found, labels)
    np.testing.assert_array_equal(moment.items, others)
    np.testing.assert_allclose(moment.outputs, outputs[others], rtol=0, atol=1e-9 * np.abs(outputs).max())
    assert moment.right == np.mean(classes(outputs[9:]) == found.truth[9:])
    scores = []
    for item in others:
        label = classes(outputs)[item]
        after = said(found, labels | {int(item): int(label)})
        scores.append(np.linalg.norm((after - outputs)[others], axis=1).sum())
    np.testing.assert_allclose(moment.scores, scores, rtol=1e-7)
    first = int(others[np.argmax(scores)])
    assert moment.order[0] == first and sorted(moment.order) == sorted(moment.surest) == others.tolist()
    assert moment.suggestion(first)[0] == classes(outputs)[first] and 0 <= moment.suggestion(first)[1] <= 1
    why = moment.why(first)
    assert sorted(change.label for change in why) == list(range(max(k, 2)))
    for change in why:
        after, rest = said(found, labels | {first: change.label}), np.setdiff1d(others, [first])
        assert change.flips == (classes(after) != classes(outputs))[rest].sum()
        flipped = rest[(classes(after) != classes(outputs))[rest]]
        size = np.linalg.norm((after - outputs)[flipped], axis=1)
        assert set(change.most) <= set(flipped.tolist()) and len(change.most) == min(6, len(flipped))
        moved = [size[flipped.tolist().index(i)] for i in change.most]
        np.testing.assert_allclose(moved, np.sort(size)[::-1][: len(moved)], rtol=1e-7, atol=1e-12)
    chances = moment.chances[list(others).index(first)]
    assert moment.expected(first) == pytest.approx(sum(chances[change.label] * change.flips for change in why))


@pytest.mark.parametrize("k", [1, 3])
def test_label_after_label_is_as_if_made_anew(k):
    found = drawn(k, given=(2,))
    desk, labels = Desk(found), {}
    for item, label in ((5, 1), (0, 0), (8, 1), (1, 0), (3, 1), (4, 0), (6, 1), (7, 1)):
        before = desk.at(labels)
        assert before.scores.shape == before.items.shape  # what was looked at stays the earlier moment's
        labels[item] = label
        moment, anew = desk.at(labels), Moment(found, labels | {2: int(found.truth[2])})
        np.testing.assert_array_equal(moment.items, anew.items)
        np.testing.assert_allclose(moment.outputs, anew.outputs, rtol=0, atol=1e-8 * np.abs(found.outputs).max())
        np.testing.assert_allclose(moment.scores, anew.scores, rtol=1e-6)
        assert moment.right == anew.right and moment.order == anew.order
        assert desk.at(dict(list(labels.items())[:-1])) is before and desk.at(labels) is moment  # undone, and done again
        if len(moment.items) > 1:  # looked at while the next item is before a person, or another one
            desk.prepare(moment, int(moment.items[len(labels) % 2]))
    assert not len(moment.items) and moment.order == () == anew.order
    assert desk.at({5: 0}).labels == {2: int(found.truth[2]), 5: 0}


@pytest.mark.parametrize("classes", [("3", "8"), ()])
@pytest.mark.parametrize("labelled", [(), ((0, 1), (3, 0), (7, 1))])
def test_the_network_is_trained_on_its_labels_alone(cache, classes, labelled):
    ws, asked = Workspace(cache), LabelNetworkSpec(session=spec(classes, start=2), labelled=labelled)
    assert not is_ready(asked, ws)
    compute(asked, ws, Recording())
    found = open_network(asked, ws)
    items = load_pool(asked.session.dataset.model_copy(update={"n": 17}), cache)
    module = network(asked.session.model, items, ws)
    if labelled:
        chosen, labels = zip(*labelled, strict=True)
        targets = coded(labels, items.outputs).astype(np.float32)
        assert [*train(module, items.inputs[list(chosen)], targets, asked.session.training)]
        assert found.agreed is not None
    outputs = evaluate(module, items.inputs)
    np.testing.assert_allclose(found.outputs, outputs, rtol=0, atol=1e-6)
    kernel = empirical_ntk(module.double(), items.inputs.astype(np.float64), outputs="pseudo").values
    np.testing.assert_allclose(found.kernel, kernel, rtol=0, atol=1e-4 * kernel.max())  # float32
    assert found.given.tolist() == [*items.labels[:2], *[-1] * 10] and found.n == 12 and found.ids == items.ids[:12]
    assert found.truth.tolist() == items.labels.tolist() and found.class_names == items.class_names
    assert is_ready(asked, ws)
