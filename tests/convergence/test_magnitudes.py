"""Magnitudes against loops."""

import numpy as np
import pytest

from ntkcore.convergence import magnitudes
from ntkcore.kernels import matrices


@pytest.mark.parametrize("block", [2**22, 30])
@pytest.mark.parametrize(("n", "m", "k"), [(4, 3, 3), (1, 1, 2), (5, 5, 1)])
def test_the_two_sums_are_those_of_loops(n, m, k, block, monkeypatch):
    monkeypatch.setattr(matrices, "BLOCK", block)
    full = np.random.default_rng(0).standard_normal((n, m, k, k))
    on = np.mean([sum(abs(full[i, j, o, o]) for o in range(k)) for i in range(n) for j in range(m)])
    off = np.mean([sum(abs(full[i, j, o, p]) for o in range(k) for p in range(k) if o != p) for i in range(n) for j in range(m)])
    assert magnitudes(full) == pytest.approx((on, off), rel=1e-13)
    assert magnitudes(-full) == magnitudes(full)


def test_a_diagonal_kernel_has_nothing_off_the_diagonal_exactly():
    kernel = np.random.default_rng(1).standard_normal((6, 6)).astype(np.float32)
    on, off = magnitudes(kernel[:, :, None, None] * np.eye(3, dtype=np.float32))
    assert on == pytest.approx(3 * np.abs(kernel.astype(float)).mean())
    assert off == 0.0
    assert magnitudes(np.zeros((2, 2, 3, 3))) == (0.0, 0.0)


def test_wrong_shapes_and_missing_values_show():
    for shape in ((3, 3), (2, 2, 2, 3)):
        with pytest.raises(ValueError, match="full"):
            magnitudes(np.ones(shape))
    assert np.isnan(magnitudes(np.full((1, 1, 2, 2), np.nan))).all()
