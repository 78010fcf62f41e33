"""Which of a network's outputs are differentiated, and how their products make one kernel."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from ntkcore.errors import DataError

Outputs = Literal["mean", "pseudo", "first", "full"]


@dataclass(frozen=True, slots=True)
class Layout:
    """The rows of a Jacobian that enter a kernel.

    Attributes:
        outputs: the kernel's form.
        k: the network's outputs.
    """

    outputs: Outputs
    k: int

    @property
    def count(self) -> int:
        """Scalars differentiated for each sample."""
        return self.k if self.outputs in ("mean", "full") else 1

    @property
    def joined(self) -> bool:
        """Whether the products of a sample's scalars are summed into one number per pair."""
        return self.outputs == "mean"

    @property
    def rows(self) -> int:
        """Rows of the kernel, as a matrix, for each sample."""
        return 1 if self.joined else self.count

    @property
    def products(self) -> int:
        """Inner products of gradients taken for each pair of samples."""
        return self.count if self.joined else self.count**2

    def seeds(self, like: Tensor) -> Tensor:
        """(count, k) the combinations of outputs that are differentiated.

        "mean": every output, scaled so that the summed products are ``(1/k) sum_o Theta_oo``; "pseudo": ``sum_o f_o / sqrt(k)``
        (Thesis eq. 3.2); "first": the first output; "full": every output.
        """
        if self.outputs == "pseudo":
            return torch.full((1, self.k), 1 / math.sqrt(self.k), dtype=like.dtype, device=like.device)
        eye = torch.eye(self.k, dtype=like.dtype, device=like.device)
        if self.outputs == "first":
            return eye[:1]
        return eye / math.sqrt(self.k) if self.outputs == "mean" else eye


def layout_of(outputs: str, k: int) -> Layout:
    """The layout of a caller's wish.

    Raises:
        DataError: an unknown form.
    """
    if outputs not in get_args(Outputs):
        raise DataError(f"The form of the kernel is {outputs!r}.", f"Choose one of {', '.join(get_args(Outputs))}.")
    return Layout(outputs, k)  # type: ignore[arg-type]  # checked above
