"""What one block of samples keeps of a layer's per-sample gradients, so that Gram blocks can be formed from it.

Shapes: b samples, s scalars differentiated for each (:class:`~ntkcore.kernels.layout.Layout`), r rows of the kernel for each (s, or 1
where the scalars' products are summed), P parameters, L positions (1 for a plain linear layer), D inputs and C outputs of a layer per
group, g groups. A block's Gram matrix with another is (b·r, b'·r'), sample by sample, in each its rows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from ntkcore.kernels.products import WHOLE, add_products
from ntkcore.kernels.ways import Products, product

WORKSPACE_BYTES = {"cpu": 32 * 2**20, "cuda": 512 * 2**20}
"""Size of the largest temporary array of one step; larger steps are cut into pieces of this size."""

_LEAF = {"cpu": WHOLE, "cuda": 2048}  # rows of a symmetric block below which both halves are computed
_STRIPE = 128  # rows mirrored at once: what lies on the diagonal is taken apart, which is slow
_SUMMED = 16384  # columns of formed gradients multiplied at once: sums over more of them are added up in float64

Room = Callable[[int, int], Tensor]
"""Gives (b, numbers) of a block's own memory for part so-and-so of a batch's features of one layer: they need not be copied there."""


def numpy_dtype(dtype: torch.dtype) -> type:
    """NumPy's name for float32 and float64."""
    return np.float64 if dtype == torch.float64 else np.float32


