"""The error of IHVP at each λ from one eigendecomposition is that of a factorisation at each."""

import numpy as np
import pytest
from deletion_oracle import problem

from ntkcore.errors import ComputationError, DataError
from ntkcore.influence import ihvp_error
from ntkcore.influence.sweep import IhvpSweep
from ntkcore.regression import KernelRegression


@pytest.mark.parametrize("k", [1, 4])
def test_the_sweep_is_a_factorisation_at_each_ridge(k: int) -> None:
    train, test, y, start, start_test = problem(40, 7, k, False)
    targets = np.random.default_rng(3).standard_normal((7, k))
    regression = KernelRegression(train, y, 0.0, start)
    least = float(np.linalg.eigvalsh(train)[0])
    sweep = IhvpSweep(regression, test, targets, start_test)
    for ridge in (1e-6, 1e-2, 1.0, 16.0):
        found = sweep.error(ridge)
        expected = ihvp_error(regression.with_ridge(ridge), test, targets - start_test, least)  # the same error f(x) - y
        for name in ("exact", "estimate", "remainder"):
            a, b = getattr(found, name), getattr(expected, name)
            assert np.linalg.norm(a - b) < 1e-9 * np.linalg.norm(expected.exact), (ridge, name)
        np.testing.assert_allclose(found.leverage, expected.leverage, atol=1e-10)
        assert found.least_eigenvalue == pytest.approx(least, rel=1e-8)
        assert found.ridge == ridge


def test_a_singular_kernel_and_a_full_one_are_refused() -> None:
    train, test, y, _, _ = problem(12, 3, 1, False)
    twice = np.ix_(np.r_[0:12, 0:12], np.r_[0:12, 0:12])
    sweep = IhvpSweep(KernelRegression(train[twice], np.r_[y, y]), test[:, np.r_[0:12, 0:12]], np.zeros((3, 1)))
    with pytest.raises(ComputationError, match="singular"):
        sweep.error(0.0)
    assert np.isfinite(sweep.error(1e-3).exact).all()
    full, full_test, y, _, _ = problem(6, 2, 2, True)
    with pytest.raises(DataError, match="one kernel"):
        IhvpSweep(KernelRegression(full, y), full_test, np.zeros((2, 2)))
