"""Which of several ways to the same numbers is the quickest on this machine: measured once, and one for all parts of a job.

A processor's libraries differ in what they are good at: on an AMD EPYC the matrix products that torch calls run at half the rate of
oneDNN's, on an Intel Xeon at the same. The ways differ in the order of sums, and so in the last digits: the same bytes are promised for
the same ways, type of device, precision and tile.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal, get_args

import torch
from torch import Tensor

from ntkcore.errors import DataError

Products = Literal["blas", "onednn"]
Weights = Literal["windows", "grouped"]

_TIMES = 3  # that each way is timed, in turn: other work can only slow it
_CLEAR = 0.9  # of the plain way's seconds, which another must not exceed
_SAME = 1e-4  # relative, of two ways' results in float32: a sum of thousands of products is 1e-6 off, another sum not near it
_ROWS, _COLUMNS = 256, 4096  # of the product that is timed
_IMAGES, _CHANNELS, _SIDE = 8, 32, 16  # of the convolution


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


TIMED = "products blas", "products onednn", "weights windows", "weights grouped"
"""What is timed, in this order."""

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


def ways_seconds() -> tuple[float, ...]:
    """What each of TIMED takes on one thread of this machine, measured in less than a tenth of a second; infinity for what it has not."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            return (*_timed(*_products()), *_timed(*_weights()))
    finally:
        torch.set_num_threads(before)


def chosen(taken: Sequence[float]) -> Ways:
    """The ways that are quickest by the :func:`ways_seconds` of each; the plain one where another is not clearly quicker."""
    blas, onednn, windows, grouped = taken
    return Ways("onednn" if onednn < _CLEAR * blas else "blas", "grouped" if grouped < _CLEAR * windows else "windows")


@cache
def measured() -> Ways:
    """Those that are quickest in this process, measured when it is first asked for."""
    return chosen(ways_seconds())


def choosable(like: Tensor) -> bool:
    """Whether there is a choice for a network with weights ``like`` this, on its device and in its precision."""
    return like.device.type == "cpu" and like.dtype == torch.float32 and torch.backends.mkldnn.is_available()


def _products() -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    left, right = _drawn(2, _ROWS, _COLUMNS)
    return lambda: product(left, right, "blas"), lambda: product(left, right, "onednn")


def _weights() -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    """A convolution's three passes with the channels last and its windows copied out, and with the channels first and grouped."""
    first, gradients = _drawn(2, _IMAGES, _CHANNELS, _SIDE, _SIDE)
    last, results = (image.contiguous(memory_format=torch.channels_last) for image in (first, gradients))
    weight = _drawn(_CHANNELS, _CHANNELS, 3, 3)

    def passes(x: Tensor) -> None:
        torch.nn.functional.conv2d(x, weight, padding=1)
        torch.ops.aten.convolution_backward(x, x, weight, None, (1, 1), (1, 1), (1, 1), False, (0, 0), 1, (True, False, False))

    def windows() -> Tensor:
        passes(last)
        padded = torch.nn.functional.pad(last, (1, 1, 1, 1)).permute(0, 2, 3, 1)
        unfolded = padded.unfold(1, 3, 1).unfold(2, 3, 1).reshape(_IMAGES, _SIDE**2, -1)
        found = results.flatten(2) @ unfolded  # (image, channel of the result, place in the window and channel)
        return found.view(_IMAGES, _CHANNELS, _CHANNELS, 3, 3)

    def grouped() -> Tensor:
        passes(first)
        return grouped_weights(first, gradients, (3, 3), (1, 1), (1, 1), (1, 1))

    return windows, grouped


def _drawn(*shape: int) -> Tensor:
    """Numbers around 0, by which a wrong order or place would show; the process's own random numbers stay as they are."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def _timed(plain: Callable[[], Tensor], other: Callable[[], Tensor]) -> tuple[float, float]:
    """Seconds of the processor that both ways take; infinity for the ``other`` where it fails or gives other numbers."""
    found: dict[Callable[[], Tensor], list[float]] = {plain: [], other: []}
    try:
        expected, others = plain(), other()  # also loads the libraries
        right = expected.shape == others.shape and bool((others - expected).norm() <= _SAME * expected.norm())
    except (RuntimeError, AttributeError):  # another build of torch may have it not
        right = False
    for _ in range(_TIMES):
        for way in (plain, other) if right else (plain,):
            begun = time.thread_time()
            way()
            found[way].append(time.thread_time() - begun)
    return min(found[plain]), min(found[other], default=float("inf"))
