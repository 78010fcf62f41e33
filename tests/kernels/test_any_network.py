"""Networks that users of such kernels bring: right against explicit Jacobians, as they were afterwards, or refused with the reason."""

import copy
import random
import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from kernel_test_networks import jacobians
from torch import Tensor, nn
from torch.nn.utils import parametrizations, spectral_norm, weight_norm
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

from ntkcore.errors import ComputationError, DataError, ModelError
from ntkcore.kernels import Compression, empirical_ntk, layer_plan, ntk_diagonal, ntk_tiles

pytestmark = pytest.mark.filterwarnings("ignore::ntkcore.kernels.FallbackWarning")

_DRAW = torch.Generator().manual_seed(3)
X = torch.randn(9, 4, dtype=torch.float64, generator=_DRAW)
TOKENS = torch.randint(0, 9, (9, 5), generator=_DRAW)
IMAGES = torch.randn(6, 2, 6, 6, dtype=torch.float64, generator=_DRAW)
ROUNDING = 1e-11  # of sums of some hundred products in float64


class Of(nn.Module):
    """A network whose forward is a function of itself and the samples, with the modules, parameters and attributes given."""

    def __init__(self, forward: Callable[["Of", Tensor], Tensor], **held: object) -> None:
        super().__init__()
        self.function = forward
        for name, value in held.items():
            setattr(self, name, value)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def of(forward: Callable[[Of, Tensor], Tensor], **held: object) -> Of:
    """In double precision and eval mode; with the layers ``a`` (4 to 5) and ``b`` (5 to 2), the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Of(forward, **{"a": nn.Linear(4, 5), "b": nn.Linear(5, 2)} | held).double().eval()


def built(make: Callable[[], nn.Module]) -> nn.Module:
    """In double precision, with the same weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make().double()


def full(model: nn.Module, x: Tensor, z: Tensor | None = None) -> np.ndarray:
    """(n, m, k, k) by explicit Jacobians."""
    here = jacobians(model, x)
    return torch.einsum("iop,jqp->ijoq", here, here if z is None else jacobians(model, z)).numpy()


def require_right(model: nn.Module, x: Tensor, z: Tensor | None = None, tolerance: float = ROUNDING) -> None:
    """The full kernel, the pseudo-NTK and the diagonal, relative to the largest entry."""
    expected = full(model, x, z)
    scale, k = tolerance * np.abs(expected).max(), expected.shape[2]
    np.testing.assert_allclose(empirical_ntk(model, x, z, outputs="full").values, expected, rtol=0, atol=scale)
    np.testing.assert_allclose(empirical_ntk(model, x, z).values, expected.sum((2, 3)) / k, rtol=0, atol=k * scale)
    if z is None:
        np.testing.assert_allclose(ntk_diagonal(model, x), np.einsum("iioo->i", expected) / k, rtol=0, atol=scale)


def require_refused(make: Callable[[], nn.Module], x: Tensor, word: str) -> None:
    """By the kernel and the diagonal, each asked first of a network of its own."""
    with pytest.raises(ModelError, match=word):
        empirical_ntk(make(), x)
    with pytest.raises(ModelError, match=word):
        ntk_diagonal(make(), x)


# ---- rows that are not the batch's: routing, positions, queries -----------------------------------------------------------------------


def _experts() -> nn.ModuleList:
    return nn.ModuleList([nn.Linear(4, 5) for _ in range(3)])


def by_index(net: Of, x: Tensor) -> Tensor:
    chosen, out = net.gate(x).argmax(-1), x.new_zeros(len(x), 5)
    for number, expert in enumerate(net.experts):
        rows = (chosen == number).nonzero()[:, 0]
        out = out.index_copy(0, rows, expert(x[rows]))
    return net.b(torch.tanh(out))


