"""The process's look-ahead beside scikit-learn's Gaussian process, fitted anew for each candidate."""

import lookahead_oracle as oracle
import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

from ntkcore.active.gaussian_process import gaussian_process, process_change

NOISE = 1e-2


@pytest.mark.parametrize("k", [1, 3])
def test_the_process_is_scikit_learns(k: int) -> None:
    generator = np.random.default_rng(0)
    x, labels = generator.standard_normal((17, 3)), generator.integers(0, max(k, 2), 9)
    codes = oracle.codes(k)
    kernel, first, rest = RBF(1.3), x[:9], x[9:]
    state = gaussian_process(kernel(first), kernel(rest, first), kernel(rest), codes[labels], NOISE)
    peer = GaussianProcessRegressor(kernel, alpha=NOISE, optimizer=None)
    now = peer.fit(first, codes[labels]).predict(rest).reshape(8, k)
    np.testing.assert_allclose(state.outputs, now, rtol=1e-9, atol=1e-11)
    expected = []
    for i, taken in enumerate(oracle.classes(now)):
        after = peer.fit(np.vstack([first, rest[i]]), np.vstack([codes[labels], codes[taken]])).predict(rest)
        expected.append(np.linalg.norm(after.reshape(8, k) - now, axis=1).sum())
    np.testing.assert_allclose(process_change(state), expected, rtol=1e-8)


def test_labels_one_after_another_are_a_process_made_anew() -> None:
    given = oracle.problem(9, 8, 3, False, NOISE)
    k = given.kernel
    state = gaussian_process(k[:9, :9], k[9:, :9], k[9:, 9:], given.targets, NOISE).with_label(2, np.eye(3)[1])
    order = np.r_[:9, 11, 9, 10, 12:17]
    k = k[np.ix_(order, order)]
    anew = gaussian_process(k[:10, :10], k[10:, :10], k[10:, 10:], np.vstack([given.targets, np.eye(3)[1]]), NOISE)
    np.testing.assert_allclose(process_change(state), process_change(anew), rtol=1e-9)
