"""Several ways to the same numbers, of which one is the quickest on a machine (:mod:`ntkcore.kernels.quickest`).

They differ in the order of sums, and so in the last digits: the same bytes are promised for the same ways, type of device, precision and
tile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from ntkcore.errors import DataError

Products = Literal["blas", "onednn"]
Weights = Literal["windows", "grouped"]


@dataclass(frozen=True, slots=True)
class Ways:
    """How a kernel is computed on a CPU in float32.

    Attributes:
        products: of matrices, by the library that torch is linked with ("blas") or by oneDNN.
        weights: a convolution's gradients of each sample, from its windows, which are copied out ("windows"; images have their channels
            last), or by one convolution in which each sample is a group ("grouped"; images have their channels first).
    """

    products: Products = "blas"
    weights: Weights = "windows"

    def to_json(self) -> dict[str, str]:
        """A document for the store."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, str]) -> "Ways":
        """The ways that :meth:`to_json` wrote.

        Raises:
            DataError: ways that this version has not.
        """
        products, weights = document.get("products"), document.get("weights")
        if len(document) != 2 or products not in get_args(Products) or weights not in get_args(Weights):
            raise DataError(f"The kernel was begun in the ways {dict(document)}.", "Delete what is there of it, and compute it again.")
        return cls(products, weights)  # type: ignore[arg-type]  # one of them


PLAIN = Ways()
"""Those of float64, of a GPU, and of work too small to measure for."""


def product(left: Tensor, right: Tensor, way: Products) -> Tensor:
    """``left @ right.T``."""
    if way == "blas":
        return left @ right.T
    # of parts of rows, oneDNN has but a pass that is a thousand times slower
    found: Tensor = torch.ops.mkldnn._linear_pointwise(left.contiguous(), right.contiguous(), None, "none", [], "")
    return found


def grouped_weights(
    value: Tensor, gradients: Tensor, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> Tensor:
    """(b, C, D, *kernel) each sample's gradient of a convolution's weights, as those of one convolution with a group for each sample.

    Args:
        value: (b, D, height, width) inputs.
        gradients: (b, C, height', width') of the result, of several scalars one after another in C.
    """
    batch, channels = value.shape[:2]
    like = value.new_empty(batch * gradients.shape[1], channels, *kernel)
    inputs, results = (part.reshape(1, -1, *part.shape[2:]) for part in (value, gradients))
    only_weights = (False, True, False)
    _, found, _ = torch.ops.aten.convolution_backward(
        results, inputs, like, None, stride, padding, dilation, False, (0, 0), batch, only_weights
    )
    return found.view(batch, -1, channels, *kernel)
