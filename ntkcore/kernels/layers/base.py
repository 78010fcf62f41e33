"""The interface between the capture of a layer and the mathematics of its parameters."""

from typing import Protocol

from torch import Tensor, nn

from ntkcore.kernels.features import Features, Room
from ntkcore.kernels.layout import Layout


class Prepared(Protocol):
    """One layer on one batch, ready for the gradients of its output; holds what depends on the layer's input only."""

    @property
    def method(self) -> str:
        """How gradients' products are found, in words."""
        ...

    def squared_norms(self, gradients: Tensor) -> Tensor:
        """(c, b) float64 squared gradient norms for ``gradients`` (c, b, *output): c of the outputs, b samples."""
        ...

    def collected(self, gradients: Tensor) -> Tensor:
        """What :meth:`features` needs of ``gradients`` (c, b, *output) of some scalars: (c, b, ...)."""
        ...

    def features(self, collected: Tensor, room: Room) -> list[Features]:
        """What Gram blocks need, for what is ``collected`` (s, b, ...) of all the layout's scalars; ``room`` may hold the largest parts."""
        ...

    def formed(self, gradients: Tensor, rows: slice) -> dict[str, Tensor]:
        """Each wanted parameter's gradients (s, b', P), for the samples ``rows`` of the batch and their ``gradients`` (s, b', *output)."""
        ...

    def numbers(self) -> int:
        """Numbers held for the batch."""
        ...

    def pair_numbers(self) -> int:
        """Numbers that :meth:`features` will hold for the batch, all scalars included."""
        ...

    def placed_numbers(self) -> int:
        """Those of them that are formed in the ``room``."""
        ...


class LayerRule(Protocol):
    """Knows one family of layers."""

    def refusal(self, module: nn.Module, value: Tensor, output: Tensor, batch: int) -> str | None:
        """Why this call of the layer cannot be factored, or None."""
        ...

    def prepare(self, module: nn.Module, value: Tensor, output_shape: tuple[int, ...], layout: Layout, wanted: frozenset[str]) -> Prepared:
        """For the layer's input ``value`` (b, ...), the kernel's layout and the ``wanted`` of its parameters ("weight", "bias")."""
        ...
