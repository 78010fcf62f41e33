"""Scores of the authors' code against loops of explicit gradient descent on explicit weights, in float64.

The loops train a linear model's weights on the averaged loss and on the summed one, with and without each sample.
"""

from math import inf

import numpy as np
import pytest
import torch
from linear_models import linear_model, small_network

from ntkcore.errors import DataError
from ntkcore.influence import linearised_weights
from ntkcore.information import (
    functional_information,
    langevin_information,
    sgd_information,
    steady_state,
    training_information,
    training_loss_change,
    weight_changes,
)
from ntkcore.kernels import empirical_ntk
from ntkcore.regression import KernelRegression, Steps

CASES = [(12, 1, False), (12, 3, False), (7, 3, True)]
COUNT, RIDGE = 60, 0.3


def descended(jacobian, y, ridge, rate, count, kept, averaged):
    """Weights (d, c) from 0 by steps on the loss of the rows ``kept``, n samples' rate and λ on the average or on the sum."""
    rows, targets = jacobian[kept], y[kept]
    n, left = len(jacobian), len(kept)
    loss, pull = (n / left, ridge) if averaged else (1.0, ridge)  # the averaged loss's λ is λ / n for n samples and for fewer
    weights = np.zeros((jacobian.shape[1], y.shape[1]))
    for _ in range(count):
        weights = weights - rate * (loss * rows.T @ (rows @ weights - targets) + pull * weights)
    return weights


def trained(n, k, blocks, averaged, share=1.2):
    """The kernel's regression in steps, and weights (1 + n, d, c) by the loops: with all samples, and without each."""
    jacobian, kernel, y = linear_model(n, k, blocks)
    rate = share / (np.linalg.eigvalsh(jacobian @ jacobian.T)[-1] * n / (n - 1) + RIDGE)
    side, rows = (k, y.reshape(-1, 1)) if blocks else (1, y)
    everything = np.arange(n * side)
    sets = [everything, *(np.delete(everything, slice(i * side, i * side + side)) for i in range(n))]
    weights = np.stack([descended(jacobian, rows, RIDGE, rate, COUNT, kept, averaged) for kept in sets])
    return KernelRegression(kernel, y, RIDGE).with_descent(Steps(rate)), jacobian, y, weights


@pytest.mark.parametrize("averaged", [False, True])
@pytest.mark.parametrize(("n", "k", "blocks"), CASES)
def test_scores_are_those_of_the_loops(n, k, blocks, averaged):
    """The contour leaves 1e-12 of the function; a change is a hundredth of it, and squared loses as much again."""
    regression, jacobian, y, weights = trained(n, k, blocks, averaged)
    moved = weights[1:] - weights[0]
    np.testing.assert_allclose(weight_changes(regression, COUNT, averaged=averaged), np.square(moved).sum((1, 2)), rtol=1e-7)
    held = np.random.default_rng(3).standard_normal((5 * (k if blocks else 1), jacobian.shape[1]))
    across = held @ jacobian.T
    across = across.reshape(5, k, n, k).transpose(0, 2, 1, 3) if blocks else across
    expected = np.square(held @ moved).sum((1, 2)) / 5 / 2
    np.testing.assert_allclose(functional_information(regression, across, COUNT, averaged=averaged), expected, rtol=1e-7)
    outputs = (jacobian @ weights).reshape(n + 1, n, k)
    inside = np.square(outputs[1:] - outputs[0]).sum((1, 2)) / n / 2
    np.testing.assert_allclose(training_information(regression, COUNT, averaged=averaged), inside, rtol=1e-7)
    losses = np.square(outputs - y).sum((1, 2)) / n / 2
    change = losses[1:] - losses[0]
    np.testing.assert_allclose(training_loss_change(regression, COUNT, averaged=averaged), change, atol=1e-9 * losses[0])


