"""Small influence analyses of every kernel, and what they should answer: the stored kernel without an image, solved anew."""

from math import inf

import numpy as np
import pytest
from deletion_oracle import brute, outputs

from ntkcore.analyses.influence import views
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.materials.split import targets_of
from ntkcore.specs.influence import InfluenceView

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

each = pytest.mark.parametrize("name", list(SPECS))


def moments(result):
    """The end, and finite times over the whole axis."""
    return (inf, *views.times(result)[::9])


def view(time=inf, **values):
    return InfluenceView(ridge=RIDGE, time=None if time == inf else time, **values)


def look(ws, result, time=inf, ridge=RIDGE):
    return Look(result, ridge, time, ws)


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