def rows_within(workspace_of: Tensor, floats_per_row: int) -> int:
    """How many rows of ``floats_per_row`` numbers fit the workspace of the tensor's device (at least one)."""
    budget = WORKSPACE_BYTES.get(workspace_of.device.type, WORKSPACE_BYTES["cpu"])
    return max(1, budget // max(1, floats_per_row * workspace_of.element_size()))


def _pieces(like: Tensor, here: int, there: int, floats_per_pair: int) -> Iterator[tuple[range, range]]:
    """Rows and columns of samples whose pairs fit the workspace together (at least one pair)."""
    pairs = rows_within(like, floats_per_pair)
    wide = min(there, pairs)
    high = max(1, pairs // wide)
    for top in range(0, here, high):
        for left in range(0, there, wide):
            yield range(top, min(here, top + high)), range(left, min(there, left + wide))


def _rows(samples: range, per_sample: int) -> slice:
    """Their rows of the kernel."""
    return slice(samples.start * per_sample, samples.stop * per_sample)


class Features(Protocol):
    """Per-sample gradients of some parameters for one block of samples, formed or implied."""

    @property
    def samples(self) -> int:
        """How many samples'."""
        ...

    def add_gram(self, other: Self, total: Tensor, way: Products = "blas") -> None:
        """Add the (b·r, b'·r') inner products with another block's gradients to ``total``, which is float64."""
        ...

    def add_own_gram(self, total: Tensor, way: Products = "blas") -> None:
        """Add at least the upper triangle of the (b·r, b·r) inner products of these gradients to ``total``, which is float64."""
        ...

    def part(self, start: int, stop: int) -> Self:
        """The samples ``start`` to ``stop`` of the block, a view."""
        ...

    @classmethod
    def stacked(cls, parts: Sequence[Self]) -> Self:
        """The features of several blocks of samples, one below the other."""
        ...


@dataclass(frozen=True, slots=True)
class ExplicitFeatures:
    """Gradients themselves: ``rows`` (b·r, P), or (b, s·P) where the scalars' products are summed; ``per_sample`` is r."""

    rows: Tensor
    per_sample: int

    @property
    def samples(self) -> int:
        return self.rows.shape[0] // self.per_sample

    @classmethod
    def of(cls, gradients: Tensor, joined: bool) -> "ExplicitFeatures":
        """From ``gradients`` (s, b, P)."""
        return cls.by_sample(gradients.transpose(0, 1).contiguous(), joined)

    @classmethod
    def by_sample(cls, gradients: Tensor, joined: bool) -> "ExplicitFeatures":
        """From contiguous ``gradients`` (b, s, P)."""
        return cls(gradients.flatten(1), 1) if joined else cls(gradients.flatten(0, 1), gradients.shape[1])

    @classmethod
    def stacked(cls, parts: Sequence["ExplicitFeatures"]) -> "ExplicitFeatures":
        """One layer's gradients of several blocks of samples, one below the other."""
        return cls(torch.cat([part.rows for part in parts]), parts[0].per_sample)

    def add_gram(self, other: "ExplicitFeatures", total: Tensor, way: Products = "blas") -> None:
        for here, there in zip(self.pieces(), other.pieces(), strict=True):
            total += product(here, there, way)

    def add_own_gram(self, total: Tensor, way: Products = "blas") -> None:
        _by_halves(self, total, self.per_sample, way)

    def pieces(self) -> tuple[Tensor, ...]:
        """Columns that are multiplied at once."""
        return self.rows.split(_SUMMED, 1)

    def part(self, start: int, stop: int) -> "ExplicitFeatures":
        return ExplicitFeatures(self.rows[start * self.per_sample : stop * self.per_sample], self.per_sample)


@dataclass(frozen=True, slots=True)
class PositionFeatures:
    """A weight's gradient as a sum over positions, ``sum_l g_l u_l^T``, never formed.

    ``inputs`` (g, b·L, D) and ``gradients`` (g, b·r·L, C), or (g, b·L, s·C) where the scalars' products are summed; with ``bias`` the
    bias's gradient ``sum_l g_l`` is included. The Gram entry is ``sum_{l,l'} (<u_l, u'_l'> + 1) <g_l, g'_l'>``, the 1 being the bias's.
    """

    inputs: Tensor
    gradients: Tensor
    positions: int
    per_sample: int
    bias: bool

    @property
    def samples(self) -> int:
        return self.inputs.shape[1] // self.positions

    @classmethod
    def stacked(cls, parts: Sequence["PositionFeatures"]) -> "PositionFeatures":
        """One layer's features of several blocks of samples, one below the other."""
        inputs, gradients = torch.cat([p.inputs for p in parts], 1), torch.cat([p.gradients for p in parts], 1)
        return cls(inputs, gradients, parts[0].positions, parts[0].per_sample, parts[0].bias)

    def add_gram(self, other: "PositionFeatures", total: Tensor, way: Products = "blas") -> None:
        length, r = self.positions, self.per_sample
        if other is self and length == r == 1 and total.device.type == "cpu":
            self._add_symmetric(total.numpy())
            return
        here, there = self.inputs.shape[1] // length, other.inputs.shape[1] // length
        for rows, columns in _pieces(self.inputs, here, there, length * length * (r * r + 1)):
            mine = self if len(rows) == here else self.part(rows.start, rows.stop)
            theirs = other if len(columns) == there else other.part(columns.start, columns.stop)
            target = total if mine is self and theirs is other else total[_rows(rows, r), _rows(columns, r)]
            groups = mine.inputs.unbind(), theirs.inputs.unbind(), mine.gradients.unbind(), theirs.gradients.unbind()
            for u, v, g, h in zip(*groups, strict=True):
                products, weighted = product(u, v, way), product(g, h, way)
                if self.bias:
                    products += 1
                if length == r == 1:
                    target += weighted.mul_(products)
                    continue
                weighted = weighted.view(-1, r, length, len(columns), r, length)
                weighted *= products.view(-1, 1, length, len(columns), 1, length)
                summed = weighted.sum((2, 5)) if length > 1 else weighted
                target += summed.view(-1, len(columns) * r)

    def _add_symmetric(self, total: np.ndarray) -> None:
        """The same of a small block with itself, by NumPy, which knows the products for symmetric and spends less on each call."""
        with np.errstate(all="ignore"):  # what is not finite is refused with the whole kernel
            for u, g in zip(self.inputs.numpy(), self.gradients.numpy(), strict=True):
                products = u @ u.T
                if self.bias:
                    products += 1
                products *= g @ g.T
                total += products

    def add_own_gram(self, total: Tensor, way: Products = "blas") -> None:
        _by_halves(self, total, self.per_sample, way)

    def part(self, start: int, stop: int) -> "PositionFeatures":
        length, r = self.positions, self.per_sample
        inputs, gradients = self.inputs[:, start * length : stop * length], self.gradients[:, start * r * length : stop * r * length]
        return PositionFeatures(inputs, gradients, length, r, self.bias)


@dataclass(frozen=True, slots=True)
class TokenFeatures:
    """An embedding's gradient: ``gradients`` (b·r·L, D), or (b·L, s·D) where the scalars' products are summed, belong to the rows
    ``tokens`` (b·L,) of the table."""

    tokens: Tensor
    gradients: Tensor
    positions: int
    per_sample: int

    @property
    def samples(self) -> int:
        return self.tokens.shape[0] // self.positions

    @classmethod
    def stacked(cls, parts: Sequence["TokenFeatures"]) -> "TokenFeatures":
        """One table's features of several blocks of samples, one below the other."""
        tokens, gradients = torch.cat([p.tokens for p in parts]), torch.cat([p.gradients for p in parts])
        return cls(tokens, gradients, parts[0].positions, parts[0].per_sample)

    def add_gram(self, other: "TokenFeatures", total: Tensor, way: Products = "blas") -> None:
        length, r = self.positions, self.per_sample
        here, there = self.tokens.shape[0] // length, other.tokens.shape[0] // length
        for rows, columns in _pieces(self.gradients, here, there, length * length * (r * r + 1)):
            mine, theirs = self.part(rows.start, rows.stop), other.part(columns.start, columns.stop)
            equal = mine.tokens[:, None] == theirs.tokens[None, :]
            weighted = (mine.gradients @ theirs.gradients.T).view(-1, r, length, len(columns), r, length)
            weighted *= equal.view(-1, 1, length, len(columns), 1, length)
            total[_rows(rows, r), _rows(columns, r)] += weighted.sum((2, 5)).view(-1, len(columns) * r)

    def add_own_gram(self, total: Tensor, way: Products = "blas") -> None:
        _by_halves(self, total, self.per_sample, way)

    def part(self, start: int, stop: int) -> "TokenFeatures":
        length, r = self.positions, self.per_sample
        tokens, gradients = self.tokens[start * length : stop * length], self.gradients[start * r * length : stop * r * length]
        return TokenFeatures(tokens, gradients, length, r)


@dataclass(frozen=True, slots=True)
class Block:
    """All features of one block of samples; every block of one computation has the same kinds in the same order."""

    parts: tuple[Features, ...]
    samples: int
    per_sample: int

    def part(self, start: int, stop: int) -> "Block":
        """The samples ``start`` to ``stop``, a view."""
        return Block(tuple(part.part(start, stop) for part in self.parts), stop - start, self.per_sample)

    def gram(self, other: "Block", like: Tensor, way: Products = "blas") -> Tensor:
        """(b·r, b'·r') inner products with another block's gradients, in ``like``'s dtype and on its device.

        Products of parts of the gradients are taken in ``like``'s dtype and added up in float64: a float32 sum over all of a
        network's weights would lose digits with their number.
        """
        total = like.new_zeros(self.samples * self.per_sample, other.samples * other.per_sample, dtype=torch.float64)
        left: list[Tensor] = []
        right: list[Tensor] = []
        for here, there in zip(self.parts, other.parts, strict=True):
            if isinstance(here, ExplicitFeatures) and isinstance(there, ExplicitFeatures) and total.device.type == "cpu":
                left += here.pieces()  # of all layers at once, so that processors share them
                right += there.pieces()
            else:
                here.add_gram(there, total, way)
        if left:
            add_products(left, right, total, _SUMMED, way)
        return total.to(like.dtype)

    def own_gram(self, like: Tensor, way: Products = "blas") -> Tensor:
        """(b·r, b·r) inner products of the block's own gradients: exactly symmetric, at half the multiplications."""
        side = self.samples * self.per_sample
        total = like.new_zeros(side, side, dtype=torch.float64)
        formed: list[Tensor] = []
        for part in self.parts:
            if isinstance(part, ExplicitFeatures) and total.device.type == "cpu":
                formed += part.pieces()
            else:
                part.add_own_gram(total, way)
        if formed:
            add_products(formed, None, total, _SUMMED, way)
        if side <= _LEAF.get(like.device.type, _LEAF["cpu"]):  # both halves were computed
            if total.device.type != "cpu":
                return total.add_(total.T.clone()).mul_(0.5).to(like.dtype)
            sums = total.numpy()
            with np.errstate(all="ignore"):
                return torch.from_numpy(((sums + sums.T) * 0.5).astype(numpy_dtype(like.dtype)))
        result = total.to(like.dtype)
        _mirror(result)
        return result


def _by_halves(features: Features, total: Tensor, per_sample: int, way: Products) -> None:
    """The upper triangle of blocks: two halves by themselves, and their product once."""
    samples = len(total) // per_sample
    if len(total) <= _LEAF.get(total.device.type, _LEAF["cpu"]) or samples == 1:
        features.add_gram(features, total, way)
        return
    middle = samples // 2
    upper, lower, cut = features.part(0, middle), features.part(middle, samples), middle * per_sample
    _by_halves(upper, total[:cut, :cut], per_sample, way)
    _by_halves(lower, total[cut:, cut:], per_sample, way)
    upper.add_gram(lower, total[:cut, cut:], way)


def _mirror(total: Tensor) -> None:
    """Copy the upper triangle to the lower, a stripe of rows at a time."""
    step = min(_STRIPE, rows_within(total, total.shape[1]))
    for start in range(0, total.shape[0], step):
        stop = min(total.shape[0], start + step)
        total[start:stop, :start] = total[:start, start:stop].T
        corner = total[start:stop, start:stop]
        corner.copy_(corner.triu() + corner.triu(1).T)


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
