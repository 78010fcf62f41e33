"""A network is left as it was, whatever it does to itself and whatever goes wrong."""

import threading

import numpy as np
import pytest
import torch
from kernel_test_networks import ROUNDING, TOKENS, Of, X, built, full, of, require_right
from torch import Tensor, nn
from torch.nn.utils import parametrizations, spectral_norm, weight_norm

from ntkcore.errors import ModelError
from ntkcore.kernels import empirical_ntk, ntk_diagonal

pytestmark = pytest.mark.filterwarnings("ignore::ntkcore.kernels.FallbackWarning")


def state_of(model: nn.Module) -> list[object]:
    """Everything that a network's modules hold: by identity, and the numbers by value."""
    found: list[object] = []
    for name, module in model.named_modules():
        found += [(name, key, id(value)) for key, value in vars(module).items() if not isinstance(value, dict)]
        for table in ("_parameters", "_buffers", "_modules", "_forward_hooks", "_forward_pre_hooks"):
            found += [(name, key, id(value)) for key, value in vars(module)[table].items()]
    found += [(name, value.numpy(force=True).tobytes()) for name, value in model.state_dict().items()]
    return [*found, *[(p.requires_grad, p.grad is None) for p in model.parameters()]]


class Tied(nn.Module):
    """A table whose weight is another layer's, and a parameter under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(9, 5), nn.Linear(5, 9, bias=False)
        self.head.weight = self.words.weight
        self.scale = self.again = nn.Parameter(torch.rand(5))

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(torch.tanh(self.words(ids) * self.scale).mean(1) + self.again)


def block_twice() -> nn.Module:
    block = nn.Sequential(nn.Linear(4, 4), nn.PReLU(4))
    return nn.Sequential(block, block, nn.ModuleList([block])[0], nn.Linear(4, 2))


@pytest.mark.parametrize(("make", "x"), [(Tied, TOKENS), (block_twice, X)])
def test_what_has_several_names_keeps_them(make, x: Tensor) -> None:
    model = built(make)
    before = state_of(model)
    require_right(model, x)
    assert state_of(model) == before


class Observer(nn.Module):
    """Writes to itself, in one of several ways, what changes nothing of its outputs."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.layer, self.calls, self.seen = kind, nn.Linear(4, 2), 0, []
        self.register_buffer("largest", torch.zeros(()))
        self.register_buffer("later", None)

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "in place":
            self.largest.copy_(torch.maximum(self.largest, x.abs().max()))
        elif self.kind == "anew":
            self.largest = torch.maximum(self.largest, x.abs().max())
        elif self.kind == "late":
            self.later = x.mean()
        elif self.kind == "list":
            self.seen.append(x)
        else:
            self.calls, self.last = self.calls + 1, x
        return self.layer(x)


@pytest.mark.parametrize("kind", ["in place", "anew", "late", "list", "attribute"])
def test_what_a_network_writes_to_itself_it_does_not_find(kind: str) -> None:
    model = built(lambda: Observer(kind))
    for _ in range(2):
        before = state_of(model)
        for outputs in ("pseudo", "full"):
            empirical_ntk(model, X, outputs=outputs)
        ntk_diagonal(model, X)
        assert state_of(model) == before
        assert not model.seen
    require_right(model, X)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("wrap", [parametrizations.spectral_norm, spectral_norm, parametrizations.weight_norm, weight_norm])
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
def test_reparametrised_weights(wrap, training: bool) -> None:
    model = built(lambda: nn.Sequential(wrap(nn.Linear(4, 5)), nn.Tanh(), nn.Linear(5, 2))).train(training)
    model.eval()(X)
    model.train(training)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    own = [id(p) for p in model.parameters()]
    try:
        found = empirical_ntk(model, X, outputs="full").values
    except ModelError as error:
        assert training and "shown before" in str(error)
        found = None
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert [id(p) for p in model.parameters()] == own and model.training is training
    if found is not None:
        expected = full(model.eval(), X)
        np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * expected.max())


class Stops(nn.Module):
    """Raises at its so-manyth run."""

    def __init__(self, at: int, error: BaseException) -> None:
        super().__init__()
        self.first, self.slope, self.last, self.norm = nn.Linear(4, 4), nn.PReLU(4), nn.Linear(4, 2), nn.BatchNorm1d(4)
        self.register_buffer("runs", torch.zeros(()))
        self.at, self.error, self.count = at, error, iter(range(1000))

    def __deepcopy__(self, memo: dict) -> "Stops":
        raise TypeError  # it runs itself, so that its own state is at stake

    def forward(self, x: Tensor) -> Tensor:
        h = self.slope(self.norm(self.first(x)))
        if next(self.count) == self.at:
            raise self.error
        return self.last(h)


@pytest.mark.parametrize("at", [0, 1, 4, 8, 12, 16, 20, 24, 28])
def test_after_an_interruption_all_is_as_before(at: int) -> None:
    model = built(lambda: Stops(at, KeyboardInterrupt())).eval()
    before = state_of(model)
    with pytest.raises(KeyboardInterrupt):
        while True:  # until the run that stops
            ntk_diagonal(model, X, batch_size=2)
    assert state_of(model) == before


def test_a_network_that_writes_and_cannot_be_copied_is_refused_and_restored() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        net.extra = net.calls = net.calls + 1
        return net.b(net.a(x))

    model = of(forward, calls=0, lock=threading.Lock())
    before = state_of(model)
    with pytest.raises(ModelError, match="cannot be copied"):
        empirical_ntk(of(lambda net, x: (net.total.add_(1), net.b(net.a(x)))[1], lock=threading.Lock(), total=torch.zeros(())), X)
    empirical_ntk(model, X)  # a number of Python's own is none of the outputs'
    assert [entry for entry in state_of(model) if entry[1] not in ("calls", "extra")] == [
        e for e in before if e[1] not in ("calls", "extra")
    ]


def renormalised(net: Of, x: Tensor) -> Tensor:
    with torch.no_grad():
        net.a.weight.div_(net.a.weight.norm())
    return net.b(torch.tanh(net.a(x)))


@pytest.mark.parametrize(
    ("make", "x"),
    [
        (lambda: of(renormalised), X),
        (lambda: of(lambda net, ids: net.b(net.words(ids).mean(1)), words=nn.Embedding(9, 5, max_norm=0.5)), TOKENS),
        (lambda: of(lambda net, x: (net.a.weight.data.clamp_(-0.1, 0.1), net.b(net.a(x)))[1]), X),
    ],
)
def test_a_network_that_changes_its_weights_is_refused_before_it_does(make, x: Tensor) -> None:
    model = make()
    before = state_of(model)
    with pytest.raises(ModelError, match="its own weights"):
        empirical_ntk(model, x)
    assert state_of(model) == before


def test_the_samples_are_left_as_they_were() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        x -= 0.5
        x *= 2
        return net.b(torch.tanh(net.a(x)))

    given, plain = X.clone(), of(lambda net, x: net.b(torch.tanh(net.a((x - 0.5) * 2))))
    for outputs in ("pseudo", "full"):
        found = empirical_ntk(of(forward), given, outputs=outputs).values
        np.testing.assert_allclose(found, empirical_ntk(plain, X, outputs=outputs).values, rtol=1e-10)
    np.testing.assert_allclose(ntk_diagonal(of(forward), given), ntk_diagonal(plain, X), rtol=1e-10)
    assert torch.equal(given, X)
