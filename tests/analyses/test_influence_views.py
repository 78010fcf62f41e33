"""What the influence page shows, against deletion: the stored kernel without an image, solved anew."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from deletion_oracle import brute, outputs
from recording import Recording

from ntkcore.analyses import influence_views as views
from ntkcore.analyses.influence import open_influence, run_influence
from ntkcore.analyses.split import targets_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import ComputationError
from ntkcore.settings import Settings
from ntkcore.specs import InfluenceSpec, InfluenceView

DATA = {"classes": ("3", "5", "8"), "n": 16, "label_noise": 0.2}
NETWORK = {"model": {"architecture": "fcn", "width": 12, "depth": 1}, "dtype": "float64"}
TRAINED = {"epochs": 2, "batch_size": 5, "learning_rate": 0.05}
SPECS = {
    "two-layer": {"dataset": DATA},
    "binary": {"dataset": DATA | {"classes": ("3", "8")}},
    "infinite": {"dataset": DATA, "kernel": "infinite", "model": {"architecture": "fcn", "depth": 1}},
    "pseudo": {"dataset": DATA, "kernel": "pseudo", "training": TRAINED} | NETWORK,
    "full": {"dataset": DATA | {"n": 11}, "kernel": "full"} | NETWORK,
}
RIDGE = 0.05
NEAR_END, FINITE = 1e-9, 1e-8
"""What may differ, relative to the largest: systems of condition 1e4 solved in float64 lose five of sixteen digits, and deletion is the
difference of two such; a finite time is a contour integral, good to 1e-11 of the function, of which an influence is a hundredth or less."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Each result once, with its workspace and its kernel read from the store."""
    ws, found = Workspace(Settings(cache_dir=tmp_path_factory.mktemp("cache"))), {}

    def make(name):
        if name not in found:
            spec = InfluenceSpec.model_validate(SPECS[name] | {"test": 7})
            run_influence(spec, ws, Recording())
            result = open_influence(spec, ws)
            kernel = ws.store.open("influence", result.key).read("k_train").astype(np.float64)
            found[name] = result, kernel, targets_of(result.labels, result.f_train.shape[1])
        return ws, *found[name]

    return make


each = pytest.mark.parametrize("name", list(SPECS))


def moments(result):
    """The end, and finite times over the whole axis."""
    return (inf, *views.times(result)[::9])


def view(time=inf, **values):
    return InfluenceView(ridge=RIDGE, time=None if time == inf else time, **values)


def after(result, kernel, y, time, ridge=RIDGE, keep=None):
    """Outputs (m, k) of the held-out images after training on ``keep``, all by default."""
    rows = np.arange(len(kernel)) if keep is None else np.asarray(keep)
    return outputs(kernel[np.ix_(rows, rows)], result.k_test[:, rows], (y - result.f_train)[rows], result.f_test, ridge, time)


def losses(result, values):
    """½‖f - y‖² of outputs whose first axis is the held-out images."""
    target = targets_of(result.test_labels, values.shape[-1]).reshape(len(values), *[1] * (values.ndim - 2), -1)
    return np.square(values - target).sum(-1) / 2


def influences(result, kernel, y, time, ridge=RIDGE):
    """(m, n) by deletion."""
    whole = after(result, kernel, y, time, ridge)
    without = whole[:, None] + brute(kernel, result.k_test, y - result.f_train, ridge, time)
    return losses(result, without) - losses(result, whole)[:, None]


def close(found, expected, tolerance):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@each
def test_held_is_training_on_all(made, name):
    ws, result, kernel, y = made(name)
    for time in moments(result):
        expected = after(result, kernel, y, time)
        found = views.held(result, view(time), ws)
        close(found.outputs, expected, NEAR_END)
        close(found.loss, losses(result, expected), NEAR_END)
        predicted = expected.argmax(1) if expected.shape[1] > 1 else (expected[:, 0] > 0).astype(int)
        np.testing.assert_array_equal(found.predicted, predicted)
        np.testing.assert_array_equal(found.correct, predicted == result.test_labels)


