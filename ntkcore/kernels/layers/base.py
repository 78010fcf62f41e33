"""The interface between an operation of a forward pass and the mathematics of the parameters that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from ntkcore.kernels.features import Features, Room
from ntkcore.kernels.layout import Layout
from ntkcore.kernels.uses import Use, Way
from ntkcore.kernels.ways import Ways


@dataclass(frozen=True, slots=True)
class Site:
    """One operation of one forward pass of ``batch`` samples, with its ``uses`` of parameters by their roles ("weight", "bias").

    ``kind`` is its name in autograd's graph, ``output`` the shape of its result; ``names`` are the parameters'. ``axis`` says where the
    samples lie in what it gives: first, or second behind the steps of a sequence (0, 1). ``ways`` says how to compute.
    """

    rule: "OperationRule"
    node: Any
    kind: str
    uses: Mapping[str, Use]
    names: Mapping[str, str]
    output: tuple[int, ...]
    batch: int
    axis: int
    ways: Ways

    def rows(self, values: Tensor, axis: int = 0) -> Tensor:
        """(..., b·m, ...) rows of which each sample has m, at an axis, as (..., b, m, ...)."""
        shape, batch = values.shape, self.batch
        if shape[axis] == batch:
            return values.unsqueeze(axis + 1)
        if self.axis == 0:
            return values.reshape(*shape[:axis], batch, shape[axis] // batch, *shape[axis + 1 :])
        return values.reshape(*shape[:axis], shape[axis] // batch, batch, *shape[axis + 1 :]).transpose(axis, axis + 1)


class Prepared(Protocol):
    """One operation on one batch, ready for the gradients of its result; holds what depends on its input only.

    ``gradients`` (c, b, ...) below are those that :meth:`by_sample` gives.
    """

    @property
    def method(self) -> str:
        """How gradients' products are found, in words."""
        ...

    def by_sample(self, raw: Tensor) -> Tensor:
        """Gradients ``raw`` (c, *result) of the operation's result as (c, b, ...): of c outputs, sample by sample."""
        ...

    def squared_norms(self, gradients: Tensor) -> Tensor:
        """(c, b) float64 squared gradient norms for ``gradients`` (c, b, ...): c of the outputs, b samples."""
        ...

    def collected(self, gradients: Tensor) -> Tensor:
        """What :meth:`features` needs of ``gradients`` (c, b, ...) of some scalars: (c, b, ...)."""
        ...

    def features(self, collected: Tensor, room: Room) -> list[Features]:
        """What Gram blocks need, for what is ``collected`` (s, b, ...) of all the layout's scalars; ``room`` may hold the largest parts."""
        ...

    def formed(self, gradients: Tensor, rows: slice) -> dict[str, Tensor]:
        """Each role's gradients (s, b', P), for the samples ``rows`` of the batch and their ``gradients`` (s, b', ...)."""
        ...

    def input_numbers(self) -> int:
        """Numbers in the operation's input."""
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


class OperationRule(Protocol):
    """Knows one family of operations."""

    axes: tuple[int, ...]
    """Where the samples may lie in what it gives, as :class:`Site` counts."""

    def role(self, way: Way) -> str | None:
        """The role ("weight" or "bias") that a parameter has there; None where this use of it has no closed form."""
        ...

    def refusal(self, site: Site) -> str | None:
        """Why this operation has no closed form here, or None."""
        ...

    def prepare(self, site: Site, layout: Layout) -> Prepared:
        """For one pass and the kernel's layout."""
        ...


NOT_BY_SAMPLE = "its samples do not lie along its first axis"
