"""Which of several ways to the same numbers is the quickest on this machine: measured once, and one for all parts of a job.

A processor's libraries differ in what they are good at: on an AMD EPYC the matrix products that torch calls run at half the rate of
oneDNN's, on an Intel Xeon at the same. Timed is what a network's layers call (:mod:`ntkcore.kernels.layers`), not something like it: a
plainer copying of windows once made the other way look twice as quick where it was slower.
"""

import time
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor

from ntkcore.kernels.layers.unfolded import ChannelsLast, Convolution
from ntkcore.kernels.ways import Ways, grouped_weights, product

_TIMES = 9  # that each way is timed, in turn: other work can only slow it
_CLEAR = 0.85  # of the plain way's seconds, which another must not exceed: in whole networks a tenth of what it gains here may be lost
_SAME = 1e-4  # relative, of two ways' results in float32: a sum of thousands of products is 1e-6 off, another sum not near it
_ROWS, _COLUMNS = 256, 4096  # of the product that is timed
_IMAGES, _CHANNELS, _SIDE = 32, 32, 16  # of the convolution

TIMED = "products blas", "products onednn", "weights by windows", "weights by groups"
"""What is timed, in this order."""


def ways_seconds() -> tuple[float, ...]:
    """What each of TIMED takes on one thread of this machine, measured in a fifth of a second; infinity for what it has not."""
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
    """A convolution's passes and its weights' gradients: with the channels last, from windows copied out, and with the channels first."""
    first, gradients = _drawn(2, _IMAGES, _CHANNELS, _SIDE, _SIDE)
    last, results = (image.contiguous(memory_format=torch.channels_last) for image in (first, gradients))
    weight, form = _drawn(_CHANNELS, _CHANNELS, 3, 3), Convolution((3, 3), (1, 1), (1, 1), (1, 1), 1, _CHANNELS)

    def passes(x: Tensor) -> None:
        torch.nn.functional.conv2d(x, weight, padding=1)
        torch.ops.aten.convolution_backward(x, x, weight, None, (1, 1), (1, 1), (1, 1), False, (0, 0), 1, (True, False, False))

    def windows() -> Tensor:
        passes(last)
        found = [results.flatten(2) @ part for part in ChannelsLast(form, last, (_SIDE, _SIDE)).windows(slice(None))]
        return torch.stack(found, 2).view(_IMAGES, _CHANNELS, 3, 3, _CHANNELS).movedim(4, 2)  # from a row, a column, and the channel

    def grouped() -> Tensor:
        passes(first)
        return grouped_weights(first, gradients, form.kernel, form.stride, form.padding, form.dilation)

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