@each
def test_influence_is_deletion(made, name):
    ws, result, kernel, y = made(name)
    for time in moments(result):
        expected = influences(result, kernel, y, time)
        found = np.stack([views.influence(result, view(time), target, ws) for target in range(7)])
        close(found, expected, NEAR_END if time == inf else FINITE)
        assert (np.abs(expected).max(1) > 0).all()


@each
def test_without_is_the_outputs_after_deletion(made, name):
    ws, result, kernel, y = made(name)
    for time in moments(result):
        found = views.without(result, view(time), 3, [5, 0, 5], ws)
        for values, image in zip(found, [5, 0, 5], strict=True):
            keep = [i for i in range(len(kernel)) if i != image]
            close(values, after(result, kernel, y, time, keep=keep)[3], NEAR_END if time == inf else FINITE)
    assert views.without(result, view(), 3, [], ws).shape == (0, y.shape[1])


@each
def test_a_trajectory_is_deletion_at_every_time(made, name):
    ws, result, kernel, y = made(name)
    path = views.trajectory(result, RIDGE, 2, ws)
    np.testing.assert_array_equal(path.times, views.times(result))
    assert path.influence.shape == (40, len(kernel)) and path.outputs.shape == (40, y.shape[1])
    for at in (0, 1, 13, 26, 39):
        time = float(path.times[at])
        close(path.outputs[at], after(result, kernel, y, time)[2], NEAR_END)
        close(path.loss[at], losses(result, after(result, kernel, y, time))[2], NEAR_END)
        close(path.influence[at], influences(result, kernel, y, time)[2], FINITE)
    # λ moves every rate away from 0; without it the last time is five lifetimes of the slowest direction that counts.
    assert path.times[-1] * max(result.regression.eigen[0][0], 1e-8 * result.regression.eigen[0][-1]) == pytest.approx(5, rel=0.01)
    assert path.times[0] * result.regression.eigen[0][-1] == pytest.approx(0.1, rel=0.01)
    assert (np.diff(path.times) > 0).all()


@each
@pytest.mark.parametrize("time", [inf, 0.7])
def test_deleting_a_basket_is_training_without_it(made, name, time):
    """Whatever τ the page stands at: the answer is about the end of training."""
    ws, result, kernel, y = made(name)
    basket = (1, 4, 6, 99)  # the last one does not exist
    found = views.effect(result, view(time, basket=basket), ws)
    before, left = after(result, kernel, y, inf), after(result, kernel, y, inf, keep=[i for i in range(len(kernel)) if i not in basket])
    close(found.loss, losses(result, before), NEAR_END)
    close(found.loss_after, losses(result, left), NEAR_END)
    np.testing.assert_array_equal(found.predicted, views.classes(left))
    assert found.changed == (views.classes(left) != views.classes(before)).sum()
    assert found.accuracy == pytest.approx((views.classes(before) == result.test_labels).mean())
    assert found.after == pytest.approx((views.classes(left) == result.test_labels).mean())


@each
@pytest.mark.parametrize(("label", "given"), [(None, 0), (1, 1), (99, -1)], ids=["first", "second", "last"])
def test_relabelling_a_basket_is_training_on_other_targets(made, name, label, given):
    ws, result, kernel, y = made(name)
    found = views.effect(result, view(basket=(0, 2, 9), deed="relabel", label=label), ws)
    other = y.copy()
    other[[0, 2, 9]] = targets_of(np.full(3, range(len(result.class_names))[given]), y.shape[1])
    close(found.loss_after, losses(result, after(result, kernel, other, inf)), NEAR_END)
    np.testing.assert_array_equal(found.predicted, views.classes(after(result, kernel, other, inf)))


@pytest.mark.parametrize("deed", ["delete", "relabel"])
def test_a_basket_of_nothing_changes_nothing(made, deed):
    ws, result, *_ = made("two-layer")
    for basket in ((), (99,)):
        found = views.effect(result, view(basket=basket, deed=deed), ws)
        np.testing.assert_array_equal(found.loss, found.loss_after)
        assert found.accuracy == found.after and found.changed == 0


def test_a_basket_of_everything_leaves_nothing_to_train_on(made):
    ws, result, *_ = made("two-layer")
    with pytest.raises(ComputationError) as caught:
        views.effect(result, view(basket=tuple(range(16))), ws)
    assert "Leave at least one" in caught.value.remedy


