"""One step on each candidate: of a linear model by its closed form, of other networks by an explicit loop."""

import copy

import numpy as np
import pytest
import torch
from linear_models import small_network
from numpy.typing import NDArray
from torch import Tensor, nn

from ntkcore.active import step_change
from ntkcore.errors import ComputationError
from ntkcore.models.two_layer import TwoLayerReLU


def looped(model: nn.Module, pool: Tensor, targets: NDArray, rate: float, points: slice = slice(None)) -> NDArray:
    """A copy of the network takes the step by torch's own descent."""
    with torch.no_grad():
        before = model(pool)[points]
    found = []
    for i, target in enumerate(torch.from_numpy(targets)):
        other = copy.deepcopy(model)
        (0.5 * (other(pool[i : i + 1]) - target).square().sum()).backward()
        torch.optim.SGD([p for p in other.parameters() if p.requires_grad], rate).step()
        with torch.no_grad():
            found.append(float((other(pool)[points] - before).norm(dim=1).sum()))
    return np.array(found)


def test_a_linear_model_by_its_closed_form() -> None:
    """f = W x + b: the step moves f(x) by η (x'·x + 1) (y' - f(x')), exactly."""
    torch.manual_seed(0)
    model, x = nn.Linear(5, 3).double(), torch.randn(11, 5, dtype=torch.float64)
    targets = np.eye(3)[np.arange(11) % 3]
    with torch.no_grad():
        left = np.linalg.norm(targets - model(x).numpy(), axis=1)
    kernel = (x @ x.T + 1).numpy()
    np.testing.assert_allclose(step_change(model, x, targets, 0.3), 0.3 * np.abs(kernel).sum(0) * left, rtol=1e-12)


@pytest.mark.parametrize("at_once", [32, 3])
def test_a_network_by_a_loop(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ntkcore.active.step._AT_ONCE", at_once)
    model, x, *_ = small_network(3)
    targets = np.eye(3)[np.arange(28) % 3]
    told: list[tuple[int, int]] = []
    found = step_change(model.eval(), x, targets, 0.2, progress=lambda done, total: told.append((done, total)))
    np.testing.assert_allclose(found, looped(model, x, targets, 0.2), rtol=1e-10)
    few = step_change(model, x, targets, 0.2, range(4, 12))
    np.testing.assert_allclose(few, looped(model, x, targets, 0.2, slice(4, 12)), rtol=1e-10)
    assert told[-1] == (28, 28)


def test_frozen_weights_batch_norm_and_images_by_a_loop() -> None:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 2)).double()
    model(torch.randn(9, 1, 5, 5, dtype=torch.float64))
    model.eval()[0].weight.requires_grad_(False)
    x, targets = torch.randn(7, 1, 5, 5, dtype=torch.float64), np.eye(2)[np.arange(7) % 2]
    np.testing.assert_allclose(step_change(model, x, targets, 0.1), looped(model, x, targets, 0.1), rtol=1e-10)


def test_the_quick_form_of_two_layers_by_a_loop() -> None:
    torch.manual_seed(2)
    model, x = TwoLayerReLU(6, 20, 1.0, outputs=1).double(), torch.randn(9, 6, dtype=torch.float64)
    targets = np.where(np.arange(9) % 2, 1.0, -1.0)[:, None]
    np.testing.assert_allclose(step_change(model.eval(), x, targets, 0.5), looped(model, x, targets, 0.5), rtol=1e-10)


def test_a_small_step_is_the_kernels() -> None:
    """As η falls, ``η sum_x ‖Θ(x, x') (y' - f(x'))‖``: half the step halves what is left of the difference, relative to the change."""
    model, x, jacobian, start, _ = small_network(3)
    targets = np.eye(3)[np.arange(28) % 3]
    theta = np.einsum("nop,mqp->nmoq", jacobian, jacobian)
    expected = np.linalg.norm(np.einsum("nmoq,mq->nmo", theta, targets - start), axis=2).sum(0)
    errors = [np.abs(step_change(model.eval(), x, targets, rate) / rate / expected - 1).max() for rate in (1e-5, 1e-6)]
    assert errors[0] < 1e-3 and errors[1] < errors[0] / 5


def test_arguments_are_checked() -> None:
    model, x, *_ = small_network(3)
    with pytest.raises(ValueError, match="targets"):
        step_change(model.eval(), x, np.ones((27, 3)), 0.1)
    with pytest.raises(ValueError, match="rate"):
        step_change(model.eval(), x, np.ones((28, 3)), 0.0)
    with pytest.raises(ComputationError, match="smaller rate"):
        step_change(model.eval(), x, np.ones((28, 3)), 1e200)
