"""Influence through training, against deletion at every time."""

import numpy as np
import pytest
from influence_oracle import FINITE, NEAR_END, RIDGE, after, close, each, influences, look, losses

from ntkcore.analyses.influence import paths, views


@each
def test_a_trajectory_is_deletion_at_every_time(made, name):
    ws, result, kernel, y = made(name)
    path = paths.trajectory(look(ws, result), 2)
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
def test_a_groups_trajectory_is_the_mean_of_its_images(made, name):
    ws, result, kernel, y = made(name)
    told = []
    found = paths.mean_trajectory(look(ws, result), (1, 4, 6), progress=lambda done, of: told.append((done, of)))
    each_one = [paths.trajectory(look(ws, result), image) for image in (1, 4, 6)]
    close(found.influence, np.mean([path.influence for path in each_one], axis=0), NEAR_END)
    close(found.loss, np.mean([path.loss for path in each_one], axis=0), NEAR_END)
    np.testing.assert_array_equal(found.times, each_one[0].times)
    assert (found.images, found.size) == (3, 3) and told[-1] == (120, 120)
    for at in (0, 20, 39):
        outputs = after(result, kernel, y, float(found.times[at]))
        assert found.error[at] == pytest.approx((views.classes(outputs) != result.test_labels)[[1, 4, 6]].mean())


def test_a_large_groups_trajectory_takes_some_of_it_for_the_influences(made, monkeypatch):
    monkeypatch.setattr(paths, "_WORK", 0)
    monkeypatch.setattr(paths, "_LEAST", 3)
    ws, result, *_ = made("two-layer")
    found = paths.mean_trajectory(look(ws, result, ridge=2 * RIDGE), range(7))
    some = paths.mean_trajectory(look(ws, result, ridge=2 * RIDGE), (0, 3, 6))
    whole = [paths.trajectory(look(ws, result, ridge=2 * RIDGE), image).loss for image in range(7)]
    assert (found.images, found.size) == (3, 7)
    close(found.influence, some.influence, NEAR_END)
    close(found.loss, np.mean(whole, axis=0), NEAR_END)  # of all of them


def test_ranks_and_the_images_followed(made):
    ws, result, *_ = made("two-layer")
    path = paths.trajectory(look(ws, result), 1)
    ranks = paths.ranks(path)
    for row, values in zip(ranks, path.influence, strict=True):
        assert sorted(row) == list(range(1, 17))
        assert (np.diff(np.abs(values)[np.argsort(row)]) <= 0).all()
    now = look(ws, result).influence(1)
    followed = paths.leading(path, now)
    assert len(set(followed.tolist())) == len(followed) <= 8
    for values in (now, path.influence[-1], path.influence[0]):
        assert int(np.abs(values).argmax()) in followed
    few = paths.Trajectory(path.times, path.outputs, path.loss, path.influence[:, :3])
    assert sorted(paths.leading(few, now[:3]).tolist()) == [0, 1, 2]


def test_the_table_has_the_numbers_of_the_chart(made):
    ws, result, *_ = made("two-layer")
    path = paths.trajectory(look(ws, result), 0)
    lines = paths.path_table(path, [4, 1])
    assert list(lines.columns) == ["tau", "loss", "influence_4", "influence_1"] and len(lines) == 40
    np.testing.assert_array_equal(lines["influence_1"], path.influence[:, 1])


def test_a_trajectory_is_made_once_for_every_session(made):
    ws, result, *_ = made("binary")
    assert paths.trajectory(look(ws, result), 0) is paths.trajectory(look(ws, result), 0)
    assert paths.trajectory(look(ws, result), 0) is paths.trajectory(look(ws, result, 2.0), 0)  # it has every time
    assert paths.trajectory(look(ws, result), 0) is not paths.trajectory(look(ws, result), 1)
