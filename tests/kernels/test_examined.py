"""What has no kernel is refused whichever samples come first; what is right is right in its precision."""

import copy
import random
import threading

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from kernel_test_networks import ROUNDING, TOKENS, Of, X, built, full, of, require_refused, require_right
from torch import Tensor, nn

from ntkcore.errors import ModelError
from ntkcore.kernels import Compression, empirical_ntk, layer_plan, ntk_diagonal, ntk_tiles

pytestmark = pytest.mark.filterwarnings("ignore::ntkcore.kernels.FallbackWarning")


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


def test_what_other_threads_draw_is_not_the_networks() -> None:
    """A worker's other threads draw from everyone's generator now and then, for their pauses."""
    ended = threading.Event()

    def draw() -> None:
        while not ended.wait(0.02):  # now and then, also for a machine on which a pass takes milliseconds
            random.random()

    other = threading.Thread(target=draw)
    other.start()
    try:
        for _ in range(20):
            empirical_ntk(of(lambda net, x: net.b(net.a(x))), X)
    finally:
        ended.set()
        other.join()


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


@pytest.fixture(
    params=["autocast", "autocast in inference mode", "inference mode", "no gradients", "coarse products", "coarse on a processor"]
)
def surroundings(request):
    """What a caller may have switched on."""
    if request.param == "coarse products":
        torch.set_float32_matmul_precision("medium")
        yield
        assert torch.get_float32_matmul_precision() == "medium"
        torch.set_float32_matmul_precision("highest")
        return
    if request.param == "coarse on a processor":
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"  # torch's other way of saying it, which excludes the first
        yield
        assert torch.backends.mkldnn.matmul.fp32_precision == "bf16"
        torch.backends.mkldnn.matmul.fp32_precision = "ieee"
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
