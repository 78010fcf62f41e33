"""Composed training sets: which images they have, their kernel against the whole set's, and what is refused."""

import numpy as np
import pytest
from group_sets import negatives
from recording import Recording

from ntkcore.analyses.information.groups.composed import compose, contents_of
from ntkcore.analyses.information.groups.kernel import composed_kernel, require_untrained, right
from ntkcore.analyses.materials.network import network
from ntkcore.analyses.progress import STUDY, PieceReporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import load_part
from ntkcore.errors import Cancelled, DataError, SpecError
from ntkcore.kernels import empirical_ntk, two_layer_relu_ntk
from ntkcore.specs.groups import GroupSpec, SourceSpec
from ntkcore.specs.influence import InfluenceSpec

DIGITS = SourceSpec(name="digits")
NAMES = ("zero or one", "2")


def group(name: str, n: int, test: int, label: str, source: SourceSpec = DIGITS) -> GroupSpec:
    return GroupSpec(name=name, source=source, classes=(name,), labels=(label,), n=n, test=test)


GROUPS = (group("0", 6, 3, NAMES[0]), group("1", 9, 4, NAMES[0]), group("2", 12, 5, NAMES[1]))


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def test_groups_are_put_together(ws):
    found = compose(GROUPS, NAMES, 4, ws)
    train = found.split.train
    assert train.n == 27 and train.class_names == NAMES and train.outputs == 1
    assert found.group.tolist() == [0] * 6 + [1] * 9 + [2] * 12 and found.test_group.tolist() == [0] * 3 + [1] * 4 + [2] * 5
    assert train.labels.tolist() == [0] * 15 + [1] * 12 and found.split.test_labels.tolist() == [0] * 7 + [1] * 5
    for place, (name, n, test) in enumerate((("0", 6, 3), ("1", 9, 4), ("2", 12, 5))):
        part = load_part("digits", None, (name,), n + test, 4, ws.settings)
        assert np.array_equal(train.inputs[found.group == place], part.inputs[:n])
        assert np.array_equal(found.split.test_inputs[found.test_group == place], part.inputs[n:])
        assert tuple(np.array(train.ids)[found.group == place]) == part.ids[:n]
    assert np.allclose(train.mean, train.inputs.mean()) and np.allclose(train.std, train.inputs.std())
    assert not set(train.ids) & set(found.split.test_ids)
    assert compose(GROUPS, NAMES, 4, ws) is found and compose(GROUPS, NAMES, 5, ws) is not found


def test_a_closed_form_and_a_networks_kernel(ws):
    found = compose(GROUPS, NAMES, 0, ws)
    split, content = found.split, contents_of(GROUPS, ws)
    flat = split.train.inputs.reshape(27, -1).astype(np.float64)
    held = split.test_inputs.reshape(12, -1).astype(np.float64)
    unit, other = flat / np.linalg.norm(flat, axis=1)[:, None], held / np.linalg.norm(held, axis=1)[:, None]
    closed = composed_kernel(GROUPS[0], InfluenceSpec(), content, split, ws, PieceReporter(Recording(), STUDY, 0))
    assert np.allclose(closed.k_train, two_layer_relu_ntk(unit), rtol=1e-13)
    assert np.allclose(closed.k_test, two_layer_relu_ntk(other, unit), rtol=1e-13) and not closed.f_train.any()
    choice = InfluenceSpec.model_validate(
        {"kernel": "pseudo", "dtype": "float64", "model": {"architecture": "fcn", "width": 9, "depth": 1, "seed": 3}}
    )
    reporter = Recording()
    empirical = composed_kernel(GROUPS[0], choice, content, split, ws, PieceReporter(reporter, STUDY, 0), (0.2, 0.6))
    module = network(choice.model, split.train, ws).double()
    expected = empirical_ntk(module, split.train.inputs.astype(np.float64), outputs="pseudo").values
    assert np.allclose(empirical.k_train, expected, rtol=1e-12)
    assert empirical.targets.tolist() == split.train.targets.tolist() and empirical.f_train.any()
    told = [done for stage, done in reporter.reports if stage == STUDY]
    assert told == sorted(told) and told[0] >= 0.2 and told[-1] == 0.6
    rows = np.array([1, 4, 20])
    few = empirical.regression(rows, 0.5, lambda: None)
    assert few.n == 3 and np.allclose(
        few.beta, np.linalg.solve(expected[np.ix_(rows, rows)] + np.eye(3) / 2, (empirical.targets - empirical.f_train)[rows])
    )
    assert np.array_equal(empirical.test(np.array([0, 7]), rows), empirical.k_test[[0, 7]][:, rows])


def test_the_kernel_is_stored_and_goes_on(ws, monkeypatch):
    from ntkcore.analyses.materials import tiles as kernel_tiles

    monkeypatch.setattr(kernel_tiles, "TILE", 8)
    split, content = compose(GROUPS, NAMES, 0, ws).split, contents_of(GROUPS, ws)
    choice = InfluenceSpec.model_validate({"kernel": "pseudo", "model": {"architecture": "fcn", "width": 5, "depth": 1}})
    with pytest.raises(Cancelled):
        composed_kernel(GROUPS[0], choice, content, split, ws, PieceReporter(Recording(stop_at=(STUDY, 0.3)), STUDY, 0))
    reporter = Recording()
    whole = composed_kernel(GROUPS[0], choice, content, split, ws, PieceReporter(reporter, STUDY, 0))
    told = [done for stage, done in reporter.reports if stage == STUDY]
    assert min(told) > 0.25  # the tiles of before are there
    made: list[object] = []
    monkeypatch.setattr("ntkcore.analyses.information.groups.kernel.fill_kernels", lambda *args: made.append(args))
    again = composed_kernel(GROUPS[0], choice, content, split, ws, PieceReporter(Recording(), STUDY, 0))
    assert np.array_equal(again.k_train, whole.k_train) and not made


def test_shares_of_groups_that_are_right():
    outputs, labels = np.array([[1.0], [-1], [2], [-3]]), np.array([1, 1, 1, 0])
    found = right(outputs, labels, [np.array([0, 1]), np.array([3]), np.array([], dtype=int)])
    assert found[:2].tolist() == [0.5, 1.0] and np.isnan(found[2])
    assert right(np.eye(3), np.array([0, 1, 1]), [np.arange(3)])[0] == pytest.approx(2 / 3)


def test_refusals(ws, tmp_path):
    with pytest.raises(DataError, match="No held-out image is of the class '2'"):
        compose((*GROUPS[:2], group("2", 12, 0, NAMES[1])), NAMES, 0, ws)
    with pytest.raises(DataError, match="a single image among the training images"):
        compose((*GROUPS[:2], group("2", 1, 5, NAMES[1])), NAMES, 0, ws)
    large = SourceSpec(name="own", own=negatives(tmp_path, ws.settings, side=12))
    with pytest.raises(DataError, match="Digits has inputs of 8 × 8 pixels in gray, Negatives of 12 × 12 pixels in gray") as refused:
        compose((*GROUPS[:2], group("2", 5, 5, NAMES[1], large)), NAMES, 0, ws)
    assert "Import Negatives as images of your own with a side of 8 pixels" in refused.value.remedy
    trained = InfluenceSpec.model_validate({"kernel": "pseudo", "training": {"epochs": 3}})
    with pytest.raises(SpecError, match="after 3 epochs"):
        require_untrained(trained)
    require_untrained(InfluenceSpec())
