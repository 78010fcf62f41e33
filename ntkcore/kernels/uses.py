"""Which operations take each parameter, read from autograd's graph: what a network does with a weight, whatever its layers are called."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

_LEAF = type(torch.ones(1, requires_grad=True).exp().grad_fn.next_functions[0][0])  # type: ignore[union-attr]  # exp is differentiable
_ALONE = frozenset({"TBackward0", "ViewBackward0", "UnsafeViewBackward0", "UnsqueezeBackward0", "RepeatBackward0"})
"""Operations that another form of a parameter comes from, without a number that is not one of its own."""

TURNED, REPEATED = "TBackward0", "RepeatBackward0"


class Way(NamedTuple):
    """How a parameter is used, the same in every pass: by what ``operation``, as which of its inputs, ``through`` which others before."""

    operation: type
    place: int
    through: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The operation's name."""
        return self.operation.__name__


class Use(NamedTuple):
    """An operation that takes a parameter, or another form of it.

    ``node`` is the operation in the graph, and ``source`` the node that this input of it comes from: the parameter's own, or that of the
    last of the operations which it went through before.
    """

    node: Node
    way: Way
    source: Node

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what the operation gets."""
        return shape_of(self.source)


Uses = dict[int, list[Use]]
"""Of one pass, by the parameter's id."""


def uses_of(outputs: Tensor) -> Uses:
    """All uses of each parameter in the pass that gave the ``outputs``."""
    takers: dict[Node, list[tuple[Node, int]]] = {}
    leaves: list[Node] = []
    waiting = [] if outputs.grad_fn is None else [outputs.grad_fn]
    while waiting:
        node = waiting.pop()
        for place, (following, _) in enumerate(node.next_functions):
            if following is None:
                continue
            if following in takers:
                takers[following].append((node, place))
                continue
            takers[following] = [(node, place)]
            if type(following) is _LEAF:
                leaves.append(following)
            else:
                waiting.append(following)
    found: Uses = {}
    for leaf in leaves:
        found[id(leaf.variable)] = _reached(leaf, (), takers)  # type: ignore[attr-defined]  # a leaf has it
    return found


def _reached(source: Node, through: tuple[str, ...], takers: dict[Node, list[tuple[Node, int]]]) -> list[Use]:
    found = []
    for node, place in takers[source]:
        operation = type(node)
        if operation.__name__ in _ALONE and node in takers:
            found += _reached(node, (*through, operation.__name__), takers)
        else:
            found.append(Use(node, Way(operation, place, through), source))
    return found


def shape_of(node: Node) -> tuple[int, ...]:
    """Of an operation's (first) result."""
    return tuple(node._input_metadata[0].shape)  # of the gradients that it gets


def dtype_of(node: Node) -> torch.dtype:
    """Of an operation's (first) result."""
    found: torch.dtype = node._input_metadata[0].dtype
    return found


def edge_of(node: Node) -> GradientEdge:
    """Where the gradient of an operation's (first) result is."""
    return GradientEdge(node, 0)
