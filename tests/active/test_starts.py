"""Warm start and cold start beside gradient descent on a linear model, whose kernel is fixed (Thesis Thm. A.1.2)."""

import numpy as np
import pytest

from ntkcore.active import cold_and_warm

SIZES = (4, 7, 12)


def problem(k: int, blocks: bool):
    """A linear model f(x) = f0(x) + J(x) θ of more parameters than numbers to fit: J (16, k, P), f0, targets of the first 12."""
    generator = np.random.default_rng(k)
    features = generator.standard_normal((16, 60))
    j = np.einsum("np,ok->nopk", features, np.eye(k)).reshape(16, k, -1) if not blocks else generator.standard_normal((16, k, 80))
    kernel = np.einsum("iop,jqp->ijoq", j, j)
    return j, kernel if blocks else kernel[:, :, 0, 0], generator.standard_normal((16, k)), generator.standard_normal((12, k))


def descended(j, start, theta, y, size, ridge):
    """θ at the end of training on some samples from ``theta``, to which λ pulls: the limit of gradient descent, by its own equations."""
    rows = j[:size].reshape(-1, j.shape[2])
    left = (y[:size] - start[:size]).ravel() - rows @ theta
    if ridge == 0:
        return theta + np.linalg.lstsq(rows, left, rcond=None)[0]  # the nearest of those that fit
    return theta + np.linalg.solve(rows.T @ rows + ridge * np.eye(rows.shape[1]), rows.T @ left)


@pytest.mark.parametrize("ridge", [0.0, 0.5])
@pytest.mark.parametrize(("k", "blocks"), [(1, False), (3, False), (2, True)])
def test_both_are_the_ends_of_training_the_linear_model(k, blocks, ridge):
    j, kernel, start, y = problem(k, blocks)
    found = cold_and_warm(kernel[:12, :12], kernel[12:, :12], y, start[:12], start[12:], SIZES, ridge)
    theta = np.zeros(j.shape[2])
    cold = descended(j, start, theta, y, 12, ridge)
    for size in SIZES:
        theta = descended(j, start, theta, y, size, ridge)
    np.testing.assert_allclose(found.cold, start[12:] + j[12:] @ cold, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found.warm, start[12:] + j[12:] @ theta, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("k", "blocks"), [(1, False), (3, False), (2, True)])
def test_they_are_the_same_without_a_ridge_and_apart_with_one(k, blocks):
    _, kernel, start, y = problem(k, blocks)
    apart = [
        cold_and_warm(kernel[:12, :12], kernel[12:, :12], y, start[:12], start[12:], SIZES, ridge).difference for ridge in (0.0, 1e-3, 1.0)
    ]
    assert apart[0] < 1e-12 * np.abs(kernel).max() and apart[0] < apart[1] < apart[2]
    once = cold_and_warm(kernel[:12, :12], kernel[12:, :12], y, start[:12], start[12:], (12,), 1.0)
    assert once.difference == 0


@pytest.mark.parametrize("sizes", [(), (0, 12), (4, 4, 12), (7, 4, 12), (4,), (4, 13)])
def test_sizes_rise_to_the_end(sizes):
    _, kernel, start, y = problem(1, False)
    with pytest.raises(ValueError, match="sizes"):
        cold_and_warm(kernel[:12, :12], kernel[12:, :12], y, start[:12], start[12:], sizes)
