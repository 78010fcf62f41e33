"""Which of a network's outputs are differentiated, and how their products make one kernel."""

import math
from dataclasses import dataclass, field
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
        count: scalars differentiated for each sample.
        joined: whether the products of a sample's scalars are summed into one number per pair.
        rows: rows of the kernel, as a matrix, for each sample.
        products: inner products of gradients taken for each pair of samples.
    """

    outputs: Outputs
    k: int
    count: int = field(init=False)
    joined: bool = field(init=False)
    rows: int = field(init=False)
    products: int = field(init=False)

    def __post_init__(self) -> None:
        count, joined = self.k if self.outputs in ("mean", "full") else 1, self.outputs == "mean"
        derived = {"count": count, "joined": joined, "rows": 1 if joined else count, "products": count if joined else count**2}
        for name, value in derived.items():
            object.__setattr__(self, name, value)

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
