"""A plan is kept as long as it holds: whatever is changed of a network since is seen."""

import gc
import time
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from kernel_test_networks import Of, built, of, require_right
from kernel_test_networks import X as SAMPLES
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
    layer.forward = lambda x: 2 * nn.functional.linear(x, layer.weight, layer.bias)
    own = layer.forward
    np.testing.assert_allclose(empirical_ntk(model, X).values, explicit(model), rtol=1e-11)
    assert layer.forward is own
    assert "forward" not in vars(model[0])
    with pytest.raises(ModelError):
        empirical_ntk(model, X[:, :, :4])
    assert layer.forward is own
    assert "forward" not in vars(model[0])


def test_what_a_hook_makes_of_a_gradient_is_found_out_by_the_probe() -> None:
    model = network()
    model[3].weight.register_hook(lambda gradient: 2 * gradient)
    with pytest.warns(FallbackWarning, match="disagrees with autograd"):
        found = empirical_ntk(model, X).values
    np.testing.assert_allclose(found, explicit(model), rtol=1e-11)


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


class Settings:
    """An object of a user's."""

    def __init__(self) -> None:
        self.scales, self.mask = [1.0, 1.0], torch.ones(5, dtype=torch.float64)


class Slotted:
    __slots__ = ("scale",)

    def __init__(self) -> None:
        self.scale = 1.0


def closed() -> tuple[list[float], Callable[[object, tuple, torch.Tensor], torch.Tensor]]:
    """A hook, and what it holds."""
    held = [1.0]
    return held, lambda module, inputs, output: output * held[0]


ROWS = np.ones(5)
HELD, HOOK = closed()
_LAYER = nn.Linear(5, 5).double()

CHANGES: dict[str, tuple[object, Callable[[Of], torch.Tensor | float], Callable[[Of], object]]] = {
    "a list": ([1.0, 2.0], lambda net: net.held[0], lambda net: net.held.__setitem__(0, 3.0)),
    "a list's type": ([1], lambda net: 3.0 if net.held[0] is True else 1.0, lambda net: net.held.__setitem__(0, True)),
    "a list that grows": ([1.0], lambda net: sum(net.held), lambda net: net.held.append(2.0)),
    "a list in a dictionary": ({"k": [1.0]}, lambda net: net.held["k"][0], lambda net: net.held["k"].__setitem__(0, 3.0)),
    "a list in a tuple": (([1.0],), lambda net: net.held[0][0], lambda net: net.held[0].__setitem__(0, 3.0)),
    "a queue": (deque([1.0]), lambda net: net.held[0], lambda net: net.held.__setitem__(0, 3.0)),
    "a set": (set(), lambda net: 3.0 if "on" in net.held else 1.0, lambda net: net.held.add("on")),
    "bytes": (bytearray(b"\1"), lambda net: float(net.held[0]), lambda net: net.held.__setitem__(0, 3)),
    "an array": (np.ones(5), lambda net: torch.from_numpy(net.held), lambda net: net.held.__setitem__(0, 3.0)),
    "an array of objects": (np.array([1.0, None]), lambda net: net.held[0], lambda net: net.held.__setitem__(0, 3.0)),
    "settings": (Settings(), lambda net: net.held.scales[0], lambda net: net.held.scales.__setitem__(0, 3.0)),
    "a mask in settings": (Settings(), lambda net: net.held.mask, lambda net: net.held.mask.data.mul_(3)),
    "slots": (Slotted(), lambda net: net.held.scale, lambda net: setattr(net.held, "scale", 3.0)),
    "a name space": (SimpleNamespace(k=1.0), lambda net: net.held.k, lambda net: setattr(net.held, "k", 3.0)),
    "a mask": (torch.ones(5, dtype=torch.float64), lambda net: net.held, lambda net: net.held.data.mul_(3)),
    "a mask in a list": ([torch.ones(5, dtype=torch.float64)], lambda net: net.held[0], lambda net: net.held[0].mul_(3)),
    "a mask over an array": (torch.from_numpy(ROWS), lambda net: net.held, lambda net: ROWS.__setitem__(0, 3.0)),
    "a bound argument": (partial(lambda k: k[0], [1.0]), lambda net: net.held(), lambda net: net.held.args[0].__setitem__(0, 3.0)),
    "a hidden layer": ([_LAYER], lambda net: net.held[0].weight[0], lambda net: net.held[0].weight.data.mul_(3)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_within_is_seen(name: str) -> None:
    held, read, change = CHANGES[name]
    model = of(lambda net, x: net.b(torch.tanh(net.a(x) * read(net))), held=held)
    before = empirical_ntk(model, SAMPLES).values
    empirical_ntk(model, SAMPLES, outputs="full")
    change(model)
    require_right(model, SAMPLES)
    assert np.abs(empirical_ntk(model, SAMPLES).values - before).max() > 1e-3 * before.max()


def test_what_a_hook_holds_is_seen() -> None:
    model = of(lambda net, x: net.b(torch.tanh(net.a(x))))
    model.a.register_forward_hook(HOOK)
    empirical_ntk(model, SAMPLES)
    HELD[0] = 3.0
    require_right(model, SAMPLES)


class OfItsClass(nn.Module):
    scale = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(torch.tanh(self.a(x) * self.scale))


def test_what_its_class_does_is_seen(monkeypatch) -> None:
    model = built(OfItsClass)
    empirical_ntk(model, SAMPLES)
    monkeypatch.setattr(OfItsClass, "scale", 3.0)
    require_right(model, SAMPLES)
    monkeypatch.setattr(OfItsClass, "forward", lambda net, x: net.b(torch.tanh(net.a(torch.tanh(net.a(x))))))
    with pytest.warns(FallbackWarning, match="2 times"):
        require_right(model, SAMPLES)


SWITCH = {"deep": False}


def test_a_switch_that_nothing_holds_is_refused(monkeypatch) -> None:
    def forward(net: OfItsClass, x: torch.Tensor) -> torch.Tensor:
        h = torch.tanh(net.a(x))
        return net.b(torch.tanh(net.c(h)) if SWITCH["deep"] else h)

    model = built(OfItsClass)
    model.c = nn.Linear(4, 4).double()
    monkeypatch.setattr(OfItsClass, "forward", forward)
    empirical_ntk(model, SAMPLES)
    monkeypatch.setitem(SWITCH, "deep", True)
    with pytest.raises(ModelError, match="otherwise"):
        empirical_ntk(model, SAMPLES)


def test_one_sample_then_many_and_the_same_in_other_forms() -> None:
    model = network()
    expected = explicit(model)
    empirical_ntk(model, X[:1])
    for x in (X, X.to(memory_format=torch.channels_last), X.numpy().astype(">f8"), X[torch.arange(5)]):
        np.testing.assert_allclose(empirical_ntk(model, x).values, expected, rtol=1e-11)
    single = empirical_ntk(model, X.float()).values  # in the network's precision, of rounded samples
    np.testing.assert_allclose(single, expected, rtol=1e-5)


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
