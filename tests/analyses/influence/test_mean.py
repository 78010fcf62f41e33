"""The mean over a group of held-out images, against averaging single images and against deletion."""

import numpy as np
import pytest
from influence_oracle import FINITE, NEAR_END, after, close, each, influences, look, losses, moments, view

from ntkcore.analyses.influence import look as looking
from ntkcore.analyses.influence import mean
from ntkcore.analyses.workspace import Workspace


@each
def test_the_mean_is_that_of_single_images(made, name, monkeypatch):
    ws, result, kernel, y = made(name)
    for images in ((3,), (1, 4, 6), tuple(range(7))):
        for time in moments(result):
            found = look(ws, result, time).mean(images)
            single = [look(ws, result, time).influence(image) for image in images]
            close(found, np.mean(single, axis=0), NEAR_END)
            close(found, influences(result, kernel, y, time)[list(images)].mean(0), NEAR_END if time == np.inf else FINITE)


def test_the_mean_is_how_much_the_mean_loss_would_rise(made):
    ws, result, kernel, y = made("full")
    images = [0, 2, 5]
    found = look(ws, result, 0.7).mean(images)
    without = after(result, kernel, y, 0.7, keep=[i for i in range(len(kernel)) if i != 4])
    rise = losses(result, without)[images].mean() - losses(result, after(result, kernel, y, 0.7))[images].mean()
    assert found[4] == pytest.approx(rise, abs=FINITE * np.abs(found).max())


def test_it_is_told_piece_by_piece_and_made_once(made, monkeypatch):
    monkeypatch.setattr(looking, "_SLICE", 3)
    ws, result, *_ = made("binary")
    fresh, told = Workspace(ws.settings), []
    found = look(fresh, result, 2.0).mean(range(7), progress=lambda done, of: told.append((done, of)))
    assert told == [(3, 7), (6, 7), (7, 7)]
    assert look(fresh, result, 2.0).mean(tuple(range(7)), progress=told.clear) is found
    close(found, look(ws, result, 2.0).mean(range(7)), NEAR_END)  # in one piece


def test_which_images_a_group_has(made):
    _, result, *_ = made("two-layer")
    shown = np.array([4, 1, 6])
    assert mean.group_of(result, view(), shown) == ()
    assert mean.group_of(result, view(mean="shown"), shown) == (1, 4, 6)
    assert mean.group_of(result, view(mean="shown"), shown[:0]) == ()
    assert mean.group_of(result, view(mean="ticked", picked=(2, 5, 99)), shown) == (2, 5)
    assert mean.group_of(result, view(mean="ticked"), shown) == ()
    assert mean.group_of(result, view(picked=(2, 5)), shown) == ()
