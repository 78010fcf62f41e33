"""Flipped labels among the most influential images, counted by deletion."""

import numpy as np
import pytest
from deletion_oracle import outputs
from influence_oracle import RIDGE, after, each, influences, look

from ntkcore.analyses.influence import noise as influence_noise
from ntkcore.analyses.influence import views
from ntkcore.analyses.workspace import Workspace


@each
def test_the_noise_share_counts_flipped_labels(made, name, monkeypatch):
    monkeypatch.setattr(influence_noise, "INFLUENTIAL", 4)
    monkeypatch.setattr(influence_noise, "_TESTS", 5)
    ws, result, kernel, y = made(name)
    found = influence_noise.noise_share(look(Workspace(ws.settings), result))
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
    np.testing.assert_allclose(influence_noise.noise_share(look(ws, result)).share, (result.labels != result.true_labels).mean())


def test_the_table_has_the_numbers_of_the_chart(made):
    ws, result, *_ = made("two-layer")
    noise = influence_noise.noise_share(look(ws, result))
    np.testing.assert_array_equal(influence_noise.noise_table(noise)["flipped_share"], noise.share)
