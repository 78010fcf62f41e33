"""Embedding tables: a sample's gradient has one row per distinct token, the sum over that token's positions."""

import torch
from torch import Tensor, nn

from ntkcore.kernels.features import ExplicitFeatures, Features, Room, TokenFeatures, squared_norms
from ntkcore.kernels.layout import Layout


class EmbeddingRule:
    """``nn.Embedding``; the row of ``padding_idx`` is not trained, so it has no gradient."""

    def refusal(self, module: nn.Module, value: Tensor, output: Tensor, batch: int) -> str | None:
        assert isinstance(module, nn.Embedding)
        if value.ndim < 1 or value.shape[0] != batch:
            return "its input's first axis is not the batch"
        return None

    def prepare(
        self, module: nn.Module, value: Tensor, output_shape: tuple[int, ...], layout: Layout, wanted: frozenset[str]
    ) -> "EmbeddingPrepared":
        assert isinstance(module, nn.Embedding)
        return EmbeddingPrepared(value.reshape(value.shape[0], -1).long(), module, layout)


class EmbeddingPrepared:
    """``tokens`` (b, L)."""

    method = "sums over equal tokens"

    def __init__(self, tokens: Tensor, module: nn.Embedding, layout: Layout) -> None:
        self._tokens, self._padding, self._layout = tokens, module.padding_idx, layout
        self._rows, self._width = module.num_embeddings, module.embedding_dim
        # the place where each token first occurs in its sample collects the gradients of all its occurrences
        self._first = (tokens[:, :, None] == tokens[:, None, :]).to(torch.uint8).argmax(-1)

    def _merged(self, gradients: Tensor) -> Tensor:
        """(c, b, *output) -> (c, b, L, D), repeated tokens summed at their first place, zero at the others."""
        flat = gradients.reshape(*gradients.shape[:2], -1, self._width)
        if self._padding is not None:
            flat = flat * (self._tokens != self._padding).unsqueeze(-1)
        index = self._first[None, :, :, None].expand_as(flat)
        return torch.zeros_like(flat, memory_format=torch.contiguous_format).scatter_add_(2, index, flat)

    def squared_norms(self, gradients: Tensor) -> Tensor:
        return squared_norms(self._merged(gradients).flatten(2))

    def collected(self, gradients: Tensor) -> Tensor:
        return gradients

    def features(self, collected: Tensor, room: Room) -> list[Features]:
        merged = self._merged(collected)
        _, batch, length, width = merged.shape
        if self._dense():
            return [ExplicitFeatures.of(self._table(merged, slice(None)), self._layout.joined)]
        joined = self._layout.joined
        rows = merged.permute(1, 2, 0, 3).reshape(batch * length, -1) if joined else merged.transpose(0, 1).reshape(-1, width)
        return [TokenFeatures(self._tokens.flatten(), rows, length, self._layout.rows)]

    def formed(self, gradients: Tensor, rows: slice) -> dict[str, Tensor]:
        flat = gradients.reshape(*gradients.shape[:2], -1, self._width)
        if self._padding is not None:
            flat = flat * (self._tokens[rows] != self._padding).unsqueeze(-1)
        return {"weight": self._table(flat, rows)}

    def _table(self, gradients: Tensor, rows: slice) -> Tensor:
        """(s, b', L, D) added up in the rows of their tokens: (s, b', rows · D)."""
        table = gradients.new_zeros(*gradients.shape[:2], self._rows, self._width)
        return table.scatter_add_(2, self._tokens[rows][None, :, :, None].expand_as(gradients), gradients).flatten(2)

    def _dense(self) -> bool:
        return self._rows <= self._tokens.shape[1] ** 2

    def numbers(self) -> int:
        return self._tokens.numel() * (2 + self._tokens.shape[1] // 4)

    def pair_numbers(self) -> int:
        length = self._rows if self._dense() else self._tokens.shape[1]
        return self._tokens.shape[0] * self._layout.count * length * self._width

    def placed_numbers(self) -> int:
        return 0
