"""The paper's two-layer network: its definition, its draw, and its kernel's limit."""

import numpy as np
import pytest
import torch

from ntkcore.kernels import empirical_ntk, two_layer_relu_ntk
from ntkcore.models.two_layer import TwoLayerReLU


def unit(n, d, seed=0):
    x = np.random.default_rng(seed).standard_normal((n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("outputs", [1, 3])
def test_it_is_the_formula(outputs):
    model = TwoLayerReLU(8, 50, seed=3, outputs=outputs).double()
    x = torch.from_numpy(unit(5, 8).reshape(5, 2, 2, 2))
    w, a = model.hidden.weight.detach().numpy(), model.signs.numpy()
    expected = np.maximum(x.numpy().reshape(5, 8) @ w.T, 0) @ a.T / np.sqrt(50)
    assert np.allclose(model(x).detach().numpy(), expected, rtol=1e-13, atol=1e-16)
    weight, fixed = model.two_layer()
    assert np.allclose((torch.relu(x.flatten(1) @ weight.T) @ fixed.T).detach().numpy(), expected, rtol=1e-13, atol=1e-16)


def test_the_draw():
    """Half a million weights: their standard deviation is κ to within five of its standard errors, κ / √(2 N)."""
    model = TwoLayerReLU(500, 1000, kappa=0.05, seed=1)
    w, n = model.hidden.weight.detach().double().numpy(), 500_000
    assert abs(w.std() / 0.05 - 1) < 5 / np.sqrt(2 * n)
    assert abs(w.mean()) < 5 * 0.05 / np.sqrt(n)
    assert set(model.signs.unique().tolist()) == {-1.0, 1.0}
    assert abs(float(model.signs.mean())) < 5 / np.sqrt(1000)
    assert [name for name, p in model.named_parameters() if p.requires_grad] == ["hidden.weight"]


def test_the_seed_alone_decides_and_torchs_own_state_stays():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, two, other = TwoLayerReLU(4, 6, seed=1), TwoLayerReLU(4, 6, seed=1), TwoLayerReLU(4, 6, seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one.hidden.weight, two.hidden.weight) and torch.equal(one.signs, two.signs)
    assert not torch.equal(one.hidden.weight, other.hidden.weight)


@pytest.mark.parametrize("arguments", [(0, 3), (3, 0), (3, 3, 0.0), (3, 3, -1.0)])
def test_what_is_no_network_is_refused(arguments):
    with pytest.raises(ValueError, match="expected"):
        TwoLayerReLU(*arguments)


def test_its_kernel_tends_to_the_closed_form():
    """An entry is a mean over units of ``<x, z>`` times an event of probability p, so its error has a standard deviation of at most
    ``|<x, z>| / (2 √m)``; no entry exceeds five of them. Over ten seeds the root mean square error of 64 times the width is an eighth,
    within a factor of 1.5."""
    x = unit(10, 6)
    limit, cosine = two_layer_relu_ntk(x), np.abs(x @ x.T)
    rms = {}
    for width in (256, 16384):
        squares = []
        for seed in range(10):
            found = empirical_ntk(TwoLayerReLU(6, width, seed=seed).double(), x).values
            assert (np.abs(found - limit) <= 5 * cosine / (2 * np.sqrt(width)) + 1e-12).all()
            squares.append(np.square(found - limit).mean())
        rms[width] = np.sqrt(np.mean(squares))
    assert 8 / 1.5 < rms[256] / rms[16384] < 8 * 1.5


def test_the_pseudo_kernel_of_several_outputs_has_the_same_limit():
    """A unit counts ``(Σ_o a_o)² / k`` times its event: mean p, variance below 3 for k = 3 (its fourth moment is 7 / 3)."""
    x = unit(8, 5, seed=2)
    found = empirical_ntk(TwoLayerReLU(5, 40_000, seed=4, outputs=3).double(), x, outputs="pseudo").values
    assert (np.abs(found - two_layer_relu_ntk(x)) <= 5 * np.sqrt(3 / 40_000) * np.abs(x @ x.T)).all()
