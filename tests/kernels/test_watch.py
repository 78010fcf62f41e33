"""Networks whose layers do not get the batch's rows (routing, positions, queries) are right against explicit Jacobians."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from kernel_test_networks import IMAGES, TOKENS, Of, X, full, of, require_right
from torch import Tensor, nn

from ntkcore.errors import ModelError
from ntkcore.kernels import empirical_ntk, layer_plan

pytestmark = pytest.mark.filterwarnings("ignore::ntkcore.kernels.FallbackWarning")


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
