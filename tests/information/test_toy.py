"""The toy's distributions against SGD step by step and against exact moments; divergences against Gaussians whose divergence is known."""

import numpy as np
import pytest
import scipy.linalg

from ntkcore.errors import ComputationError
from ntkcore.information.toy import (
    EACH,
    Descent,
    Points,
    final_weights,
    followed,
    gaussian_divergence,
    neighbour_divergence,
    new_points,
    predicted_information,
    remembered,
    toy_points,
)

POINTS = toy_points(0)


def moments(points: Points, descent: Descent) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of w at the end of SGD with batches drawn with replacement, exactly: w ↦ (I - ηH_b) w + ηg_b is linear, so both
    follow recursions over all n points."""
    x, y, eta, b, n = points.x, points.y, descent.rate, descent.batch, len(points.y)
    steps = descent.epochs * -(-n // b)
    assert n % b == 0  # all batches of one size
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    outer = x[:, :, None] * x[:, None, :]
    mean_h = outer.mean(0)
    outer_h = outer - mean_h
    covariance, error = np.zeros((2, 2)), -best  # of w - best, begun at w = 0
    for _ in range(steps):
        second = covariance + np.outer(error, error)  # of w - best
        residual = y - x @ best
        # one point's step: δ ↦ δ - η/b Σ (x xᵀ δ - x r) over the batch
        own = outer_h @ second @ outer_h + outer * residual[:, None, None] ** 2
        cross = -np.einsum("nij,j,nk,n->nik", outer_h, error, x, residual)
        fluct = (own + cross + cross.transpose(0, 2, 1)).mean(0)
        shrink = np.eye(2) - eta * mean_h
        error, covariance = shrink @ error, shrink @ covariance @ shrink.T + eta**2 / b * fluct
    return best + error, covariance


def test_the_source_s_settings() -> None:
    descent = Descent()
    assert (descent.rate, descent.batch, descent.epochs, descent.replacement) == (0.1, 5, 200, False)
    assert POINTS.x.shape == (2 * EACH, 2) and list(np.unique(POINTS.y)) == [-1, 1] and (POINTS.y == 1).sum() == EACH
    many = new_points(np.random.default_rng(0), 40_000)
    for target, mean, spread in ((-1, (0, 1), (0.25, 0.5)), (1, (1, 0), (0.5, 0.25))):
        own = many.x[many.y == target]
        np.testing.assert_allclose(own.mean(0), mean, atol=5 * 0.5 / np.sqrt(len(own)))
        np.testing.assert_allclose(own.std(0), spread, rtol=5 / np.sqrt(2 * len(own)))
    near, far = toy_points(3, apart=0.0), toy_points(3, apart=2.0)
    np.testing.assert_allclose(far.x - near.x, np.where(near.y[:, None] < 0, [-1, 1], [1, -1]))  # the same draw, moved apart


@pytest.mark.parametrize("batch", [5, 20])
def test_drawn_batches_have_the_moments_of_the_exact_recursion(batch: int) -> None:
    descent = Descent(batch=batch, epochs=30, replacement=True)
    mean, covariance = moments(POINTS, descent)
    runs = 6000
    found = final_weights(POINTS, descent, runs, np.random.default_rng(1))
    error = np.sqrt(np.diagonal(covariance) / runs)
    assert (np.abs(found.mean(0) - mean) < 4.5 * error).all()
    white = scipy.linalg.solve_triangular(np.linalg.cholesky(covariance), (found - mean).T, lower=True)
    np.testing.assert_allclose(white @ white.T / runs, np.eye(2), atol=4.5 * np.sqrt(3 / runs))  # kurtosis up to 4


def test_shuffled_epochs_are_sgd_step_by_step() -> None:
    """Every run, over all epochs, in plain Python with the same orders; what was forgotten does not matter."""
    descent, place, runs = Descent(epochs=60), 7, 6
    others = new_points(np.random.default_rng(5), runs)

    def slow(w: np.ndarray, generator: np.random.Generator, epochs: int) -> np.ndarray:
        w = w.copy()
        for _ in range(epochs):
            orders = generator.permuted(np.broadcast_to(np.arange(80, dtype=np.uint8), (runs, 80)), axis=1)
            for run, order in enumerate(orders):
                for begin in range(0, 80, 5):
                    batch = order[begin : begin + 5]
                    x, y = POINTS.x[batch].copy(), POINTS.y[batch].copy()
                    x[batch == place], y[batch == place] = others.x[run], others.y[run]
                    w[run] -= 0.1 * x.T @ (x @ w[run] - y) / 5
        return w

    start = np.zeros((runs, 2))
    exchanged = (place, others)
    expected = slow(start, np.random.default_rng(2), 4)
    np.testing.assert_allclose(followed(POINTS, descent, np.random.default_rng(2), start, 4, exchanged), expected, rtol=1e-10)
    epochs = remembered(POINTS, descent)
    assert 5 < epochs < 60
    near, far = (followed(POINTS, descent, np.random.default_rng(3), np.full((runs, 2), v), epochs) for v in (0.0, 100.0))
    np.testing.assert_allclose(near, far, atol=1e-5)  # begun 100 away, the same within 1e-7 of that


def test_a_last_batch_is_smaller_and_without_a_point_there_is_one() -> None:
    rest = POINTS.without(3)
    assert rest.x.shape == (79, 2) and (rest.x == np.delete(POINTS.x, 3, 0)).all()
    descent = Descent(epochs=1, batch=50)
    generator = np.random.default_rng(0)
    order = np.random.default_rng(0).permuted(np.arange(79, dtype=np.uint8)[None], axis=1)[0]
    w = np.zeros(2)
    for batch in (order[:50], order[50:]):
        w -= 0.1 * rest.x[batch].T @ (rest.x[batch] @ w - rest.y[batch]) / len(batch)
    np.testing.assert_allclose(followed(rest, descent, generator, np.zeros((1, 2)), 1)[0], w, rtol=1e-12)


def test_the_steady_state_predicts_the_divergence_of_small_steps_drawn_with_replacement() -> None:
    """Exact moments with and without a point, at a rate where its relative error, of order η, is a few percent."""
    descent = Descent(rate=0.01, epochs=120, replacement=True)
    predicted = predicted_information(POINTS, descent)
    index = int(np.argmax(predicted))
    mean, covariance = moments(POINTS, descent)
    rest = POINTS.without(index)
    best = [np.linalg.lstsq(points.x, points.y, rcond=None)[0] for points in (POINTS, rest)]
    np.testing.assert_allclose(mean, best[0], atol=1e-4)
    shift = best[0] - best[1]
    assert predicted[index] == pytest.approx(shift @ np.linalg.solve(covariance, shift) / 2, rel=0.05)
    errors = POINTS.x @ best[0] - POINTS.y
    noise = np.cov((POINTS.x * errors[:, None]).T, bias=True)
    hessian = POINTS.x.T @ POINTS.x / 80
    sigma = scipy.linalg.solve_continuous_lyapunov(hessian, 0.01 / 5 * noise)
    assert np.linalg.norm(hessian @ sigma + sigma @ hessian - 0.01 / 5 * noise) <= 1e-14 * np.linalg.norm(noise)
    assert np.linalg.eigvalsh(sigma)[0] > 0
    assert predicted[index] == pytest.approx(shift @ np.linalg.solve(sigma, shift) / 2, rel=1e-10)


KNOWN = [(0.0, 1.0), (1.0, 1.0), (1.5, 1.6), (2.0, 1.3)]


@pytest.mark.parametrize(("shift", "scale"), KNOWN)
def test_divergences_of_gaussians_that_are_known(shift: float, scale: float) -> None:
    """Of N(0, C) from N(shift, scale² C) in the plane: ½ (2 / scale² + shift² / scale² - 2 + 4 ln scale), whatever C."""
    expected = (2 / scale**2 + shift**2 / scale**2 - 2 + 4 * np.log(scale)) / 2
    generator = np.random.default_rng(4)
    mix, runs = np.array([[1e-3, 0.0], [0.4, 2e-2]]), 4000
    p = generator.standard_normal((runs, 2)) @ mix.T
    q = (scale * generator.standard_normal((runs, 2)) + [shift, 0]) @ mix.T
    # a mean of 4000 log ratios, whose spread is of the order of 1 + expected; the neighbours' own bias comes on top
    error = 4 * (1 + expected) / np.sqrt(runs)
    assert gaussian_divergence(p, q) == pytest.approx(expected, abs=error)
    assert neighbour_divergence(p, q) == pytest.approx(expected, abs=error + 0.08 * expected)


def test_neighbours_see_what_gaussians_do_not() -> None:
    """q a mixture of two far Gaussians, p one of them: ln 2, which two Gaussians of the same moments are far from."""
    generator = np.random.default_rng(0)
    p, q = generator.standard_normal((4000, 2)), generator.standard_normal((4000, 2))
    q[::2] += [30.0, 0.0]
    assert neighbour_divergence(p, q) == pytest.approx(np.log(2), abs=0.06)
    assert gaussian_divergence(p, q) > 2
    assert neighbour_divergence(p, q, neighbours=1) == pytest.approx(np.log(2), abs=0.12)


def test_where_q_is_hardly_met_neighbours_say_too_little() -> None:
    """What the page tells of them: 18 nats are not seen by 1000 samples."""
    generator = np.random.default_rng(0)
    p, q = (generator.standard_normal((1000, 2)) for _ in range(2))
    far, narrow = q + np.array([6.0, 0.0]), 0.8 * q + np.array([2.0, 0.0])
    assert gaussian_divergence(p, far) == pytest.approx(18, rel=0.15)
    assert 4 < neighbour_divergence(p, far) < 15
    exact = (2 / 0.64 + 4 / 0.64 - 2 + 4 * np.log(0.8)) / 2
    assert 0.5 * exact < neighbour_divergence(p, narrow) < exact


def test_information_and_bound_of_the_source_s_figure() -> None:
    """With the default points: near the source's 1.3 and 3.0, though its points are not given."""
    descent, runs, place = Descent(), 1500, 52
    generator = np.random.default_rng(0)
    whole, without = (final_weights(points, descent, runs, generator) for points in (POINTS, POINTS.without(place)))
    others = final_weights(POINTS, descent, runs, generator, (place, new_points(generator, runs)))
    assert 2.8 < gaussian_divergence(whole, without) < 3.6
    assert 1.1 < gaussian_divergence(whole, others) < 1.5
    assert 1.5 < neighbour_divergence(whole, others) < 1.9  # the third is no Gaussian


def test_what_cannot_be_trained_is_refused() -> None:
    with pytest.raises(ComputationError, match="diverges") as refused:
        final_weights(POINTS, Descent(rate=2.0, batch=1), 200, np.random.default_rng(0))
    assert "smaller rate" in refused.value.remedy
