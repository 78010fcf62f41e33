"""F-SI and SI against deletion and against explicit weights of a linear model; SGD's steady state against a Lyapunov solver."""

from collections.abc import Callable
from math import inf

import numpy as np
import pytest
import scipy.linalg
from deletion_oracle import TIMES, followed, problem
from linear_models import linear_model, small_network

from ntkcore.errors import ComputationError
from ntkcore.information import (
    functional_course,
    functional_information,
    langevin_information,
    sgd_information,
    steady_state,
    weight_changes,
    weight_information,
)
from ntkcore.kernels import empirical_ntk
from ntkcore.regression import KernelRegression

CASES = [(30, 6, 1, False), (200, 20, 1, False), (200, 20, 10, False), (12, 5, 3, True)]
COURSE = [inf, *TIMES[::3]]


def close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    return bool(np.linalg.norm(found - expected) <= tolerance * np.linalg.norm(expected))


@pytest.mark.parametrize("ridge", [1e-3, 1.0])
@pytest.mark.parametrize(("n", "m", "k", "blocks"), CASES)
def test_functional_information_is_the_mean_squared_change_of_the_outputs(n: int, m: int, k: int, blocks: bool, ridge: float) -> None:
    train, test, y, start, _ = problem(n, m, k, blocks)
    whole, moved = followed(train, test, y - start, ridge, COURSE), {time: np.empty((n, m, k)) for time in COURSE}
    for i in range(n):
        rest = np.delete(np.arange(n), i)
        without = followed(train[np.ix_(rest, rest)], test[:, rest], (y - start)[rest], ridge, COURSE)
        for time in COURSE:
            moved[time][i] = whole[time] - without[time]
    regression = KernelRegression(train, y, ridge, start)
    course = functional_course(regression, test, COURSE, sigma=0.5)
    for time, found in zip(COURSE, course, strict=True):
        expected = np.square(moved[time]).sum(2).mean(1) / (2 * 0.25)
        assert close(found, expected, 1e-8)
        if n < 200:
            assert close(functional_information(regression, test, time, 0.5), expected, 1e-8)


def trained(jacobian: np.ndarray, y: np.ndarray, ridge: float, times: list[float]) -> np.ndarray:
    """Weights (T, d, c), from w0 = 0, by a matrix function in weight space: ``(I - e^(-τ H)) H⁺ Jᵀ y``."""
    values, vectors = scipy.linalg.eigh(jacobian.T @ jacobian + ridge * np.eye(jacobian.shape[1]))
    turned, inside = vectors.T @ (jacobian.T @ y), values > 1e-13 * values[-1]
    grown = [np.ones_like(values) if time == inf else -np.expm1(-time * values) for time in times]
    return np.stack([vectors @ ((np.where(inside, g, 0) / np.where(inside, values, 1))[:, None] * turned) for g in grown])


def changes(jacobian: np.ndarray, y: np.ndarray, k: int, blocks: bool, ridge: float, times: list[float]) -> np.ndarray:
    """(T, n, d, c) w - w without each sample."""
    side, rows = (k if blocks else 1), y.reshape(-1, 1) if blocks else y
    whole, found = trained(jacobian, rows, ridge, times), []
    for i in range(len(y)):
        rest = np.delete(np.arange(len(rows)), slice(i * side, i * side + side))
        found.append(whole - trained(jacobian[rest], rows[rest], ridge, times))
    return np.stack(found, 1)


@pytest.mark.parametrize("ridge", [1e-3, 1.0])
@pytest.mark.parametrize(("n", "k", "blocks"), [(24, 3, False), (9, 3, True), (200, 1, False), (200, 10, False)])
def test_weight_information_is_the_squared_change_of_explicit_weights(n: int, k: int, blocks: bool, ridge: float) -> None:
    jacobian, kernel, y = linear_model(n, k, blocks)
    regression = KernelRegression(kernel, y, ridge)
    expected = np.square(changes(jacobian, y, k, blocks, ridge, COURSE)).sum((2, 3))
    for time, squares in zip(COURSE, expected, strict=True):
        assert close(weight_changes(regression, time), squares, 1e-8)
    assert close(weight_information(regression, inf, sigma=2.0), expected[0] / 8, 1e-8)


@pytest.mark.parametrize(("n", "k", "blocks"), [(24, 3, False), (9, 3, True)])
def test_langevin_information_weighs_the_change_by_the_hessian(n: int, k: int, blocks: bool) -> None:
    jacobian, kernel, y = linear_model(n, k, blocks)
    moved = changes(jacobian, y, k, blocks, 0.3, [inf])[0]
    hessian = jacobian.T @ jacobian + 0.3 * np.eye(jacobian.shape[1])
    expected = np.einsum("ido,de,ieo->i", moved, hessian, moved) * 5 / (0.1 * 4)
    assert close(langevin_information(KernelRegression(kernel, y, 0.3), rate=0.1, batch=5, sigma=2.0), expected, 1e-8)