def test_a_basket_of_everything_can_be_relabelled(made):
    ws, result, kernel, _ = made("two-layer")
    found = views.effect(result, view(basket=tuple(range(16)), deed="relabel", label=1), ws)
    close(found.loss_after, losses(result, after(result, kernel, targets_of(np.ones(16, int), 3), inf)), NEAR_END)


@each
def test_complexities_are_their_definition(made, name):
    ws, result, kernel, y = made(name)
    values, groups = views.complexities(result, RIDGE, ws)
    assert len(values) == len(groups) == min(10, len(kernel) - 1)
    assert sorted(int(i) for group in groups for i in group) == list(range(len(kernel)))
    mean = influences(result, kernel, y, inf).mean(0)
    assert (np.diff(mean[np.concatenate(groups)]) >= -NEAR_END * np.abs(mean).max()).all()  # from harmful to helpful
    residual = y - result.f_train

    def norm(keep):
        """√(Yᵀ (K + λ I)^-1 Y) of some images."""
        side = kernel[np.ix_(keep, keep)]
        flat = residual[keep]
        if side.ndim == 4:
            side, flat = side.transpose(0, 2, 1, 3).reshape(flat.size, flat.size), flat.reshape(-1, 1)
        return np.sqrt((flat * np.linalg.solve(side + RIDGE * np.eye(len(side)), flat)).sum())

    whole = norm(list(range(len(kernel))))
    for value, group in zip(values, groups, strict=True):
        assert value == pytest.approx(whole - norm([i for i in range(len(kernel)) if i not in group]), abs=NEAR_END * whole)


@each
def test_the_noise_share_counts_flipped_labels(made, name, monkeypatch):
    monkeypatch.setattr(views, "INFLUENTIAL", 4)
    monkeypatch.setattr(views, "_NOISE_TESTS", 5)
    ws, result, kernel, y = made(name)
    found = views.noise_share(result, RIDGE, Workspace(ws.settings))
    flipped = result.labels != result.true_labels
    assert found.base == flipped.mean() and 0 < flipped.sum() == round(0.2 * len(kernel))
    assert len(found.times) == 12 and set(found.times) <= set(views.times(result))
    for at, time in enumerate(found.times):
        magnitude = np.abs(influences(result, kernel, y, time)[:5])
        shares = [flipped[np.argsort(-row)[:4]].mean() for row in magnitude]
        assert found.share[at] == pytest.approx(np.mean(shares)), time
        assert found.test_error[at] == pytest.approx((views.classes(after(result, kernel, y, time)) != result.test_labels)[:5].mean())
        fitted = outputs(kernel, kernel, y - result.f_train, result.f_train, RIDGE, time)
        assert found.train_error[at] == pytest.approx((views.classes(fitted) != result.labels).mean())


def test_more_images_called_influential_than_there_are(made):
    ws, result, *_ = made("two-layer")
    assert len(result.labels) < views.INFLUENTIAL
    np.testing.assert_allclose(views.noise_share(result, RIDGE, ws).share, (result.labels != result.true_labels).mean())


def test_galleries_are_in_order_and_of_one_sign():
    values = np.array([0.5, -2.0, 0.0, 1.5, -0.1, 0.5])
    assert views.ranking(values, "helpful").tolist() == [3, 0, 5]
    assert views.ranking(values, "harmful").tolist() == [1, 4]
    assert views.ranking(values, "idle").tolist() == [2, 4, 0, 5, 3, 1]
    assert views.ranking(-np.abs(values), "helpful").tolist() == []
    many = np.random.default_rng(0).standard_normal(500)
    for show in ("helpful", "harmful", "idle"):
        assert len(views.ranking(many, show)) == views.SHOWN