def by_mask(net: Of, x: Tensor) -> Tensor:
    chosen, out = net.gate(x).argmax(-1), x.new_zeros(len(x), 5)
    for number, expert in enumerate(net.experts):
        out[chosen == number] = expert(x[chosen == number])
    return net.b(torch.tanh(out))


def by_order(net: Of, x: Tensor) -> Tensor:
    chosen = net.gate(x).argmax(-1)
    order, counts = chosen.argsort(stable=True), torch.bincount(chosen, minlength=3).tolist()
    sorted_out = torch.cat([expert(rows) for expert, rows in zip(net.experts, x[order].split(counts), strict=True)])
    return net.b(torch.tanh(torch.zeros_like(sorted_out).index_add(0, order, sorted_out)))


def by_host(net: Of, x: Tensor) -> Tensor:
    return net.b(
        torch.stack([torch.tanh(net.experts[number](row)) for number, row in zip(net.gate(x).argmax(-1).tolist(), x, strict=True)])
    )


@pytest.mark.parametrize("route", [by_index, by_mask, by_order, by_host])
def test_a_mixture_of_experts_takes_the_exact_slow_way(route) -> None:
    model = of(route, gate=nn.Linear(4, 3), experts=_experts())
    alike = X[:1].repeat(5, 1)  # all to one expert: the others are not unused
    for x in (alike, X):
        require_right(model, x)
    require_right(model, X[:1], X[1:])
    assert {entry.form for entry in layer_plan(model, X).entries} == {"one sample at a time"}


def test_convolutional_experts() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        bright, out = x.mean((1, 2, 3)) > 0, x.new_zeros(len(x), 3, 6, 6)
        out[bright], out[~bright] = net.one(x[bright]), net.two(x[~bright])
        return net.head(torch.tanh(out).mean((2, 3)))

    one, two = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(2, 3, 3, padding=1)
    require_right(of(forward, one=one, two=two, head=nn.Linear(3, 2)), IMAGES)


@pytest.mark.parametrize("by", ["score", "first number"])
def test_a_layer_that_gets_the_samples_in_another_order(by: str) -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        order = (net.gate(x)[:, 0] if by == "score" else x[:, 0]).argsort()
        return net.b(torch.tanh(net.a(x[order])))[order.argsort()]

    require_right(of(forward, gate=nn.Linear(4, 1)), X)


@pytest.mark.parametrize("move", [lambda x, way: x.flip(0), lambda x, way: x.roll(way, 0)])
def test_a_layer_that_gets_the_samples_turned(move) -> None:
    require_right(of(lambda net, x: move(net.b(torch.tanh(net.a(move(x, 1)))), -1)), X)


@pytest.mark.parametrize("length", [1, 2, 3, 5])  # two and three, as many as the samples that a network is looked at on
@pytest.mark.parametrize("shape", ["(L,)", "(1, L)"])
def test_position_tables_and_layers_on_them(length: int, shape: str) -> None:
    def forward(net: Of, ids: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1])
        return net.b(torch.tanh(net.words(ids) + net.a(net.places(places if shape == "(L,)" else places[None]))).mean(1))

    model = of(forward, words=nn.Embedding(9, 5), places=nn.Embedding(5, 4))
    require_right(model, TOKENS[:1, :length])
    require_right(model, TOKENS[:, :length])
    require_right(model, TOKENS[:1, :length], TOKENS[1:, :length])
    require_right(model, TOKENS[1:, :length], TOKENS[:1, :length])


def test_learnt_queries_go_through_layers_alone() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        return net.b(torch.tanh(net.norm(net.a(net.queries[None])) + net.a(x)[:, None]).mean(1))

    model = of(forward, queries=nn.Parameter(torch.randn(6, 4)), norm=nn.LayerNorm(5))
    require_right(model, X)
    require_right(model, X[:1])


