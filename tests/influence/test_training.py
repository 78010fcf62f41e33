"""The trained network is where torch's own optimiser ends, and gives replica 0's outputs."""

import numpy as np
import pytest
import torch
from torch import nn

from ntkcore.influence import Schedule, retrain_without
from ntkcore.influence.training import train_on_all
from ntkcore.models.two_layer import TwoLayerReLU

RATE, STEPS, RIDGE = 0.01, 60, 0.5


def two_layer() -> nn.Module:
    return TwoLayerReLU(5, 30, kappa=0.3, seed=2, outputs=2).double()


def mlp() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Flatten(), nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2)).double().eval()


@pytest.mark.parametrize("n", [8, 40], ids=["by samples", "by weights"])
@pytest.mark.parametrize("model", [two_layer, mlp])
def test_it_ends_where_plain_gradient_descent_does(model, n):
    generator = torch.Generator().manual_seed(n)
    x, y, z = (torch.randn(rows, columns, generator=generator).double() for rows, columns in ((n, 5), (n, 2), (4, 5)))
    x[:, 3] = 0  # an input that is always black has weights that do not move
    start, plain = model(), model()
    found = train_on_all(start, x, y, Schedule(RATE, STEPS, RIDGE))
    parameters = [p for p in plain.parameters() if p.requires_grad]
    first = [p.detach().clone() for p in parameters]
    optimiser = torch.optim.SGD(parameters, lr=RATE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        moved = sum((p - s).square().sum() for p, s in zip(parameters, first, strict=True))
        ((plain(x) - y).square().sum() / 2 + RIDGE / 2 * moved).backward()
        optimiser.step()
    for one, other in zip(found.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)
    outputs = retrain_without(start, x, y, z, (), Schedule(RATE, STEPS, RIDGE)).test[0, 0]
    np.testing.assert_allclose(found(z).detach(), outputs, atol=1e-12)
    for one, other in zip(start.parameters(), model().parameters(), strict=True):
        assert torch.equal(one, other)  # the given network is left as it was


def test_progress_is_told():
    calls = []
    x, y = torch.randn(6, 5).double(), torch.randn(6, 2).double()
    train_on_all(two_layer(), x, y, Schedule(RATE, 7), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(step, 7) for step in range(1, 8)]
