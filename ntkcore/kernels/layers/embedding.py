"""Embedding tables: a sample's gradient has one row per distinct token, the sum over that token's positions."""

import torch
from torch import Tensor

from ntkcore.kernels.features import ExplicitFeatures, Features, Room, TokenFeatures, squared_norms
from ntkcore.kernels.layers.base import NOT_BY_SAMPLE, Site
from ntkcore.kernels.layout import Layout
from ntkcore.kernels.uses import Way


class EmbeddingRule:
    """Rows of a table by index; the row of ``padding_idx`` is not trained, so it has no gradient."""

    axes: tuple[int, ...] = (0, 1)

    def role(self, way: Way) -> str | None:
        return None if way.through else "weight"

    def refusal(self, site: Site) -> str | None:
        return NOT_BY_SAMPLE if site.node._saved_indices.numel() % site.batch else None

    def prepare(self, site: Site, layout: Layout) -> "EmbeddingPrepared":
        return EmbeddingPrepared(site, layout)


class EmbeddingPrepared:
    """``tokens`` (b, L)."""

    method = "sums over equal tokens"

    def __init__(self, site: Site, layout: Layout) -> None:
        tokens = site.rows(site.node._saved_indices.flatten()).long().contiguous()
        self._rows, self._width = site.uses["weight"].shape
        padding = site.node._saved_padding_idx
        self._padding = padding if 0 <= padding < self._rows else None  # -1 is none, and comes without its sign
        self._site, self._tokens, self._layout = site, tokens, layout
        # the place where each token first occurs in its sample collects the gradients of all its occurrences
        self._first = (tokens[:, :, None] == tokens[:, None, :]).to(torch.uint8).argmax(-1)

    def by_sample(self, raw: Tensor) -> Tensor:
        return self._site.rows(raw.flatten(1, -2), 1)

    def _merged(self, gradients: Tensor) -> Tensor:
        """(c, b, L, D) with repeated tokens summed at their first place, zero at the others."""
        flat = self._trained(gradients, slice(None))
        index = self._first[None, :, :, None].expand_as(flat)
        return torch.zeros_like(flat, memory_format=torch.contiguous_format).scatter_add_(2, index, flat)

    def _trained(self, gradients: Tensor, rows: slice) -> Tensor:
        """Without those of the padding."""
        return gradients if self._padding is None else gradients * (self._tokens[rows] != self._padding).unsqueeze(-1)

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
        return {"weight": self._table(self._trained(gradients, rows), rows)}

    def _table(self, gradients: Tensor, rows: slice) -> Tensor:
        """(s, b', L, D) added up in the rows of their tokens: (s, b', rows · D)."""
        table = gradients.new_zeros(*gradients.shape[:2], self._rows, self._width)
        return table.scatter_add_(2, self._tokens[rows][None, :, :, None].expand_as(gradients), gradients).flatten(2)

    def _dense(self) -> bool:
        return self._rows <= self._tokens.shape[1] ** 2

    def input_numbers(self) -> int:
        return self._tokens.numel()

    def numbers(self) -> int:
        return self._tokens.numel() * (2 + self._tokens.shape[1] // 4)

    def pair_numbers(self) -> int:
        length = self._rows if self._dense() else self._tokens.shape[1]
        return self._tokens.shape[0] * self._layout.count * length * self._width

    def placed_numbers(self) -> int:
        return 0