def test_sequences_of_several_lengths_packed_together() -> None:
    def forward(net: Of, ids: Tensor) -> Tensor:
        lengths = (ids != 0).sum(1).clamp(min=1)
        packed = nn.utils.rnn.pack_padded_sequence(net.words(ids), lengths, batch_first=True, enforce_sorted=False)
        return net.b(nn.utils.rnn.pad_packed_sequence(net.cells(packed)[0], batch_first=True, total_length=5)[0].sum(1))

    require_right(of(forward, words=nn.Embedding(9, 4), cells=nn.LSTM(4, 5, batch_first=True)), TOKENS)


def test_tokens_that_are_looked_at_only_to_be_checked_cost_nothing() -> None:
    model = of(lambda net, ids: net.b(torch.tanh(net.a(F.one_hot(ids, 9).double()[..., :4])).mean(1)))
    require_right(model, TOKENS)
    assert {entry.form for entry in layer_plan(model, TOKENS).entries} == {"factored"}


def test_a_path_by_the_number_of_samples_is_refused_where_it_shows() -> None:
    chunked = of(lambda net, x: torch.cat([net.b(torch.tanh(net.a(rows))) for rows in x.split(5)]))
    with pytest.raises(ModelError, match="otherwise for some samples"):
        empirical_ntk(chunked, X)
    np.testing.assert_allclose(empirical_ntk(chunked, X, outputs="full", batch_size=4).values, full(chunked, X), rtol=0, atol=1e-10)


# ---- certain refusals -----------------------------------------------------------------------------------------------------------------


def detached_mean(net: Of, x: Tensor) -> Tensor:
    return net.b(torch.tanh(net.a(x) - net.a(x).detach().mean(0)))


def own_spread(net: Of, x: Tensor) -> Tensor:
    with torch.no_grad():
        spread = x.std(0, unbiased=False).mean()
    return net.b(torch.tanh(net.a(x) / (1 + spread)))


def threshold(net: Of, x: Tensor) -> Tensor:
    return net.b(torch.tanh(net.a(x)) * (x[:, :1] >= x[:, :1].mean()))


def largest_output(net: Of, x: Tensor) -> Tensor:
    out = net.b(torch.tanh(net.a(x)))
    return out / (1 + out.abs().max())


def among_all(net: Of, x: Tensor) -> Tensor:
    return net.b(torch.tanh(net.a(x).softmax(0)))


def ranked(net: Of, x: Tensor) -> Tensor:
    return net.b(torch.tanh(net.a(x) + (x[:, 0].argsort().argsort().to(x) / 10)[:, None]))


def first_of_all(net: Of, x: Tensor) -> Tensor:
    return net.b(torch.tanh(net.a(x) + net.a(x[:1])))


def by_number(net: Of, x: Tensor) -> Tensor:
    return net.b(torch.tanh(net.a(x))) / len(x)


def by_place(net: Of, x: Tensor) -> Tensor:
    return net.b(torch.tanh(net.a(x))) * (1 + torch.arange(len(x))[:, None] % 4)


def functional_norm(net: Of, x: Tensor) -> Tensor:
    return net.b(torch.tanh(F.batch_norm(net.a(x), None, None, training=True)))


def faint(net: Of, x: Tensor) -> Tensor:
    return net.b(torch.tanh(net.a(x))) + 1e-9 * x.amin()


_TWINS = X.clone()
_TWINS[1] = _TWINS[0]


@pytest.mark.parametrize(
    "mix",
    [detached_mean, own_spread, threshold, largest_output, among_all, ranked, first_of_all, by_number, by_place, functional_norm, faint],
)
def test_mixing_is_found_whichever_samples_come_first(mix) -> None:
    for x in (X, _TWINS, X[:1].repeat(4, 1), torch.zeros_like(X), X[:1]):
        require_refused(lambda: of(mix), x, "samples")
    with pytest.raises(ModelError, match="samples"):
        empirical_ntk(of(mix), X[:1], X[1:])
    model = of(mix)
    with pytest.raises(ModelError):
        empirical_ntk(model, X[:1])
    with pytest.raises(ModelError):  # nor is it kept for sound
        empirical_ntk(model, X)


