"""IHVP on a network against explicit curvature matrices, against kernel regression where the network is linear, and LiSSA's statistics."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev

from ntkcore.errors import Cancelled, ComputationError, DataError, ModelError
from ntkcore.influence import System, ihvp_influence
from ntkcore.influence.iterative import largest_eigenvalue
from ntkcore.influence.network import Lissa, ihvp_network
from ntkcore.influence.products import NetworkLoss
from ntkcore.kernels import engine
from ntkcore.regression import KernelRegression

N, M, K, D = 9, 5, 2, 4


def data(n=N, m=M, k=K, d=D, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((n, d), (n, k), (m, d), (m, k))]


def small(seed=0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(D, 6), nn.Tanh(), nn.Linear(6, K)).double()


class Images(nn.Module):
    """Convolutions with a residual, BatchNorm in eval mode, a tied and a frozen weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.again = nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 3, padding=1, bias=False)
        self.head, self.frozen = nn.Linear(2, K), nn.Linear(K, K)
        self.frozen.requires_grad_(False)
        self.norm.running_mean.normal_()

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.norm(self.first(x.unflatten(1, (1, 2, 2)))))
        x = x + torch.tanh(self.again(torch.relu(self.again(x))))
        return self.frozen(self.head(x.mean((2, 3))))


def images() -> nn.Module:
    torch.manual_seed(1)
    return Images().double().eval()


class Linearised(nn.Module):
    """A two-layer ReLU network linearised at its first weights: linear in the parameters, f(x) = f0(x) + J(x) (W - W0)."""

    def __init__(self, width: int = 30) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.register_buffer("initial", torch.randn(width, D, generator=generator, dtype=torch.float64))
        self.register_buffer("head", torch.randn(K, width, generator=generator, dtype=torch.float64) / width**0.5)
        self.weight = nn.Parameter(self.initial.clone())

    def forward(self, x: Tensor) -> Tensor:
        return ((x @ self.initial.T > 0) * (x @ self.weight.T)) @ self.head.T


def flat(model: nn.Module):
    """(P,) trained parameters, and the function from such a vector and samples to outputs."""
    named = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}

    def outputs(vector: Tensor, x: Tensor) -> Tensor:
        parts = vector.split([p.numel() for p in named.values()])
        return functional_call(model, {name: v.reshape(p.shape) for (name, p), v in zip(named.items(), parts, strict=True)}, (x,))

    return torch.cat([p.flatten() for p in named.values()]), outputs


