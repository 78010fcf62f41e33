"""What a parameter does is read from the graph: where it is used, how often, and through what."""

import torch
from torch import nn

from ntkcore.kernels.uses import REPEATED, TURNED, uses_of

X = torch.randn(3, 4)


def ways(outputs: torch.Tensor, parameter: nn.Parameter) -> list[tuple[str, int, tuple[str, ...], tuple[int, ...]]]:
    return [(use.way.kind, use.way.place, use.way.through, use.shape) for use in uses_of(outputs).get(id(parameter), [])]


def test_a_layers_weights_and_their_forms() -> None:
    layer = nn.Linear(4, 5)
    out = layer(X)
    assert ways(out, layer.bias) == [("AddmmBackward0", 0, (), (5,))]
    assert ways(out, layer.weight) == [("AddmmBackward0", 2, (TURNED,), (4, 5))]


def test_every_use_is_found_also_of_another_form() -> None:
    p, q = nn.Parameter(torch.randn(4)), nn.Parameter(torch.randn(4))
    form = p.view(1, 4)
    assert ways(X * form + (X - form), p) == [
        ("SubBackward0", 1, ("ViewBackward0",), (1, 4)),
        ("MulBackward0", 1, ("ViewBackward0",), (1, 4)),
    ]
    assert ways(q.repeat(2) * 2, q) == [("MulBackward0", 0, (REPEATED,), (8,))]
    assert ways(X * q.detach() + p, q) == []


def test_the_same_way_in_another_pass() -> None:
    layer = nn.Linear(4, 5)
    (one,), (other,) = (uses_of(layer(x))[id(layer.weight)] for x in (X, X[:2]))
    assert one.way == other.way
    assert one.way != uses_of(X @ layer.weight.T + layer.bias)[id(layer.weight)][0].way


def test_outputs_without_a_graph_use_nothing() -> None:
    assert uses_of(X) == {}
    leaf = nn.Parameter(torch.randn(4))
    assert ways((leaf * X), leaf)[0][0] == "MulBackward0"