@pytest.mark.parametrize(
    "mix",
    [
        lambda net, ids: net.b(net.words(ids).mean(1) - net.words(ids).mean((0, 1))),
        lambda net, ids: net.b(net.words(ids).mean(1)) * (1 + ids.max()),
        lambda net, ids: net.b(net.words(ids).mean(1)) * torch.unique(ids).numel(),
        lambda net, ids: net.b(net.words(ids).sum(1)) / (ids != 0).sum(1).max(),
    ],
)
def test_tokens_that_are_mixed_are_found(mix) -> None:
    for ids in (TOKENS, TOKENS[:1].repeat(4, 1), TOKENS[:1]):
        require_refused(lambda: of(mix, words=nn.Embedding(9, 5)), ids, "other samples")


class OwnNorm(nn.BatchNorm1d):
    """In eval mode, and of the batch all the same."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean(0)) / (x.var(0, unbiased=False) + self.eps).sqrt() * self.weight + self.bias


def test_a_subclass_of_batch_norm_is_what_it_computes() -> None:
    require_refused(lambda: built(lambda: nn.Sequential(nn.Linear(4, 5), OwnNorm(5), nn.Linear(5, 2)).eval()), X, "other samples")


class RunningNorm(nn.Module):
    """Batch statistics by function, kept in buffers of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 5)
        self.register_buffer("mean", torch.zeros(5))
        self.register_buffer("spread", torch.ones(5))

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(self.layer(x), self.mean, self.spread, training=True)


def test_buffers_of_a_refused_network_are_as_they_were() -> None:
    model = built(RunningNorm)
    with pytest.raises(ModelError, match="not one alone"):
        empirical_ntk(model, X)
    assert not model.mean.any() and bool((model.spread == 1).all())


_RARE = 1e-4


@pytest.mark.parametrize(
    ("forward", "held"),
    [
        (lambda net, x: net.b(F.dropout(net.a(x), _RARE, training=True)), None),
        (lambda net, x: net.b(net.a(x)) * (0.0 if float(torch.rand(())) < _RARE else 1.0), None),
        (lambda net, x: net.b(net.a(x)) * (0.0 if random.random() < _RARE else 1.0), None),
        (lambda net, x: net.b(net.a(x)) * (0.0 if np.random.rand() < _RARE else 1.0), None),
        (lambda net, x: net.b(net.a(x)) + 1e-14 * torch.randn(2, dtype=x.dtype), None),
        (lambda net, x: net.b(net.a(x)) * (torch.rand((), generator=net.draw) >= _RARE), torch.Generator),
        (lambda net, x: net.b(net.a(x)) * float(net.draw.random() >= _RARE), np.random.default_rng),
        (lambda net, x: net.b(net.a(x)) * float(net.draw.random() >= _RARE), random.Random),
    ],
)
def test_randomness_is_asked_of_the_generators(forward, held) -> None:
    require_refused(lambda: of(forward, **({} if held is None else {"draw": held()})), X, "random")


def test_networks_that_only_look_like_it_are_not_refused() -> None:
    require_right(of(lambda net, x: net.b(torch.nan_to_num(net.a(x)))), X)
    require_right(of(lambda net, x: net.b(net.a(x * 0 if bool(torch.isnan(x).any()) else x))), X)  # what is not a number takes a path
    require_right(of(lambda net, x: net.b(torch.tanh(net.a(x.sqrt())))), X.abs() + 0.1)
    require_right(of(lambda net, x: net.b(net.words(x.long()).mean(1)), words=nn.Embedding(9, 5)), TOKENS.double())
    require_right(built(lambda: nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.0), nn.Linear(5, 2))).train(), X)


def test_a_network_that_depends_on_what_it_was_shown_is_refused() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        net.calls += 1
        return net.b(net.a(x)) * (1 + 0.1 * net.calls)

    require_refused(lambda: of(forward, calls=0), X, "different outputs")


