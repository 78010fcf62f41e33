"""The order of removal against scores of regressions begun anew."""

from math import inf

import numpy as np
import pytest
from deletion_oracle import problem

from ntkcore.errors import ComputationError
from ntkcore.information import functional_information
from ntkcore.information.summary import removal_order
from ntkcore.regression import KernelRegression


@pytest.mark.parametrize("time", [inf, 0.7])
@pytest.mark.parametrize(("n", "m", "k", "blocks"), [(40, 12, 1, False), (40, 12, 3, False), (16, 6, 2, True)])
def test_what_is_left_is_scored_anew_as_if_nothing_else_had_been_there(n: int, m: int, k: int, blocks: bool, time: float) -> None:
    train, test, y, start, _ = problem(n, m, k, blocks)
    told: list[tuple[int, int]] = []
    found = removal_order(
        KernelRegression(train, y, 0.1, start), test, "iterative", time=time, share=0.6, step=0.1, progress=lambda *done: told.append(done)
    )
    kept, step = np.arange(n), round(0.1 * n)
    expected: list[int] = []
    while len(expected) < round(0.6 * n):
        alone = KernelRegression(train[np.ix_(kept, kept)], y[kept], 0.1, start[kept])
        score = functional_information(alone, test[:, kept], time)
        gone = kept[np.argsort(score, kind="stable")][: min(step, round(0.6 * n) - len(expected))]
        expected += [int(i) for i in gone]
        kept = np.setdiff1d(kept, gone)
    assert list(found) == expected
    assert told[-1] == (len(expected), len(expected))


def test_a_regression_without_samples_is_the_regression_on_the_others() -> None:
    for blocks in (False, True):
        train, test, y, start, start_test = problem(15, 5, 2, blocks)
        for first in (False, True):
            regression = KernelRegression(train, y, 1e-3, start)
            if first:
                assert regression.beta.shape == (15, 2)  # G is there, and downdated
            rest = [0, 1, 3, 4, 6, 7, 8, 10, 11, 12, 13]
            smaller = regression.without([2, 5, 14, 9])
            alone = KernelRegression(train[np.ix_(rest, rest)], y[rest], 1e-3, start[rest])
            for time in (inf, 0.5):
                np.testing.assert_allclose(
                    smaller.predict(test[:, rest], start_test, time), alone.predict(test[:, rest], start_test, time), rtol=1e-8, atol=1e-9
                )
            np.testing.assert_allclose(smaller.loo_residuals(), alone.loo_residuals(), rtol=1e-8)
            np.testing.assert_array_equal(regression.without([]).predict(test, start_test), regression.predict(test, start_test))
        with pytest.raises(ComputationError, match="no regression"):
            KernelRegression(train, y).without(list(range(15)))


def test_the_other_orders() -> None:
    train, test, y, start, _ = problem(30, 10, 1, False)
    regression = KernelRegression(train, y, 0.1, start)
    score = functional_information(regression, test)
    once, top = (removal_order(regression, test, way, share=0.5) for way in ("once", "top"))
    assert list(score[once]) == sorted(score)[:15]
    assert list(score[top]) == sorted(score, reverse=True)[:15]
    drawn = removal_order(regression, test, "random", share=0.5, seed=3)
    assert len(set(drawn)) == 15
    assert list(drawn) == list(removal_order(regression, test, "random", share=0.5, seed=3))
    assert len(removal_order(regression, test, "once", share=0.999)) == 29
    with pytest.raises(ValueError, match="share"):
        removal_order(regression, test, "once", share=1.0)
    with pytest.raises(ValueError, match="strategy"):
        removal_order(regression, test, "best")  # type: ignore[arg-type]
