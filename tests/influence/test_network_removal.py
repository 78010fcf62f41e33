"""Where removals would move a network, against explicit matrices, Newton's step, and the closed form of a linear model; float64."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev

from ntkcore.errors import Cancelled, ComputationError, DataError
from ntkcore.influence import Lissa, System
from ntkcore.influence.network_removal import removal_moves
from ntkcore.information.influence_functions import influence_shifts, influence_weight_changes
from ntkcore.kernels import empirical_ntk
from ntkcore.regression import KernelRegression

N, M, D, RIDGE = 9, 5, 4, 3.0


def samples(k: int = 2):
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((N, D), (N, k), (M, D))]


def small(k: int = 2) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(D, 6), nn.Tanh(), nn.Linear(6, k)).double()


def explicit(model: nn.Module, x, y, z, curvature: str, ridge: float):
    """Δ (n, P), and J(x) Δ (n, m, k), in the formula's own words."""
    named = {name: p.detach() for name, p in model.named_parameters()}
    theta = torch.cat([p.flatten() for p in named.values()])

    def outputs(vector, inputs):
        parts = vector.split([p.numel() for p in named.values()])
        return functional_call(model, {n: v.reshape(p.shape) for (n, p), v in zip(named.items(), parts, strict=True)}, (inputs,))

    def losses(vector):
        return (outputs(vector, x) - y).square().sum(1) / 2

    rows = jacrev(outputs)(theta, x).flatten(0, 1)
    matrix = rows.T @ rows if curvature == "gauss-newton" else jacrev(jacrev(lambda v: losses(v).sum()))(theta)
    moves = torch.linalg.solve(matrix + ridge * torch.eye(len(theta), dtype=torch.float64), jacrev(losses)(theta).T).T
    return moves.numpy(), torch.einsum("mkp,ip->imk", jacrev(outputs)(theta, z), moves).numpy(), torch.linalg.eigvalsh(matrix)


@pytest.mark.parametrize("curvature", ["hessian", "gauss-newton"])
def test_moves_are_the_explicit_formula(curvature):
    """Residuals of 1e-12, times a condition number below 100."""
    x, y, z = samples()
    lowest = float(explicit(small(), x, y, z, curvature, 0.0)[2][0])
    ridge = RIDGE + max(0.0, -2 * lowest)
    moves, outputs, _ = explicit(small(), x, y, z, curvature, ridge)
    found = removal_moves(small(), x, y, z, [0, 4, 8], System(ridge, curvature, tolerance=1e-12))
    np.testing.assert_allclose(found.weights, np.square(moves[[0, 4, 8]]).sum(1), rtol=1e-9)
    np.testing.assert_allclose(found.outputs, outputs[[0, 4, 8]], rtol=1e-8, atol=1e-11)
    assert (found.residuals < 1e-11).all() and (found.iterations > 0).all()


@pytest.mark.parametrize("k", [1, 2])
def test_gauss_newton_follows_from_the_kernel_at_the_trained_weights(k):
    """Push-through: the same numbers from n k unknowns as from P; single precision nowhere."""
    x, y, z = samples(k)
    model = small(k)
    moves, outputs, _ = explicit(model, x, y, z, "gauss-newton", 0.2)
    form = "pseudo" if k == 1 else "full"
    kernels = [empirical_ntk(model, *pair, outputs=form).values for pair in ((x,), (z, x))]
    errors = (model(x) - y).detach().numpy()
    fitted = KernelRegression(kernels[0], y.numpy(), 0.2, model(x).detach().numpy())
    np.testing.assert_allclose(influence_weight_changes(fitted, errors), np.square(moves).sum(1), rtol=1e-9)
    np.testing.assert_allclose(influence_shifts(fitted, kernels[1], errors), np.square(outputs).sum((1, 2)), rtol=1e-9)
    with pytest.raises(ValueError, match="errors"):
        influence_shifts(fitted, kernels[1], errors[:-1])


def test_of_a_linear_model_it_is_newtons_step_and_the_exact_change_but_for_the_leverage():
    """At the minimum of ridge regression removing i moves θ exactly by Δ_i / (1 - leverage_i) (Cook 1977)."""
    x, y, z = samples(1)
    gram = x.T @ x + RIDGE * torch.eye(D, dtype=torch.float64)
    model = nn.Linear(D, 1, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.linalg.solve(gram, x.T @ y).T)
    found = removal_moves(model, x, y, z, list(range(N)), System(RIDGE, tolerance=1e-13))
    for i in range(N):
        rest = [j for j in range(N) if j != i]
        without = torch.linalg.solve(x[rest].T @ x[rest] + RIDGE * torch.eye(D, dtype=torch.float64), x[rest].T @ y[rest])
        leverage = float(x[i] @ torch.linalg.solve(gram, x[i]))
        change = (without.T - model.weight).detach().numpy() * (1 - leverage)
        np.testing.assert_allclose(found.weights[i], np.square(change).sum(), rtol=1e-9)
        np.testing.assert_allclose(found.outputs[i], z.numpy() @ change.T, rtol=1e-8, atol=1e-12)


def test_lissa_with_all_samples_in_every_step_is_its_recursion():
    """``(I - (I - A / s)^(d + 1)) A^-1 v``: what is left of the recursion after d steps."""
    x, y, z = samples()
    moves, _, values = explicit(small(), x, y, z, "gauss-newton", RIDGE)
    scale, depth = 1.5 * float(values[-1] + RIDGE), 40
    named = list(small().parameters())
    size = sum(p.numel() for p in named)
    found = removal_moves(small(), x, y, z, [2], System(RIDGE, "gauss-newton", Lissa(scale, depth, N, 1, 0)))
    matrix = _curvature(x) + RIDGE * np.eye(size)
    left = np.linalg.matrix_power(np.eye(size) - matrix / scale, depth + 1)
    np.testing.assert_allclose(found.weights[0], np.square(moves[2] - left @ moves[2]).sum(), rtol=1e-9)
    assert found.iterations.tolist() == [depth]


def _curvature(x):
    model = small()
    weights = list(model.parameters())
    outputs = model(x).flatten()
    rows = [torch.cat([g.flatten() for g in torch.autograd.grad(one, weights, retain_graph=True)]) for one in outputs]
    jacobian = torch.stack(rows)
    return (jacobian.T @ jacobian).numpy()


def test_chunks_do_not_matter(monkeypatch):
    x, y, z = samples()
    whole = removal_moves(small(), x, y, z, [1, 3, 5], System(30.0, tolerance=1e-12))
    monkeypatch.setattr("ntkcore.influence.products.NetworkLoss.side", lambda self: 2)
    told = []
    apart = removal_moves(small(), x, y, z, [1, 3, 5], System(30.0, tolerance=1e-12), progress=lambda done, of: told.append((done, of)))
    np.testing.assert_allclose(apart.weights, whole.weights, rtol=1e-10)
    assert told and all(done <= of == 2000 for done, of in told)


def test_what_cannot_be_is_said():
    x, y, z = samples()
    with pytest.raises(DataError, match="cannot be removed"):
        removal_moves(small(), x, y, z, [N], System(1.0))
    with pytest.raises(DataError, match="cannot be removed"):
        removal_moves(small(), x, y, z, [], System(1.0))
    with pytest.raises(ComputationError, match="not positive definite"):
        removal_moves(small(), x, 10 * y, z, list(range(N)), System(0.0, tolerance=1e-12))

    def stop(done, of):
        raise Cancelled

    with pytest.raises(Cancelled):
        removal_moves(small(), x, y, z, [0], System(RIDGE + 50), progress=stop)