def few_weights(n: int, k: int, blocks: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As :func:`linear_model`, of 6 weights, fewer than samples times outputs."""
    jacobian, _, y = linear_model(n, k, blocks)
    jacobian = jacobian[:, :6]
    kernel = jacobian @ jacobian.T
    return jacobian, kernel.reshape(n, k, n, k).transpose(0, 2, 1, 3) if blocks else kernel, y


def repeating(n: int, k: int, blocks: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As :func:`linear_model`, the first two samples twice, with other targets."""
    jacobian, _, y = linear_model(n, k, blocks)
    side = k if blocks else 1
    jacobian[-2 * side :] = jacobian[: 2 * side]
    kernel = jacobian @ jacobian.T
    return jacobian, kernel.reshape(n, k, n, k).transpose(0, 2, 1, 3) if blocks else kernel, y


@pytest.mark.parametrize("make", [linear_model, few_weights, repeating])
@pytest.mark.parametrize(("n", "k", "blocks"), [(14, 1, False), (9, 2, False), (7, 2, True)])
def test_sgd_information_is_that_of_a_lyapunov_solution_over_all_weights(n: int, k: int, blocks: bool, make: Callable) -> None:
    jacobian, kernel, y = make(n, k, blocks)
    ridge, rate, batch = 0.3, 0.1, 5
    weights = trained(jacobian, y.reshape(-1, 1) if blocks else y, ridge, [inf])[0]
    errors = (jacobian @ weights).reshape(n, k) - y
    if blocks:
        gradients = np.einsum("iod,io->id", jacobian.reshape(n, k, -1), errors)
        full, moved = jacobian, changes(jacobian, y, k, blocks, ridge, [inf])[0, :, :, 0]
    else:  # the weights of all outputs in one vector
        gradients = np.einsum("id,io->ido", jacobian, errors).reshape(n, -1)
        full = np.einsum("id,op->iodp", jacobian, np.eye(k)).reshape(n * k, -1)
        moved = changes(jacobian, y, k, blocks, ridge, [inf]).reshape(n, -1)
    hessian = full.T @ full + ridge * np.eye(full.shape[1])
    noise = gradients.T @ gradients / n - np.outer(gradients.mean(0), gradients.mean(0))
    covariance = scipy.linalg.solve_continuous_lyapunov(hessian, rate / batch * noise)
    assert np.linalg.norm(hessian @ covariance + covariance @ hessian - rate / batch * noise) <= 1e-10 * np.linalg.norm(noise)

    regression = KernelRegression(kernel, y, ridge)
    found = steady_state(regression, rate=rate, batch=batch)
    assert len(found.hessian) == np.linalg.matrix_rank(full)
    span = np.linalg.svd(full)[2][: len(found.hessian)]
    np.testing.assert_allclose(
        np.linalg.eigvalsh(found.covariance), np.linalg.eigvalsh(span @ covariance @ span.T), rtol=1e-6, atol=1e-12 * found.covariance.max()
    )
    assert np.linalg.eigvalsh(found.covariance)[0] > 0
    residual = found.hessian[:, None] * found.covariance + found.covariance * found.hessian - rate / batch * found.noise
    assert np.linalg.norm(residual) <= 1e-13 * np.linalg.norm(found.noise)
    inside = moved @ span.T
    expected = np.einsum("ia,ia->i", inside, np.linalg.solve(span @ covariance @ span.T, inside.T).T) / 2
    condition = np.linalg.cond(span @ covariance @ span.T)
    assert close(sgd_information(regression, rate=rate, batch=batch), expected, 10 * condition * np.finfo(float).eps)


@pytest.mark.parametrize(("n", "k", "blocks"), [(9, 2, False), (7, 2, True)])
def test_covariance_at_a_time_is_that_of_a_loop_of_explicit_steps(n: int, k: int, blocks: bool) -> None:
    """``Σ ← (I - ε H) Σ (I - ε H) + ε (η/b) Λ`` from 0, Λ at w_τ, over 2 and 4 thousand steps of ε: an error of the order of ε, of which
    Richardson's extrapolation leaves that of ε²: (ε h_max)² / steps, some 1e-6."""
    jacobian, kernel, y = linear_model(n, k, blocks)
    ridge, rate, batch, time = 0.3, 0.1, 5, 0.2
    regression = KernelRegression(kernel, y, ridge)
    found = steady_state(regression, rate=rate, batch=batch, time=time)
    span, loops = np.eye(len(found.hessian)), []
    for steps in (2000, 4000):
        step = span - time / steps * np.diag(found.hessian)
        covariance = np.zeros_like(span)
        for _ in range(steps):
            covariance = step @ covariance @ step + time / steps * rate / batch * found.noise
        loops.append(covariance)
    assert close(found.covariance, 2 * loops[1] - loops[0], 1e-5)
    basis = found_basis(regression, jacobian, k, blocks)
    errors = regression.fitted(time) - y
    rows = jacobian.reshape(n, k, -1) if blocks else np.einsum("id,op->iodp", jacobian, np.eye(k)).reshape(n, k, -1)
    gradients = np.einsum("iod,io->id", rows, errors) @ basis
    np.testing.assert_allclose(found.noise, np.cov(gradients.T, bias=True), atol=1e-10 * found.noise.max())
    inside = changes(jacobian, y, k, blocks, ridge, [time])[0].reshape(n, -1) @ basis
    expected = np.einsum("ia,ia->i", inside, np.linalg.solve(found.covariance, inside.T).T) / 2
    condition = np.linalg.cond(found.covariance)
    assert close(sgd_information(regression, rate=rate, batch=batch, time=time), expected, max(1e-8, 10 * condition * np.finfo(float).eps))


def found_basis(regression: KernelRegression, jacobian: np.ndarray, k: int, blocks: bool) -> np.ndarray:
    """(d c, r) the basis of :func:`steady_state` in weight space: right singular vectors, each once for every output."""
    values, vectors = regression.eigen
    right = jacobian.T @ vectors / np.sqrt(values)
    return right if blocks else np.kron(right, np.eye(k))


@pytest.mark.parametrize(("n", "k", "blocks"), [(24, 3, False), (9, 3, True)])
def test_langevin_information_at_a_time_has_the_noise_until_then(n: int, k: int, blocks: bool) -> None:
    """Σ of a loop of 20000 steps, as of SGD's noise, in the basis where it is diagonal: off by ε h_max of itself, 1e-3 at most."""
    jacobian, kernel, y = linear_model(n, k, blocks)
    ridge, rate, batch, sigma, time, steps = 0.3, 0.1, 5, 2.0, 0.2, 20_000
    values, vectors = np.linalg.eigh(jacobian.T @ jacobian)
    covariance = np.zeros_like(values)
    for _ in range(steps):
        covariance = np.square(1 - time / steps * (values + ridge)) * covariance + time / steps * rate / batch * sigma**2
    moved = np.einsum("ido,da->iao", changes(jacobian, y, k, blocks, ridge, [time])[0], vectors)
    expected = (np.square(moved) / covariance[:, None]).sum((1, 2)) / 2
    found = langevin_information(KernelRegression(kernel, y, ridge), rate=rate, batch=batch, sigma=sigma, time=time)
    np.testing.assert_allclose(found, expected, rtol=time / steps * (values[-1] + ridge))


def test_what_has_no_steady_state_is_refused() -> None:
    _, kernel, y = linear_model(12, 1, False)
    with pytest.raises(ComputationError, match="no noise"):
        sgd_information(KernelRegression(kernel, y, 0.0), rate=0.1)
    _, few, targets = few_weights(14, 1, False)
    with pytest.raises(ComputationError, match="no inverse here: images repeat each other, or are more than the network has weights"):
        sgd_information(KernelRegression(few, targets, 0.0), rate=0.1)
    for gone in (KernelRegression(kernel, np.zeros((12, 1)), 0.1), KernelRegression(kernel[:1, :1], y[:1], 0.1)):
        with pytest.raises(ComputationError, match="gradients are alike"):
            sgd_information(gone, rate=0.1)
    with pytest.raises(ComputationError, match="information would be infinite"):  # of n alike directions n - 1 have noise
        sgd_information(KernelRegression(np.eye(5), y[:5], 0.1), rate=0.1)
    large = np.eye(700)
    with pytest.raises(ComputationError, match="7,000 directions"):
        steady_state(KernelRegression(large, np.zeros((700, 10)), 0.1), rate=0.1)
    for wrong in (0.0, -1.0, inf, float("nan")):
        with pytest.raises(ValueError, match="rate"):
            langevin_information(KernelRegression(kernel, y, 0.1), rate=wrong)
        with pytest.raises(ValueError, match="sigma"):
            functional_information(KernelRegression(kernel, y, 0.1), kernel, sigma=wrong)


def test_targets_that_sum_to_nothing_leave_the_sum_of_the_outputs_out() -> None:
    """Centred one-hot: neither SGD nor a removal moves it, so that information is that of k - 1 outputs, whichever the basis.

    Σ's condition number, below 1e6 without that direction, multiplies roundings.
    """
    _, kernel, y = linear_model(12, 3, False)
    y -= y.mean(1, keepdims=True)
    basis = np.linalg.qr(np.concatenate([np.ones((3, 1)), np.eye(3)[:, :2]], axis=1))[0][:, 1:]
    found = sgd_information(KernelRegression(kernel, y, 0.3), rate=0.1)
    assert close(found, sgd_information(KernelRegression(kernel, y @ basis, 0.3), rate=0.1), 1e-8)


def test_directions_that_single_precision_hides_are_not_taken_for_none() -> None:
    """Six weights: the other eigenvalues are roundings of 1e-7; that there are six has to be said. Roundings of 1e-7 of entries of 1 move
    eigenvalues of 1e-2 and more, and with λ = 0.3 all that follows, by 1e-4 at most."""
    _, kernel, y = few_weights(14, 1, False)
    exact = sgd_information(KernelRegression(kernel, y, 0.3), rate=0.1)
    single = KernelRegression(kernel.astype(np.float32), y, 0.3)
    with pytest.raises(ComputationError, match=r"8 of the 14 directions .* hidden by the rounding of a kernel in float32"):
        sgd_information(single, rate=0.1)
    assert close(sgd_information(single, rate=0.1, weights=6), exact, 1e-4)


@pytest.mark.parametrize("ridge", [1e-3, 1.0])
@pytest.mark.parametrize("k", [1, 3])
def test_information_of_a_network_is_that_of_its_explicit_linearised_weights(k: int, ridge: float) -> None:
    """Weights trained one set of samples at a time in the space of all parameters; outputs f0 + J (w - w0)."""
    model, x, jacobian, start, y = small_network(k)
    n, courses = 20, [inf, 0.01, 0.3, 5.0, 200.0]
    kernels = [np.asarray(empirical_ntk(model, *part, outputs="full").values) for part in ((x[:n],), (x[n:], x[:n]))]
    regression = KernelRegression(kernels[0], y, ridge, start[:n])
    flat = jacobian[:n].reshape(n * k, -1)
    moved = changes(flat, y - start[:n], k, True, ridge, courses)[..., 0]  # (T, n, P)
    outputs = np.einsum("xop,tip->tixo", jacobian[n:], moved)
    for place, time in enumerate(courses):
        assert close(weight_changes(regression, time), np.square(moved[place]).sum(1), 1e-8)
        expected = np.square(outputs[place]).sum(2).mean(1) / 2
        assert close(functional_information(regression, kernels[1], time), expected, 1e-8)


def test_outputs_or_kernels_of_another_number_of_classes_are_refused() -> None:
    """A head that does not fit the targets: of three outputs, where the targets have two."""
    _, kernel, y = linear_model(8, 3, True)
    with pytest.raises(ValueError, match="k_train: expected blocks of 2 x 2"):
        KernelRegression(kernel, y[:, :2])
    with pytest.raises(ValueError, match=r"f_init: expected shape \(8, 2\), got \(8, 3\)"):
        KernelRegression(kernel[:, :, 0, 0], y[:, :2], 1.0, np.zeros((8, 3)))
    regression = KernelRegression(kernel, y, 1.0)
    with pytest.raises(ValueError, match="k_test_train"):
        functional_information(regression, kernel[:, :, :2, :2])


def test_duplicates_have_no_unique_information_and_one_sample_all_of_it() -> None:
    """At λ → 0 either of two copies can go; of a single sample nothing is left without it, and nothing to regress on."""
    jacobian, _, y = linear_model(10, 1, False)
    twice, again = np.concatenate([jacobian, jacobian[:1]]), np.concatenate([y, y[:1]])
    regression = KernelRegression(twice @ twice.T, again, 1e-8)
    held_out = np.random.default_rng(2).standard_normal((4, jacobian.shape[1])) @ twice.T
    found = functional_information(regression, held_out)
    assert max(found[0], found[10]) < 1e-10 * found[1:10].min()
    alone = KernelRegression(np.array([[2.0]]), np.array([[3.0]]), 0.0)
    np.testing.assert_allclose(functional_information(alone, np.array([[1.0]])), [(3 / 2) ** 2 / 2])
    np.testing.assert_allclose(functional_information(alone, np.array([[1.0]]), 0.25), [(1.5 * (1 - np.exp(-0.5))) ** 2 / 2], rtol=1e-9)
    singular = KernelRegression(twice @ twice.T, again, 0.0)
    with pytest.raises(ComputationError, match="singular"):
        functional_information(singular, held_out)
    with pytest.raises(ComputationError, match="NaN"):
        functional_information(KernelRegression(jacobian @ jacobian.T, y, 1.0), np.full((3, 10), np.nan), 1.0)
