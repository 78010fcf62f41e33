"""Ten groups by influence, against the definition of their complexity."""

from math import inf

import numpy as np
import pytest
from influence_oracle import NEAR_END, RIDGE, each, influences, look

from ntkcore.analyses.influence import complexity


@each
def test_complexities_are_their_definition(made, name):
    ws, result, kernel, y = made(name)
    found = complexity.groups_of(look(ws, result))
    values, groups = found.complexity, found.members
    assert len(values) == len(groups) == min(10, len(kernel) - 1)
    assert sorted(int(i) for group in groups for i in group) == list(range(len(kernel)))
    mean = influences(result, kernel, y, inf).mean(0)
    np.testing.assert_allclose(found.mean, mean, rtol=0, atol=NEAR_END * np.abs(mean).max())
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


def test_the_table_has_the_numbers_of_the_chart(made):
    ws, result, *_ = made("two-layer")
    groups = complexity.groups_of(look(ws, result))
    rows = complexity.group_table(groups, result.labels, result.true_labels)
    assert list(rows["group"]) == list(range(10)) and rows["images"].sum() == 16
    np.testing.assert_array_equal(rows["complexity"], groups.complexity)
    assert rows["mean_influence"].is_monotonic_increasing
    assert (rows["flipped"] * rows["images"]).sum() == pytest.approx(3)
    assert complexity.groups_of(look(ws, result, 2.0)) is groups  # of the end of training, whatever τ the page stands at