# ---- the network is left as it was ----------------------------------------------------------------------------------------------------


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


# ---- precision ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["autocast", "autocast in inference mode", "inference mode", "no gradients", "coarse products"])
def surroundings(request):
    """What a caller may have switched on."""
    if request.param == "coarse products":
        torch.set_float32_matmul_precision("medium")
        yield
        assert torch.get_float32_matmul_precision() == "medium"
        torch.set_float32_matmul_precision("highest")
        return
    if request.param == "no gradients":
        with torch.no_grad():
            yield
        return
    inference = torch.inference_mode("inference" in request.param)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled="autocast" in request.param), inference:
        yield


def test_whatever_the_caller_set_the_kernel_is_right_to_its_dtype(surroundings) -> None:
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast("cpu", enabled=False):
        model = built(lambda: nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.PReLU(), nn.Linear(8, 3))).float()
        expected = full(copy.deepcopy(model).double(), X.float().double())
    x = X.float()  # made in inference mode, where that is on
    scale = 1e-5 * expected.max()  # a hundred roundings of float32
    for _ in range(2):  # the second time with what was kept
        np.testing.assert_allclose(empirical_ntk(model, x, outputs="full").values, expected, rtol=0, atol=scale)
        np.testing.assert_allclose(empirical_ntk(model, x, x * 1, outputs="full").values, expected, rtol=0, atol=scale)
        np.testing.assert_allclose(ntk_diagonal(model, x), np.einsum("iioo->i", expected) / 3, rtol=0, atol=scale)
        tiles = {(row, column): tile for row, column, tile in ntk_tiles(model, x, outputs="full", tile=5)}
        np.testing.assert_allclose(tiles[0, 1], expected[:5, 5:], rtol=0, atol=scale)
        exact = empirical_ntk(model, x, outputs="full", dtype=torch.float64).values
        np.testing.assert_allclose(exact, expected, rtol=0, atol=ROUNDING * expected.max())


