"""Loss prediction: the ranking loss by a loop, training by its gradients written down, and whether it ranks what can be ranked."""

import numpy as np
import pytest
import scipy.stats
import torch
from torch import nn

from ntkcore.active.loss_prediction import LossHead, LossTraining, ranking_loss, train_loss_predictor
from ntkcore.errors import ComputationError, DataError, ModelError


@pytest.mark.parametrize("size", [2, 7, 8])
def test_the_ranking_loss_by_a_loop(size: int) -> None:
    torch.manual_seed(size)
    predicted, losses = torch.randn(size, dtype=torch.float64), torch.rand(size, dtype=torch.float64)
    losses[0] = losses[-1]  # a tie counts as not larger
    expected = 0.0
    for i in range(size // 2):
        j = size - 1 - i
        sign = 1.0 if losses[i] > losses[j] else -1.0
        expected += max(0.0, -sign * float(predicted[i] - predicted[j]) + 0.7)
    assert float(ranking_loss(predicted, losses, 0.7)) == pytest.approx(2 * expected / (2 * (size // 2)), rel=1e-12)


def network(k: int = 3) -> nn.Sequential:
    torch.manual_seed(4)
    return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, k)).double().eval()


def data(n: int = 12, k: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(0)
    return torch.from_numpy(generator.standard_normal((n, 5))), torch.from_numpy(np.eye(k)[generator.integers(0, k, n)])


@pytest.mark.parametrize("reach", [0.0, 0.5, 1.0])
def test_training_by_hand(reach: float) -> None:
    """Two epochs of one batch each. The network's losses reach it always, the ranking's in the first ``reach`` of the epochs."""
    model, (x, y) = network(), data()
    training = LossTraining(2, 0.05, 12, 0.9, 0.02, 0.8, 0.6, reach, 4, seed=3)
    found = train_loss_predictor(model, x, y, training)
    assert found.layers == ("2", "4")
    with torch.random.fork_rng():
        torch.manual_seed(3)
        head = LossHead([8, 6], 4).double()
    weights = {f"n{name}": p.detach().clone() for name, p in model.named_parameters()}
    weights |= {f"h{name}": p.detach().clone() for name, p in head.named_parameters()}
    speed = {name: torch.zeros_like(value) for name, value in weights.items()}
    for epoch in range(2):
        order = np.random.default_rng([3, epoch]).permutation(12)
        w = {name: value.clone().requires_grad_() for name, value in weights.items()}
        one = torch.relu(x[order] @ w["n0.weight"].T + w["n0.bias"])
        two = torch.relu(one @ w["n2.weight"].T + w["n2.bias"])
        losses = (two @ w["n4.weight"].T + w["n4.bias"] - y[order]).square().sum(1) / 2
        seen = (one, two) if epoch < 2 * reach else (one.detach(), two.detach())
        parts = [torch.relu(part @ w[f"heach.{i}.weight"].T + w[f"heach.{i}.bias"]) for i, part in enumerate(seen)]
        guessed = (torch.cat(parts, 1) @ w["hjoined.weight"].T + w["hjoined.bias"])[:, 0]
        ranking = sum(torch.relu(0.6 - (1.0 if losses[i] > losses[11 - i] else -1.0) * (guessed[i] - guessed[11 - i])) for i in range(6))
        gradients = torch.autograd.grad(losses.mean() + 0.8 * ranking / 6, list(w.values()))
        for (name, value), gradient in zip(weights.items(), gradients, strict=True):
            speed[name] = 0.9 * speed[name] + gradient + 0.02 * value
            weights[name] = value - 0.05 * speed[name]
    for part, prefix in ((found.network, "n"), (found.head, "h")):
        for name, p in part.named_parameters():
            np.testing.assert_allclose(p.detach(), weights[prefix + name], rtol=1e-10, atol=1e-12)


def test_it_ranks_losses_that_can_be_told() -> None:
    """Targets of some samples are noise, and a feature says of which: the head finds those, and the network given is as it was."""
    generator = np.random.default_rng(1)
    x = generator.standard_normal((240, 5))
    noisy = x[:, 0] > 0
    y = np.where(noisy[:, None], 3 * generator.standard_normal((240, 2)), 0.0)
    model = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 2)).double().eval()
    before = [p.detach().clone() for p in model.parameters()]
    told: list[tuple[int, int]] = []
    training = LossTraining(20, 0.02, 16, width=16)
    found = train_loss_predictor(model, x[:200], y[:200], training, progress=lambda done, total: told.append((done, total)))
    assert scipy.stats.spearmanr(found.losses(x[200:]), noisy[200:]).statistic > 0.6
    assert all(torch.equal(old, p) for old, p in zip(before, model.parameters(), strict=True))
    assert told[-1] == (4000, 4000)
    again = train_loss_predictor(model, x[:200], y[:200], training)
    np.testing.assert_array_equal(again.losses(x[200:]), found.losses(x[200:]))


def test_images_and_batch_norm() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 6, 2), nn.Flatten(), nn.Linear(24, 2)).eval()
    x, y = torch.randn(9, 1, 5, 5), torch.eye(2)[torch.arange(9) % 2]
    found = train_loss_predictor(model, x, y, LossTraining(3, 0.01, 4))  # a last batch of one joins another
    assert found.layers == ("3", "5")
    assert found.losses(x).shape == (9,)
    assert not found.network.training
    assert float(model[1].running_mean.abs().sum()) == 0


def test_what_cannot_be_trained_is_refused() -> None:
    x, y = data()
    with pytest.raises(ModelError, match="no two layers"):
        train_loss_predictor(nn.Linear(5, 3).double().eval(), x, y, LossTraining(1, 0.1))
    with pytest.raises(DataError, match="two samples"):
        train_loss_predictor(network(), x[:1], y[:1], LossTraining(1, 0.1))
    with pytest.raises(ComputationError, match="diverged"):
        train_loss_predictor(network(), x, y, LossTraining(50, 1e6))
    for wrong in ({"epochs": 0}, {"batch": 1}, {"rate": 0.0}, {"momentum": 1.0}, {"reach": 1.5}, {"width": 0}, {"margin": 0.0}):
        with pytest.raises(DataError, match="Choose"):
            LossTraining(**{"epochs": 1, "rate": 0.1} | wrong)
