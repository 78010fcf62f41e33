"""FGSM against the closed form of a linear network and against finite differences, in float64."""

import numpy as np
import pytest
import torch
from torch import nn

from ntkcore.errors import Cancelled, ComputationError, SpecError
from ntkcore.information.adversarial import CHUNK, fgsm

RNG = np.random.default_rng(3)


def linear(k: int) -> nn.Linear:
    module = nn.Linear(12, k).double()
    nn.init.normal_(module.weight, generator=torch.Generator().manual_seed(1))
    return module


@pytest.mark.parametrize("k", [1, 3])
def test_a_linear_network_is_the_closed_form(k):
    """∇_x ½‖Wx + b - y‖² = Wᵀ(Wx + b - y): x' = clip(x + ε sign of it), exactly."""
    module, x, y = linear(k), RNG.random((9, 12)), RNG.standard_normal((9, k))
    w, b = (p.detach().numpy() for p in (module.weight, module.bias))
    expected = np.clip(x + 0.07 * np.sign((x @ w.T + b - y) @ w), 0, 1)
    assert np.array_equal(fgsm(module, x, y, 0.07), expected)


def test_a_convolution_moves_by_the_sign_of_its_difference_quotient():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Tanh(), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(48, 2)).double().train()
    x, y = 0.2 + 0.6 * RNG.random((3, 1, 6, 6)), RNG.standard_normal((3, 2))
    moved = np.sign(fgsm(module, x, y, 0.05) - x)
    assert module.training  # its mode is its own again; gradients were those of eval mode
    module.eval()

    def losses(inputs: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return (np.square(module(torch.from_numpy(inputs)).numpy() - y).sum(1)) / 2

    step, slopes = 1e-5, np.empty_like(x)
    for place in np.ndindex(x.shape[1:]):
        away = np.zeros(x.shape[1:])
        away[place] = step
        slopes[(slice(None), *place)] = (losses(x + away) - losses(x - away)) / (2 * step)
    clear = np.abs(slopes) > 1e-6  # a central difference of a smooth loss of order 1 is off by about 1e-10
    assert clear.mean() > 0.95 and np.array_equal(moved[clear], np.sign(slopes)[clear])


def test_inputs_stay_within_their_range_and_epsilon():
    module, x = linear(2), RNG.random((2 * CHUNK + 5, 12))
    x[0], x[1] = 0.0, 1.0
    told: list[tuple[int, int]] = []
    moved = fgsm(module, x, np.zeros((len(x), 2)), 0.3, progress=lambda done, of: told.append((done, of)))
    assert moved.min() >= 0 and moved.max() <= 1 and np.abs(moved - x).max() <= 0.3 + 1e-12
    assert told == [(CHUNK, len(x)), (2 * CHUNK, len(x)), (len(x), len(x))]
    assert np.array_equal(moved[[7]], fgsm(module, x[[7]], np.zeros((1, 2)), 0.3))  # each image by itself
    assert all(p.grad is None for p in module.parameters())


def test_what_has_no_gradient_stays():
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1)).double()
    nn.init.constant_(module[0].bias, -100.0)  # every unit is off
    x = RNG.random((3, 4))
    assert np.array_equal(fgsm(module, x, np.ones((3, 1)), 0.5), x)


def test_refusals():
    module, x, y = linear(1), RNG.random((4, 12)), np.zeros((4, 1))
    for epsilon in (0.0, -0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="epsilon"):
            fgsm(module, x, y, epsilon)
    with pytest.raises(ValueError, match="targets"):
        fgsm(module, x, y[:3], 0.1)
    with pytest.raises(SpecError, match="from 0 to 1"):
        fgsm(module, 3 * x, y, 0.1)
    with pytest.raises(SpecError, match="from 0 to 1"):
        fgsm(module, np.where(x > 0.5, np.nan, x), y, 0.1)
    with torch.no_grad():
        module.weight.fill_(float("inf"))
    with pytest.raises(ComputationError, match="not finite"):
        fgsm(module, x, y, 0.1)


def test_it_can_be_cancelled():
    def stop(done: int, of: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        fgsm(linear(1), RNG.random((4, 12)), np.zeros((4, 1)), 0.1, progress=stop)
