"""A plan is kept as long as it holds: whatever is changed of a network since is seen."""

import gc
import time
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from ntkcore.errors import ModelError
from ntkcore.kernels import FallbackWarning, empirical_ntk, kept
from ntkcore.kernels.buffers import Buffers


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(32, 2)).double().eval()


X = torch.randn(5, 1, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def looks(monkeypatch):
    """How often a network is looked at."""
    made = []
    real = kept.make_plan
    monkeypatch.setattr(kept, "make_plan", lambda model, x, outputs: made.append(outputs) or real(model, x, outputs))
    return made


def explicit(model: nn.Module) -> np.ndarray:
    """By plain autograd, one sample at a time."""
    rows = []
    for sample in X:
        scalar = model(sample[None]).sum() / 2**0.5
        found = torch.autograd.grad(scalar, [p for p in model.parameters() if p.requires_grad])
        rows.append(torch.cat([g.flatten() for g in found]))
    stacked = torch.stack(rows)
    return (stacked @ stacked.T).numpy()


def test_a_network_is_looked_at_once(looks) -> None:
    model = network()
    first = empirical_ntk(model, X).values
    np.testing.assert_allclose(empirical_ntk(model, X[:3]).values, first[:3, :3], rtol=0, atol=1e-12 * first.max())
    assert looks == ["pseudo"]
    empirical_ntk(model, X, outputs="full")
    assert looks == ["pseudo", "full"]


def double_in_place(model):
    with torch.no_grad():
        model[3].weight *= 2


def replace_data(model):
    model[3].weight.data = torch.ones(2, 32, dtype=torch.float64)


def change_statistics(model):
    model[1].running_var += 3


def freeze(model):
    model[0].weight.requires_grad_(False)


def exchange_a_layer(model):
    model[3] = nn.Linear(32, 2).double()


def another_option(model):
    model[1].eps = 0.5


def put_in_a_layer(model):
    model.append(nn.Softplus())


@pytest.mark.parametrize(
    "change", [double_in_place, replace_data, change_statistics, freeze, exchange_a_layer, another_option, put_in_a_layer]
)
def test_what_is_changed_is_seen(looks, change) -> None:
    model = network()
    empirical_ntk(model, X)
    change(model)
    np.testing.assert_allclose(empirical_ntk(model, X).values, explicit(model), rtol=1e-11)
    assert looks == ["pseudo", "pseudo"]


def test_what_is_given_anew_with_the_same_value_changes_nothing(looks) -> None:
    model = network()
    expected = empirical_ntk(model, X).values
    model[1].eps = float("1e-5")  # another object
    model[0].kernel_size = tuple(map(int, "33"))
    np.testing.assert_array_equal(empirical_ntk(model, X).values, expected)
    assert looks == ["pseudo"]


def test_numbers_that_take_the_place_of_others_are_seen(looks) -> None:
    """A number's memory is free as soon as another is set, and the next number may be put there."""
    model = network()
    for eps in np.linspace(0.1, 0.9, 9):
        model[1].eps = float(eps)
        np.testing.assert_allclose(empirical_ntk(model, X).values, explicit(model), rtol=1e-11)
    assert len(looks) == 9


def test_a_hook_is_seen(looks) -> None:
    model = network()
    empirical_ntk(model, X)
    hook = model[3].register_forward_hook(lambda module, inputs, output: 3 * output)
    np.testing.assert_allclose(empirical_ntk(model, X).values, explicit(model), rtol=1e-11)
    hook.remove()
    np.testing.assert_allclose(empirical_ntk(model, X).values, explicit(model), rtol=1e-11)
    assert len(looks) == 3


def test_all_forms_are_made_anew_after_a_change(looks) -> None:
    model = network()
    before = empirical_ntk(model, X).values, empirical_ntk(model, X, outputs="full").values
    double_in_place(model)
    after = empirical_ntk(model, X).values, empirical_ntk(model, X, outputs="full").values
    assert looks == ["pseudo", "full"] * 2
    assert all(abs(a - b).max() > 1e-3 for a, b in zip(before, after, strict=True))


def test_a_layer_has_its_own_forward_again() -> None:
    model = network()
    layer = model[3]
    layer.forward = lambda x: 2 * nn.functional.linear(x, layer.weight, layer.bias)  # not what the rule knows: found out by the probe
    own = layer.forward
    with pytest.warns(FallbackWarning, match="disagrees with autograd"):
        found = empirical_ntk(model, X).values
    np.testing.assert_allclose(found, explicit(model), rtol=1e-11)
    assert layer.forward is own
    assert "forward" not in vars(model[0])
    with pytest.raises(ModelError):
        empirical_ntk(model, X[:, :, :4])
    assert layer.forward is own
    assert "forward" not in vars(model[0])


def test_a_later_fault_is_refused(looks) -> None:
    model = network()
    empirical_ntk(model, X)
    model.train()
    with pytest.raises(ModelError, match="training mode"):
        empirical_ntk(model, X)
    model.eval()
    with torch.no_grad():
        model[0].bias[0] = torch.nan
    with pytest.raises(ModelError, match="NaN"):
        empirical_ntk(model, X)


def test_the_plan_goes_with_its_network() -> None:
    model = network()
    empirical_ntk(model, X)
    gone, weight = weakref.ref(model), weakref.ref(model[3].weight)
    del model
    gc.collect()
    assert gone() is None
    assert weight() is None


def test_memory_comes_back_and_is_lent_again() -> None:
    buffers = Buffers(1000)
    first = buffers.lend((10, 10), np.float64)
    where = first.data_ptr()
    view = first[2:4]
    del first
    assert buffers.held() == 0  # still in use
    del view
    assert buffers.held() == 800
    second = buffers.lend((9, 10), np.float64)
    assert second.data_ptr() == where
    third = buffers.lend((9, 10), np.float64)
    assert third.data_ptr() != where
    del second, third
    assert buffers.held() == 800  # no more than the limit
    assert buffers.lend((2, 2), np.float32).shape == (2, 2)
    assert buffers.held() <= 1000


def test_memory_is_given_back_when_none_is_wanted() -> None:
    buffers = Buffers(1000, idle=0.05)
    lent = buffers.lend((10, 10), np.float64)
    time.sleep(0.2)  # longer than that while it is lent
    del lent
    for _ in range(200):
        if not buffers.held():
            break
        time.sleep(0.05)
    assert buffers.held() == 0
    assert buffers.lend((10, 10), np.float64).shape == (10, 10)
