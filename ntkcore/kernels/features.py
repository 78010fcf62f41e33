"""What one block of samples keeps of a layer's per-sample gradients, so that Gram blocks can be formed from it.

Shapes: k outputs, b samples, P parameters, L positions (1 for a plain linear layer), D inputs and C outputs of a layer per
group, g groups. A block's Gram matrix with another is summed over outputs: ``sum_o <grad f_o(x_i), grad f_o(z_j)>``.
"""

from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor

WORKSPACE_BYTES = {"cpu": 32 * 2**20, "cuda": 512 * 2**20}
"""Size of the largest temporary array of one step; larger steps are cut into pieces of this size."""


def rows_within(workspace_of: Tensor, floats_per_row: int) -> int:
    """How many rows of ``floats_per_row`` numbers fit the workspace of the tensor's device (at least one)."""
    budget = WORKSPACE_BYTES.get(workspace_of.device.type, WORKSPACE_BYTES["cpu"])
    return max(1, budget // max(1, floats_per_row * workspace_of.element_size()))


class Features(Protocol):
    """Per-sample gradients of some parameters for one block of samples, formed or implied."""

    def gram(self, other: Self) -> Tensor:
        """(b, b') inner products with another block's gradients, summed over outputs."""
        ...

    def nbytes(self) -> int:
        """Bytes held."""
        ...


@dataclass(frozen=True, slots=True)
class ExplicitFeatures:
    """Gradients themselves: ``rows`` (b, k·P)."""

    rows: Tensor

    @classmethod
    def of(cls, gradients: Tensor) -> "ExplicitFeatures":
        """From ``gradients`` (k, b, P)."""
        return cls(gradients.transpose(0, 1).flatten(1).contiguous())

    def gram(self, other: "ExplicitFeatures") -> Tensor:
        return self.rows @ other.rows.T

    def nbytes(self) -> int:
        return self.rows.nbytes


@dataclass(frozen=True, slots=True)
class PositionFeatures:
    """A weight's gradient as a sum over positions, ``sum_l g_l u_l^T``, never formed.

    ``inputs`` (g, b·L, D) and ``gradients`` (g, b·L, k·C); with ``bias`` the bias's gradient ``sum_l g_l`` is included.
    The Gram entry is ``sum_{l,l'} (<u_l, u'_l'> + 1) <g_l, g'_l'>``, the 1 being the bias's.
    """

    inputs: Tensor
    gradients: Tensor
    positions: int
    bias: bool

    def gram(self, other: "PositionFeatures") -> Tensor:
        groups, rows, _ = self.inputs.shape
        here, there, length = rows // self.positions, other.inputs.shape[1] // other.positions, self.positions
        result = self.inputs.new_zeros(here, there)
        step = rows_within(self.inputs, 2 * length * other.inputs.shape[1])
        for group in range(groups):
            u_there, g_there = other.inputs[group].T, other.gradients[group].T
            for start in range(0, here, step):
                piece = slice(start * length, min(here, start + step) * length)
                products = self.inputs[group, piece] @ u_there
                if self.bias:
                    products += 1
                products *= self.gradients[group, piece] @ g_there
                if length > 1:
                    products = products.view(-1, length, there, length).sum((1, 3))
                result[start : start + step] += products
        return result

    def nbytes(self) -> int:
        return self.inputs.nbytes + self.gradients.nbytes


@dataclass(frozen=True, slots=True)
class TokenFeatures:
    """An embedding's gradient: ``gradients`` (b·L, k·D) belong to the rows ``tokens`` (b·L,) of the table."""

    tokens: Tensor
    gradients: Tensor
    positions: int

    def gram(self, other: "TokenFeatures") -> Tensor:
        length = self.positions
        here, there = self.tokens.shape[0] // length, other.tokens.shape[0] // length
        result = self.gradients.new_zeros(here, there)
        step = rows_within(self.gradients, 2 * length * other.tokens.shape[0])
        for start in range(0, here, step):
            piece = slice(start * length, min(here, start + step) * length)
            products = self.gradients[piece] @ other.gradients.T
            products *= self.tokens[piece, None] == other.tokens[None, :]
            result[start : start + step] = products.view(-1, length, there, length).sum((1, 3))
        return result

    def nbytes(self) -> int:
        return self.tokens.nbytes + self.gradients.nbytes


def squared_norms(gradients: Tensor) -> Tensor:
    """Squared norms over the last axis of ``gradients`` (..., P), in float64.

    Long rows are cut into short ones that are added in float64, so that float32 keeps its seven digits.
    """
    size, piece = gradients.shape[-1], 1024
    if size <= piece or gradients.dtype == torch.float64:
        return torch.linalg.vector_norm(gradients, dim=-1).double().square()
    whole = size - size % piece
    head = torch.linalg.vector_norm(gradients[..., :whole].unflatten(-1, (-1, piece)), dim=-1).double().square().sum(-1)
    return head + torch.linalg.vector_norm(gradients[..., whole:], dim=-1).double().square()