@pytest.mark.parametrize(("n", "k", "blocks"), CASES)
def test_a_removal_from_the_averaged_loss_is_deletion_at_its_own_time_and_ridge(n, k, blocks):
    _, kernel, y = linear_model(n, k, blocks)
    whole, across = KernelRegression(kernel, y, RIDGE), kernel[:4]
    for time, own in ((0.02, 0.02 * n / (n - 1)), (inf, inf)):
        expected = []
        for i in range(n):
            kept = [j for j in range(n) if j != i]
            without = KernelRegression(kernel[np.ix_(kept, kept)], y[kept], RIDGE * (n - 1) / n)
            moved = without.predict(across[:, kept], time=own) - whole.predict(across, time=time)
            expected.append(np.square(moved).sum() / 4 / 2)
        np.testing.assert_allclose(functional_information(whole, across, time, averaged=True), expected, rtol=1e-7)


@pytest.mark.parametrize(("n", "k", "blocks"), [(9, 2, False), (7, 2, True)])
def test_noise_in_steps_is_sgds_own_covariance(n, k, blocks):
    """``Σ ← (I - η H) Σ (I - η H) + η² / b Λ``, step by step; of the condition number some digits are lost in Σ⁻¹."""
    regression, *_ = trained(n, k, blocks, False)
    rate = regression.descent.rate
    found = steady_state(regression, rate=rate, batch=5, time=COUNT)
    step, covariance = np.eye(len(found.hessian)) - rate * np.diag(found.hessian), np.zeros_like(found.covariance)
    for _ in range(COUNT):
        covariance = step @ covariance @ step + rate**2 / 5 * found.noise
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-12 * covariance.max())
    assert np.isfinite(sgd_information(regression, rate=rate, batch=5, time=COUNT)).all()
    even = np.zeros_like(found.hessian)
    for _ in range(COUNT):
        even = np.square(np.diag(step)) * even + rate**2 / 5
    side = 1 if blocks else k
    values = regression.eigen[0]
    rows = np.sqrt(values)[:, None] * regression.eigen[1].T
    rows = rows.reshape(n, k, n, k).transpose(0, 2, 1, 3) if blocks else rows
    changes = regression.loo_shift(rows, COUNT).transpose(0, 2, 1).reshape(len(values) * side, n)
    expected = (np.square(changes) / even[:, None]).sum(0) / 2
    np.testing.assert_allclose(langevin_information(regression, rate=rate, batch=5, time=COUNT), expected, rtol=1e-9)


@pytest.mark.parametrize("k", [1, 3])
def test_weights_are_those_of_a_loop_over_all_parameters(k):
    """Linearised at w0: ``w ← w - η (Jᵀ (f0 + J (w - w0) - y) + λ (w - w0))``."""
    model, x, jacobian, start, y = small_network(k)
    rows, n = jacobian[:20].reshape(20 * k, -1), 20
    kernel = np.asarray(empirical_ntk(model, x[:n], outputs="full").values)
    rate = 1.3 / np.linalg.eigvalsh(rows @ rows.T)[-1]
    regression = KernelRegression(kernel, y, RIDGE, start[:n])
    first = np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])
    moved = np.zeros_like(first)
    for _ in range(COUNT):
        moved = moved - rate * (rows.T @ (rows @ moved + (start[:n] - y).ravel()) + RIDGE * moved)
    found = linearised_weights(model, x[:n], regression.with_descent(Steps(rate)), COUNT)
    assert found.shape == first.shape
    np.testing.assert_allclose(found.numpy(), first + moved, atol=1e-11)
    end = rows.T @ np.linalg.solve(rows @ rows.T + RIDGE * np.eye(n * k), (y - start[:n]).ravel())
    np.testing.assert_allclose(linearised_weights(model, x[:n], regression).numpy(), first + end, atol=1e-10)
    assert np.array_equal(first, np.concatenate([p.detach().numpy().ravel() for p in model.parameters()]))


def test_weights_of_one_kernel_for_several_outputs_are_refused():
    _, kernel, y = linear_model(8, 3, False)
    with pytest.raises(DataError, match="weights for each"):
        linearised_weights(torch.nn.Linear(2, 3).double(), torch.zeros(8, 2), KernelRegression(kernel, y, 0.1))