def explicit(model: nn.Module, x, y, z, t, ridge, curvature):
    """(n, m), and the curvature matrix with λ, in the formula's own words."""
    theta, outputs = flat(model)

    def losses(vector: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return (outputs(vector, x) - y).square().sum(1) / 2

    if curvature == "hessian":
        matrix = jacrev(jacrev(lambda v: losses(v, x, y).sum()))(theta)
    else:
        rows = jacrev(outputs)(theta, x).flatten(0, 1)
        matrix = rows.T @ rows
    matrix = matrix + ridge * torch.eye(len(theta), dtype=torch.float64)
    train, test = jacrev(losses)(theta, x, y), jacrev(losses)(theta, z, t)
    return (train @ torch.linalg.solve(matrix, test.T)).numpy(), matrix


def distance(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("make", [small, images])
@pytest.mark.parametrize("curvature", ["hessian", "gauss-newton"])
def test_cg_is_the_explicit_formula(make, curvature):
    """Residuals of 1e-12; the condition number, λ_max / λ, below 100, may multiply them."""
    model, samples = make(), data()
    _, matrix = explicit(model, *samples, 0.0, curvature)
    values = torch.linalg.eigvalsh(matrix)
    ridge = float(values[-1] / 50 + (-values[0]).clamp_min(0) * 1.5)
    expected, _ = explicit(model, *samples, ridge, curvature)
    found = ihvp_network(model, *samples, System(ridge, curvature, tolerance=1e-12))
    assert found.values.dtype == np.float64 and found.values.shape == (N, M)
    assert distance(found.values, expected) < 1e-10
    assert found.converged.all() and (found.residuals <= 1e-12).all()
    assert ((found.iterations > 0) & (found.iterations <= len(matrix) + 10)).all()
    assert (found.system, found.lissa, found.spread) == (System(ridge, curvature, tolerance=1e-12), None, None)


def test_the_curvatures_differ_where_residuals_do_not_vanish():
    samples = data()
    one, other = (explicit(small(), *samples, 20.0, c)[0] for c in ("hessian", "gauss-newton"))
    assert distance(one, other) > 1e-3


@pytest.mark.parametrize("curvature", ["hessian", "gauss-newton"])
def test_products_are_those_of_the_matrix_in_pieces_of_any_size(curvature, monkeypatch):
    model, (x, y, _, _) = images(), data()
    _, matrix = explicit(model, x, y, x, y, 0.0, curvature)
    vectors = torch.randn(3, len(matrix), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for budget in (1, 2**30):
        monkeypatch.setitem(engine.BATCH_BYTES, "cpu", budget)
        loss = NetworkLoss(model, x, y)
        for some in (vectors, vectors[:1]):
            assert torch.allclose(loss.product(some, curvature), some @ matrix, rtol=1e-10, atol=1e-10)
    theta, outputs = flat(model)
    rows = jacrev(outputs)(theta, x)
    assert torch.allclose(loss.along(vectors), torch.einsum("nkp,cp->cnk", rows, vectors), rtol=1e-10, atol=1e-12)
    assert torch.allclose(loss.gradient(), torch.einsum("nkp,nk->p", rows, outputs(theta, x) - y), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("make", [Linearised, lambda: nn.Linear(D, K).double()], ids=["two-layer", "linear"])
@pytest.mark.parametrize("ridge", [0.1, 3.0])
@pytest.mark.parametrize("curvature", ["hessian", "gauss-newton"])
def test_a_network_linear_in_its_parameters_gives_the_kernels_ihvp(make, ridge, curvature):
    """At the minimum of the regularised loss, eq. 12 is eq. 13: residuals of 1e-10 times λ_max / λ of a few hundred, below 1e-8."""
    model, (x, y, z, t) = make(), data()
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    theta, outputs = flat(model)
    rows, other = (jacrev(outputs)(theta, samples) for samples in (x, z))
    before, before_test = outputs(theta, x), outputs(theta, z)
    kernel, cross = (torch.einsum("iop,jqp->ijoq", a, rows).numpy() for a in (rows, other))
    regression = KernelRegression(kernel, y.numpy(), ridge, before.detach().numpy())
    with torch.no_grad():
        matrix = torch.from_numpy(kernel.transpose(0, 2, 1, 3).reshape(N * K, N * K)) + ridge * torch.eye(N * K, dtype=torch.float64)
        pull = rows.flatten(0, 1).T @ torch.linalg.solve(matrix, (y - before).flatten())
        nn.utils.vector_to_parameters(theta + pull, model.parameters())
    found = ihvp_network(model, x, y, z, t, System(ridge, curvature), start=start)
    expected = ihvp_influence(regression, cross, t.numpy(), before_test.detach().numpy())
    assert distance(found.values, expected) < 1e-8
    assert found.stationarity < 1e-12
    nudged = ihvp_network(model, x, y, z, t, System(ridge, curvature), start={name: p + 0.1 for name, p in start.items()})
    assert nudged.stationarity > 1e-3
    assert np.array_equal(nudged.values, found.values)


def test_float32_is_float64_to_its_tolerance():
    samples = data()
    one = ihvp_network(small(), *samples, System(30.0))
    other = ihvp_network(small().float(), *samples, System(30.0))
    assert other.converged.all() and other.values.dtype == np.float64
    assert distance(other.values, one.values) < 1e-3  # residuals of 1e-4, a condition number below ten


def test_negative_curvature_is_said_with_the_remedy():
    samples = data()
    _, matrix = explicit(small(), *samples, 0.0, "hessian")
    least = float(torch.linalg.eigvalsh(matrix)[0])
    assert least < -0.1
    with pytest.raises(ComputationError, match=r"not positive definite.*λ well above.*Gauss-Newton"):
        ihvp_network(small(), *samples, System(0.01))
    ihvp_network(small(), *samples, System(0.01, "gauss-newton"))


def test_an_unfinished_solve_says_so():
    found = ihvp_network(small(), *data(), System(0.01, "gauss-newton", max_iterations=2))
    assert not found.converged.any() and (found.iterations == 2).all() and (found.residuals > 1e-6).all()


def test_blocks_of_test_samples_change_nothing(monkeypatch):
    whole = ihvp_network(small(), *data(), System(30.0))
    monkeypatch.setitem(engine.BATCH_BYTES, "cpu", 1)
    calls = []
    parts = ihvp_network(small(), *data(), System(30.0), progress=lambda done, total: calls.append((done, total)))
    assert distance(parts.values, whole.values) < 1e-9
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert {total for _, total in calls} == {M * 1000} and calls[-1][0] <= M * 1000


def test_lissa_with_all_samples_converges_to_the_explicit_formula():
    """The slowest part shrinks by ``1 - λ / scale`` a step; after ``27 scale / λ`` steps it is e^-27 = 2e-12."""
    samples = data()
    expected, matrix = explicit(small(), *samples, 40.0, "hessian")
    values = torch.linalg.eigvalsh(matrix)
    scale = 1.1 * float(values[-1])
    options = Lissa(scale=scale, depth=int(27 * scale / float(values[0])), batch=N, repeats=1)
    found = ihvp_network(small(), *samples, System(40.0, lissa=options))
    assert distance(found.values, expected) < 1e-9
    assert found.spread is None and found.lissa.batch == N and found.lissa.repeats == 1
    assert found.converged.all() and (found.residuals < 1e-9).all() and (found.errors < 1e-9).all()


def test_lissas_own_scale_and_depth():
    samples = data()
    expected, matrix = explicit(small(), *samples, 5.0, "gauss-newton")
    largest = float(torch.linalg.eigvalsh(matrix)[-1])
    found = ihvp_network(small(), *samples, System(5.0, "gauss-newton", Lissa(batch=1000, repeats=2)))
    assert largest <= found.lissa.scale <= 1.11 * largest  # power iteration is from below and has a margin of a tenth
    assert found.lissa.depth == np.ceil(np.log(100) * found.lissa.scale / 5.0)
    assert found.lissa.batch == N
    assert distance(found.values, expected) < 0.02  # a hundredth of the slowest part
    assert np.abs(found.spread).max() < 1e-12  # nothing is random
    assert found.converged.all()


@pytest.mark.parametrize("repeats", [30, pytest.param(100, marks=pytest.mark.soak)])
@pytest.mark.parametrize("curvature", ["hessian", "gauss-newton"])
def test_lissas_mean_is_the_explicit_formula_within_its_own_error(curvature, repeats):
    """The recursion is linear in A_j and batches are independent, so its mean is that of all samples: no bias. With many repeats the
    mean is off by less than 5 standard errors in each of 45 pairs, and by about one in the middle."""
    samples = data()
    ridge = 80.0
    expected, matrix = explicit(small(), *samples, ridge, curvature)
    scale = 4 * float(torch.linalg.eigvalsh(matrix)[-1])  # a batch of 3 may have three times the curvature
    depth = int(10 * scale / float(torch.linalg.eigvalsh(matrix)[0]))  # e^-10 of the slowest part is missing
    found = ihvp_network(
        *(small(), *samples),
        System(ridge, curvature, Lissa(scale, depth, batch=3, repeats=repeats, seed=7)),
    )
    errors = np.abs(found.values - expected) / (found.spread / np.sqrt(repeats))
    assert errors.max() < 5
    assert 0.1 < np.median(errors) < 2
    assert (found.spread > 1e-4 * np.abs(expected)).all()


def test_lissas_seed_decides():
    def run(seed):
        return ihvp_network(small(), *data(), System(40.0, lissa=Lissa(batch=3, repeats=2, seed=seed, depth=20)))

    assert np.array_equal(run(1).values, run(1).values)
    assert not np.array_equal(run(1).values, run(2).values)


def test_lissas_divergence_is_said():
    samples = data()
    for ridge, options in ((40.0, Lissa(scale=1.0, depth=500)), (0.01, Lissa(scale=200.0, depth=20_000, batch=N))):
        with pytest.raises(ComputationError, match=r"LiSSA diverged by step \d+.*larger scale"):
            ihvp_network(small(), *samples, System(ridge, lissa=options))
    with pytest.raises(DataError, match="depth"):
        ihvp_network(small(), *samples, System(0.0, lissa=Lissa()))


@pytest.mark.parametrize("share", [-0.05, -0.01, -0.001, 0.001])
@pytest.mark.parametrize("options", [Lissa(batch=N, repeats=1), Lissa(batch=N, repeats=1, depth=200), Lissa(batch=4, repeats=4)])
def test_lissa_does_not_converge_where_the_least_curvature_is_negative_or_out_of_its_reach(share, options):
    """The least eigenvalue is -1/20 to 1/1000 of the Hessian's own least: small residuals, and values that are not the formula's."""
    samples = data()
    _, matrix = explicit(small(), *samples, 0.0, "hessian")
    ridge = -float(torch.linalg.eigvalsh(matrix)[0]) * (1 + share)
    expected, _ = explicit(small(), *samples, ridge, "hessian")
    found = ihvp_network(small(), *samples, System(ridge, lissa=options))
    assert (found.residuals <= found.tolerance).any()
    assert not found.converged[np.linalg.norm(found.values - expected, axis=0) > 0.1 * np.linalg.norm(expected, axis=0)].any()
    if share < 0:
        assert not found.converged.any() and np.isinf(found.errors).all()
        with pytest.raises(ComputationError, match="not positive definite"):
            ihvp_network(small(), *samples, System(ridge))


@pytest.mark.parametrize("curvature", ["hessian", "gauss-newton"])
@pytest.mark.parametrize("side", [1, 8])
def test_lissas_error_is_that_of_the_explicit_solution(curvature, side, monkeypatch):
    """Conjugate gradients leave 1e-10 of the right-hand side: errors of 1e-4 or more keep four digits at a condition below 100."""
    monkeypatch.setattr("ntkcore.influence.products.NetworkLoss.side", lambda self: side)
    samples = data()
    expected, matrix = explicit(small(), *samples, 12.0, curvature)
    options = Lissa(1.5 * float(torch.linalg.eigvalsh(matrix)[-1]), depth=12, batch=4, repeats=2)
    found = ihvp_network(small(), *samples, System(12.0, curvature, options))
    np.testing.assert_allclose(found.errors, np.linalg.norm(found.values - expected, axis=0) / np.linalg.norm(expected, axis=0), rtol=1e-4)
    assert np.array_equal(found.converged, (found.residuals <= 0.1) & (found.errors <= 0.1))


def test_lissa_that_is_not_judged_is_not_said_to_converge():
    found = ihvp_network(small(), *data(), System(40.0, lissa=Lissa(batch=N, repeats=1, depth=200)), judge=False)
    assert found.errors is None and not found.converged.any() and (found.residuals < 0.1).all()


def test_power_iteration():
    matrix = torch.diag(torch.tensor([3.0, -1.0, 0.5], dtype=torch.float64))
    assert largest_eigenvalue(lambda v: v @ matrix, 3, matrix) == pytest.approx(3.3, rel=1e-6)
    assert largest_eigenvalue(lambda v: 0 * v, 3, matrix) == 0


def test_a_test_sample_without_error_has_no_influence():
    x, y, z, _ = data()
    found = ihvp_network(small(), x, y, z, small()(z).detach(), System(30.0))
    assert np.abs(found.values).max() < 1e-15 and found.converged.all()  # errors of a rounding or two


def test_the_network_is_left_as_it_was_and_cancel_is_obeyed():
    model = small()
    before = [p.detach().clone() for p in model.parameters()]
    ihvp_network(model, *data(), System(30.0))
    assert all(torch.equal(p, b) and p.grad is None for p, b in zip(model.parameters(), before, strict=True))

    def stop(*_):
        raise Cancelled

    for options in ({"waiting": stop}, {"progress": stop}):
        with pytest.raises(Cancelled):
            ihvp_network(model, *data(), System(30.0), **options)


def test_what_cannot_be_used_is_refused():
    x, y, z, t = data()
    with pytest.raises(DataError, match="λ is -1"):
        ihvp_network(small(), x, y, z, t, System(-1))
    with pytest.raises(DataError, match=r"\(9, 2\)"):
        ihvp_network(small(), x, y[:, :1], z, t, System(1))
    with pytest.raises(DataError, match="other parameters"):
        ihvp_network(small(), x, y, z, t, System(1, "gauss-newton"), start={})
    with pytest.raises(ModelError, match=r"eval\(\)"):
        ihvp_network(images().train(), x, y, z, t, System(1))
    for wrong in ({"batch": 0}, {"repeats": 0}, {"depth": 0}, {"scale": 0.0}):
        with pytest.raises(ValueError, match="expected"):
            Lissa(**wrong)
