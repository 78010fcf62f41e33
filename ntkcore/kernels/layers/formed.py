"""Operations of few parameters, whose per-sample gradients are formed directly."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from ntkcore.kernels.features import ExplicitFeatures, Features, Room, squared_norms
from ntkcore.kernels.layers.base import Site
from ntkcore.kernels.layout import Layout


class FormedPrepared(ABC):
    """What :class:`~ntkcore.kernels.layers.base.Prepared` asks for, by the gradients themselves; ``size`` numbers a sample and scalar."""

    method = "per-sample gradients of its few parameters, formed directly"

    def __init__(self, site: Site, layout: Layout, size: int) -> None:
        self._site, self._layout, self._size = site, layout, size

    @abstractmethod
    def formed(self, gradients: Tensor, rows: slice) -> dict[str, Tensor]:
        """Each role's gradients (s, b', P), for the samples ``rows`` of the batch and their ``gradients`` (s, b', ...)."""

    @abstractmethod
    def numbers(self) -> int:
        """Numbers held for the batch."""

    def collected(self, gradients: Tensor) -> Tensor:
        """The parameters' gradients (c, b, P)."""
        parts = list(self.formed(gradients, slice(None)).values())
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)

    def squared_norms(self, gradients: Tensor) -> Tensor:
        """(c, b) float64."""
        return squared_norms(self.collected(gradients))

    def features(self, collected: Tensor, room: Room) -> list[Features]:
        """The same numbers as a block keeps them."""
        return [ExplicitFeatures.of(collected, self._layout.joined)]

    def pair_numbers(self) -> int:
        """Numbers that :meth:`features` will hold for the batch, all scalars included."""
        return self._site.batch * self._layout.count * self._size

    def placed_numbers(self) -> int:
        """None is formed where it stays."""
        return 0
