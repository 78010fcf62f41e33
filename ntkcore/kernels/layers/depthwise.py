"""Depthwise convolutions: each channel has a small kernel of its own, so that unfolding its inputs would be most of the work.

The kernels' gradients of all samples are those of one convolution in which each sample's channels are channels of their own: the
library's own pass for depthwise kernels. That takes kernels of at most three by three, so that larger ones are taken in parts.
"""

from itertools import pairwise, product

import torch
from torch import Tensor

from ntkcore.kernels.layers.base import Site
from ntkcore.kernels.layers.formed import FormedPrepared
from ntkcore.kernels.layers.unfolded import Convolution
from ntkcore.kernels.layout import Layout

_SIDE = 3  # of the largest kernel that oneDNN has a pass of its own for


def is_depthwise(form: Convolution, channels: int, value: Tensor) -> bool:
    """Whether a convolution to so many ``channels`` is one that the library has a quick pass for."""
    alone = form.channels == 1 and channels == form.groups
    quick = value.device.type == "cpu" and value.dtype == torch.float32 and torch.backends.mkldnn.is_available()
    return alone and quick and all(step == 1 for step in form.dilation)


class DepthwisePrepared(FormedPrepared):
    """Of images or series, ``value`` (b, C, *space)."""

    method = "per-sample gradients by one depthwise convolution"

    def __init__(self, site: Site, layout: Layout, form: Convolution, value: Tensor) -> None:
        super().__init__(site, layout, form.groups * (form.width + ("bias" in site.uses)))
        self._form, self._inputs = form, value.numel()
        self._value = _flat(form.padded(value))

    def by_sample(self, raw: Tensor) -> Tensor:
        return raw

    def formed(self, gradients: Tensor, rows: slice) -> dict[str, Tensor]:
        value = self._value[rows]
        found = {"weight": torch.stack([self._weights(value, one) for one in gradients])}
        if "bias" in self._site.uses:
            found["bias"] = gradients.flatten(3).sum(-1)
        return found

    def _weights(self, value: Tensor, gradients: Tensor) -> Tensor:
        """(b', C·K) of one scalar's ``gradients`` (b', C, *space)."""
        side = _flat(gradients).flatten(0, 1).unsqueeze(0)
        inputs = value.flatten(0, 1).unsqueeze(0)
        kernel = _two(self._form.kernel, 1)
        (down, across), groups = _two(self._form.stride, 1), side.shape[1]
        found = value.new_empty(groups, *kernel)
        for (top, bottom), (left, right) in product(*map(_parts, kernel)):
            height, width = down * (side.shape[2] - 1) + bottom - top, across * (side.shape[3] - 1) + right - left
            part = inputs[:, :, top : top + height, left : left + width]
            like = value.new_empty(groups, 1, bottom - top, right - left)
            _, weights, _ = torch.ops.aten.convolution_backward(
                side, part, like, None, (down, across), (0, 0), (1, 1), False, (0, 0), groups, (False, True, False)
            )
            found[:, top:bottom, left:right] = weights[:, 0]
        return found.view(len(value), -1)

    def input_numbers(self) -> int:
        return self._inputs

    def numbers(self) -> int:
        return self._value.numel()


def _parts(size: int) -> list[tuple[int, int]]:
    """A side of the kernel in parts that are as equal as can be."""
    count = -(-size // _SIDE)
    return list(pairwise(size * part // count for part in range(count + 1)))


def _two(sizes: tuple[int, ...], filled: int) -> tuple[int, int]:
    """Of a series as of an image of one row."""
    return (filled, *sizes) if len(sizes) == 1 else sizes  # type: ignore[return-value]  # one or two


def _flat(values: Tensor) -> Tensor:
    """(b, C, *space) as (b, C, height, width) in this order in memory."""
    return (values.unsqueeze(2) if values.ndim == 3 else values).contiguous()