def test_the_held_out_images_shown(made):
    _, result, *_ = made("two-layer")
    loss, correct = np.array([0.1, 0.9, 0.4, 0.9]), np.array([True, False, True, False])
    now = views.Held(np.zeros((4, 3)), loss, np.zeros(4, int), correct)

    def shown(tests, held=now):
        return views.tests_shown(result, InfluenceView(tests=tests), held).tolist()

    assert shown("loss") == [1, 3, 2, 0] and shown("all") == [0, 1, 2, 3] and shown("wrong") == [1, 3]
    right = replace(now, correct=np.ones(4, bool))
    assert shown("wrong", right) == []
    nothing = np.zeros(0, int)
    assert views.target_of(result, InfluenceView(tests="wrong"), nothing, right) == 1  # the largest loss of all
    assert views.target_of(result, InfluenceView(), np.array([3, 1]), now) == 3
    assert views.target_of(result, InfluenceView(target=2), nothing, now) == 2
    assert views.target_of(result, InfluenceView(target=0), np.array([3]), now) == 0
    assert views.target_of(result, InfluenceView(target=4), np.array([3, 1]), now) == 3  # there is no fifth


def test_what_an_address_names_in_vain_is_said(made):
    _, result, *_ = made("two-layer")
    assert views.missing_from(result, InfluenceView()) == ""
    assert views.missing_from(result, InfluenceView(target=6, label=2, basket=(0, 15))) == ""
    said = views.missing_from(result, InfluenceView(target=9999, label=3, basket=(2, 16)))
    assert "held-out image 9,999" in said and "0 to 6" in said and "class 3" in said and "basket" in said
    assert views.basket_of(result, InfluenceView(basket=(2, 16, 4))) == [2, 4]
    assert views.basket_of(result, InfluenceView(basket=(16,))) == []


def test_ranks_and_the_images_followed(made):
    ws, result, *_ = made("two-layer")
    path = views.trajectory(result, RIDGE, 1, ws)
    ranks = views.ranks(path)
    for row, values in zip(ranks, path.influence, strict=True):
        assert sorted(row) == list(range(1, 17))
        assert (np.diff(np.abs(values)[np.argsort(row)]) <= 0).all()
    now = views.influence(result, view(), 1, ws)
    followed = views.leading(path, now)
    assert len(set(followed.tolist())) == len(followed) <= 8
    for values in (now, path.influence[-1], path.influence[0]):
        assert int(np.abs(values).argmax()) in followed
    few = views.Trajectory(path.times, path.outputs, path.loss, path.influence[:, :3])
    assert sorted(views.leading(few, now[:3]).tolist()) == [0, 1, 2]


def test_tables_have_the_numbers_of_the_charts(made):
    ws, result, *_ = made("two-layer")
    values = views.influence(result, view(), 0, ws)
    rows = views.table(result, values)
    assert sorted(rows["image"]) == list(range(16)) and rows["influence"].is_monotonic_decreasing
    np.testing.assert_array_equal(rows["influence"], values[rows["image"]])
    assert list(rows["id"]) == [result.ids[i] for i in rows["image"]]
    assert list(rows["label"]) == [result.class_names[result.labels[i]] for i in rows["image"]]
    assert rows["flipped"].sum() == 3
    path = views.trajectory(result, RIDGE, 0, ws)
    lines = views.path_table(path, [4, 1])
    assert list(lines.columns) == ["tau", "loss", "influence_4", "influence_1"] and len(lines) == 40
    np.testing.assert_array_equal(lines["influence_1"], path.influence[:, 1])
    noise = views.noise_share(result, RIDGE, ws)
    np.testing.assert_array_equal(views.noise_table(noise)["flipped_share"], noise.share)
    assert list(views.group_table(np.array([0.5, 0.1]))["complexity"]) == [0.5, 0.1]


def test_what_takes_long_is_done_once_for_every_session(made, monkeypatch):
    ws, result, *_ = made("binary")
    first = views.regression(result, RIDGE, ws)
    resolvent = first.resolvent
    for _ in range(2):
        assert views.regression(result, RIDGE, ws) is first and views.regression(result, RIDGE, ws).resolvent is resolvent
    assert views.regression(result, 2 * RIDGE, ws) is not first
    assert first.eigen[1] is result.regression.eigen[1]  # one decomposition for every λ
    assert views.trajectory(result, RIDGE, 0, ws) is views.trajectory(result, RIDGE, 0, ws)
    assert views.trajectory(result, RIDGE, 0, ws) is not views.trajectory(result, RIDGE, 1, ws)
    assert views.held(result, view(2.0), ws) is not views.held(result, view(), ws)