def inner_autocast(net: Of, x: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        h = net.a(x)
    return net.b(torch.tanh(h.float()))


@pytest.mark.parametrize(
    ("make", "x", "word"),
    [
        (lambda: of(inner_autocast).float(), X.float(), "bfloat16"),
        (lambda: of(lambda net, x: net.b(torch.tanh(net.a(x).half()).float())).float(), X.float(), "float16"),
        (lambda: of(lambda net, x: net.b(torch.tanh(net.a(x).float()).double())), X, "float32"),
    ],
)
def test_a_part_in_a_lower_precision_is_refused_with_that_reason(make, x: Tensor, word: str) -> None:
    require_refused(make, x, word)


def test_masks_in_a_lower_precision_are_exact() -> None:
    def forward(net: Of, ids: Tensor) -> Tensor:
        mask = (ids != 0).float()
        return net.b((net.words(ids) * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1))

    require_right(of(forward, words=nn.Embedding(9, 5)), TOKENS)


class ComplexLayers(nn.Module):
    """Complex weights alone, in layers that would have a closed form if they were real."""

    def __init__(self, dtype: torch.dtype = torch.complex128) -> None:
        super().__init__()
        self.linear, self.conv = nn.Linear(4, 5, dtype=dtype), nn.Conv1d(1, 2, 2, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(self.linear(x.to(self.linear.weight.dtype))[:, None]).flatten(1)
        return h.real * h.imag + h.abs()


def complex_jacobians(model: nn.Module, x: Tensor) -> Tensor:
    """(n, k, P): of the real and imaginary parts of every weight."""
    rows = []
    for sample in x:
        found = [torch.autograd.grad(output, list(model.parameters()), retain_graph=True) for output in model(sample[None])[0]]
        rows.append(torch.stack([torch.cat([torch.view_as_real(g.resolve_conj()).flatten() for g in gradients]) for gradients in found]))
    return torch.stack(rows)


def test_both_parts_of_complex_weights_count() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, single = ComplexLayers(), ComplexLayers(torch.complex64)
    rows = complex_jacobians(model, X)
    expected = torch.einsum("iop,jqp->ijoq", rows, rows).numpy()
    scale = expected.max()
    np.testing.assert_allclose(empirical_ntk(model, X, outputs="full").values, expected, rtol=0, atol=ROUNDING * scale)
    np.testing.assert_allclose(ntk_diagonal(model, X, reduction="sum"), np.einsum("iioo->i", expected), rtol=0, atol=ROUNDING * scale)
    whole = empirical_ntk(model, X, outputs="first", compression=Compression("subset", 10**6)).values  # keeps everything
    np.testing.assert_allclose(whole, expected[:, :, 0, 0], rtol=0, atol=ROUNDING * scale)
    assert sum(entry.size for entry in layer_plan(model, X).entries) == rows.shape[2]
    rows = complex_jacobians(single, X.float()).double()
    expected = torch.einsum("iop,jqp->ijoq", rows, rows).numpy()
    np.testing.assert_allclose(empirical_ntk(single, X.float(), outputs="full").values, expected, rtol=0, atol=1e-5 * expected.max())
    converted = empirical_ntk(single, X.float(), outputs="full", dtype=torch.float64)
    np.testing.assert_allclose(converted.values, expected, rtol=0, atol=1e-5 * expected.max())
    assert converted.dtype == "float64"


# ---- no raw error ---------------------------------------------------------------------------------------------------------------------


def checkpointed(kind: str) -> Of:
    def forward(net: Of, x: Tensor) -> Tensor:
        if kind == "first":
            return net.b(checkpoint(net.a, x, use_reentrant=True))
        if kind == "last":
            return checkpoint(net.b, torch.tanh(net.a(x)), use_reentrant=True)
        return checkpoint_sequential(nn.Sequential(net.a, nn.Tanh(), net.b), 2, x, use_reentrant=True)

    return of(forward)


@pytest.mark.parametrize("kind", ["first", "last", "in turn"])
def test_reentrant_checkpoints_are_refused_with_the_remedy(kind: str) -> None:
    require_refused(lambda: checkpointed(kind), X, "use_reentrant=False")


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_torchscript_runs_a_sample_at_a_time() -> None:
    def images() -> nn.Module:
        return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2)).eval()

    class Part(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.inner, self.last = nn.Linear(4, 5), torch.jit.script(nn.Linear(5, 5)), nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(torch.tanh(self.inner(self.first(x))))

    require_right(torch.jit.script(built(images)), IMAGES)
    require_right(torch.jit.trace(built(images), IMAGES[:2]), IMAGES)
    model = built(Part)
    require_right(model, X)
    with torch.no_grad():
        next(model.inner.parameters()).mul_(2)
    require_right(model, X)
    trained = torch.jit.script(built(images).train())
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    with pytest.raises(ModelError, match="samples"):
        empirical_ntk(trained, IMAGES)
    assert all(torch.equal(before[name], value) for name, value in trained.state_dict().items())


@pytest.mark.parametrize("norm", [nn.GroupNorm(3, 6), nn.InstanceNorm2d(6, affine=True), nn.BatchNorm2d(6)])
@pytest.mark.parametrize("weights", [torch.contiguous_format, torch.channels_last])
def test_any_layout_of_images_and_weights(norm: nn.Module, weights: torch.memory_format) -> None:
    layers = nn.Conv2d(2, 6, 3, padding=1), norm, nn.Tanh(), nn.Conv2d(6, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(), nn.Linear(64, 2)
    model = built(lambda: nn.Sequential(*layers)).eval().to(memory_format=weights)
    for images in (IMAGES.to(memory_format=torch.channels_last), IMAGES.transpose(2, 3), IMAGES[:1].expand(4, -1, -1, -1), IMAGES[::2]):
        require_right(model, images)


def test_a_network_that_views_its_images() -> None:
    model = of(lambda net, x: net.b(net.head(torch.tanh(net.conv(x)).view(len(x), -1))), conv=nn.Conv2d(2, 3, 3), head=nn.Linear(48, 5))
    require_right(model, IMAGES.to(memory_format=torch.channels_last))


def test_numbers_in_any_form() -> None:
    model = built(lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)))
    x, expected = X.numpy(), full(model, X)
    unaligned = np.zeros(x.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(x.shape)
    unaligned[...] = x
    table = np.zeros(len(x), dtype=[("id", "i1"), ("x", ">f8", (4,))])
    table["x"] = x
    for form in (x.astype(">f8"), np.asfortranarray(x.astype(np.longdouble)), np.ma.masked_array(x), unaligned, table["x"]):
        for z in (None, form):
            found = empirical_ntk(model, form if z is None else x, z, outputs="full").values
            np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * expected.max())
    tokens = built(lambda: nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(20, 3)))
    expected = full(tokens, TOKENS)
    for form in (">i8", ">i4", ">u2", "u4", "u8"):
        found = empirical_ntk(tokens, TOKENS.numpy().astype(form), TOKENS, outputs="full").values
        np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * expected.max())


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((3, 4), "m8[s]"),
        np.zeros((3, 4), "M8[s]"),
        np.zeros((3, 4), "S3"),
        np.zeros((3, 4), np.clongdouble),
        np.full((3, 4), 2**63, np.uint64),
        torch.eye(4).to_sparse(),
        torch.eye(4, device="meta"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(x) -> None:
    model = built(lambda: nn.Linear(4, 2))
    with pytest.raises(DataError):
        empirical_ntk(model, x)
    with pytest.raises(DataError):
        empirical_ntk(model, X, x)


def test_masked_values_are_no_data() -> None:
    masked = np.ma.masked_array(X.numpy().copy())
    masked[4, 2] = np.ma.masked
    for call in (lambda: empirical_ntk(of(detached_mean), masked), lambda: empirical_ntk(built(lambda: nn.Linear(4, 2)), X, masked)):
        with pytest.raises(DataError, match=r"masked \(first: sample 4"):
            call()


@pytest.mark.parametrize("outputs", ["pseudo", "full", "mean"])
def test_a_blank_image_is_named(outputs: str) -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        spread = x.std((1, 2, 3), keepdim=True)  # of a blank image zero
        return net.b(net.head(torch.tanh(net.conv(x / spread)).flatten(1)))

    def network() -> Of:
        return of(forward, conv=nn.Conv2d(2, 3, 3), head=nn.Linear(48, 5))

    images = IMAGES.clone()
    images[3] = 0
    for x, z, word in ((images, None, "sample 3 of x"), (images[3:], None, "sample 0 of x"), (IMAGES, images, "sample 3 of z")):
        with pytest.raises(ComputationError, match=word):
            empirical_ntk(network(), x, z, outputs=outputs)
        with pytest.raises(ComputationError, match=word):
            list(ntk_tiles(network(), x, z, outputs=outputs, tile=2))
    model = network()
    with pytest.raises(ComputationError, match="sample 0"):
        ntk_diagonal(model, images[3:])
    require_right(model, IMAGES)  # nothing is kept from it


def test_what_is_no_network_or_no_device_is_refused() -> None:
    with pytest.raises(ModelError, match="torch module"):
        empirical_ntk(lambda x: x, X)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="torch module"):
        layer_plan(nn.Linear, X)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no device"):
        ntk_diagonal(nn.Linear(4, 2), X, device="gpu")
    with pytest.raises(ModelError, match="cannot be copied"):
        empirical_ntk(of(lambda net, x: net.b(net.a(x)), lock=threading.Lock()), X, dtype=torch.float32)
