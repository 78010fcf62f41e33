"""Closed forms are recognised by what is computed, and held against plain autograd of what was rounded alike."""

import numpy as np
import pytest
import torch
from kernel_test_networks import X, jacobians, of, require_right
from torch import Tensor, nn

from ntkcore.kernels import FallbackWarning, empirical_ntk, layer_plan, ntk_diagonal
from ntkcore.kernels.layers import depthwise


class Beside(torch.autograd.Function):
    """The same values, with a gradient that is ``factor`` times as large: for samples beside others."""

    @staticmethod
    def forward(ctx: object, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor  # type: ignore[attr-defined]
        return x.clone()

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return ctx.factor * gradient, None  # type: ignore[attr-defined]


def beside(factor: float) -> nn.Module:
    """A network of which a sample beside others has other gradients in the first layer, as rounding at a kink makes them."""
    return of(lambda net, x: net.b(torch.tanh(Beside.apply(net.a(x), factor if len(x) > 1 else 1.0)))).float()


def test_a_kink_between_two_roundings_is_no_disagreement() -> None:
    model = beside(1.01)
    assert {entry.form for entry in layer_plan(model, X.float()).entries} == {"factored"}


@pytest.mark.parametrize(("factor", "dtype"), [(1.1, torch.float32), (1.01, torch.float64)])
def test_more_than_a_kink_makes_is_one(factor: float, dtype: torch.dtype) -> None:
    model = beside(factor).to(dtype)
    reasons = {entry.parameter: entry.reason for entry in layer_plan(model, X.to(dtype)).formed}
    assert set(reasons) == {"a.weight", "a.bias"}
    assert all("disagrees" in reason for reason in reasons.values())


def test_one_sample_alone_may_be_computed_otherwise() -> None:
    """A linear layer on steps first is one operation for one sample, and two for several."""
    model = of(lambda net, x: net.b(torch.tanh(net.a(x.unflatten(1, (2, 2)).transpose(0, 1))).mean(0)), a=nn.Linear(2, 5))
    x = torch.randn(5, 4, dtype=torch.float64)
    assert {entry.form for entry in layer_plan(model, x).entries} == {"factored"}
    require_right(model, x)
    require_right(model, x[:1])
    expected = ntk_diagonal(model, x)
    np.testing.assert_allclose(ntk_diagonal(model, x, batch_size=2), expected, rtol=1e-12)  # the last batch is of one


def test_a_subclass_that_computes_something_else_is_formed() -> None:
    class Masked(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.linear(x, self.weight * (self.weight > 0), self.bias)

    model = of(lambda net, x: net.b(torch.tanh(net.a(x))), a=Masked(4, 5))
    with pytest.warns(FallbackWarning, match="a.weight"):
        found = empirical_ntk(model, X).values
    j = jacobians(model, X).sum(1) / np.sqrt(2)
    np.testing.assert_allclose(found, j @ j.T, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("threads", [1, 2])
def test_depthwise_kernels_by_one_convolution(threads: int) -> None:
    """In float32, against the products of float64; the roundings of sums of some hundred numbers."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Conv2d(20, 20, 5, 2, 2, groups=20), nn.Softplus(), nn.Conv2d(20, 20, (3, 4), groups=20), nn.Flatten(), nn.Linear(320, 2)
        model, x = nn.Sequential(*layers).eval(), torch.randn(7, 20, 12, 13)
    assert {entry.reason for entry in layer_plan(model, x).entries} >= {depthwise.DepthwisePrepared.method}
    expected = empirical_ntk(model, x, outputs="full", dtype=torch.float64).values
    found = empirical_ntk(model, x, outputs="full").values
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)
    norms = ntk_diagonal(model, x, reduction="none")
    np.testing.assert_allclose(norms, np.einsum("iioo->io", expected), rtol=1e-4)
    torch.set_num_threads(before)
