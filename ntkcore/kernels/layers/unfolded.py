"""What a layer's weights meet at each position of its output: the (unfolded) inputs, as views that are copied out when needed.

Shapes: b samples, g groups, L positions, D inputs to one output of a group (channels per group times the kernel's size).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

_COPIED = {"cpu": 2_400_000, "cuda": 2**28}  # numbers of unfolded inputs copied out at once: on a CPU, few enough to stay near
_NARROW, _FEW = 16, 64  # numbers side by side, and positions, up to which rows of a kernel are not worth products of their own


@dataclass(frozen=True, slots=True)
class Convolution:
    """What a convolution's windows are: ``channels`` of a group in each, of the size ``kernel``, in one or two dimensions."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    channels: int

    @property
    def width(self) -> int:
        """D."""
        return self.channels * math.prod(self.kernel)

    def padded(self, value: Tensor) -> Tensor:
        """The input with the zeros around it."""
        return value if not any(self.padding) else F.pad(value, [side for side in reversed(self.padding) for _ in range(2)])


class Unfolded:
    """u (b, g, D, L), the inputs at each position: a view (b, channels, *kernel, *space), made when needed, that is copied out in parts."""

    def __init__(self, value: Tensor, windows: Callable[[Tensor], Tensor], groups: int, width: int, positions: int) -> None:
        self.groups, self.width, self.positions = groups, width, positions
        self.value, self._make = value, windows
        self._windows: Tensor | None = None

    def part(self, rows: slice) -> Tensor:
        """u of some of the samples."""
        if self._windows is None:
            self._windows = self._make(self.value)
        windows = self._windows[rows]
        return windows.reshape(len(windows), self.groups, self.width, self.positions)

    def all(self) -> Tensor:
        """u of all samples."""
        return self.part(slice(None))

    def step(self) -> int:
        """Samples of a part."""
        return _step(self.value, self.groups * self.width * self.positions)


@dataclass(frozen=True, slots=True)
class ChannelsLast:
    """A convolution's inputs (one group) with the channels last, which is how a CPU reads them fastest.

    Where the kernel moves down one row at a time, a row of the kernel meets rows of the image that lie one below the other: these are
    copied once for all rows of the kernel.
    """

    form: "Convolution"
    value: Tensor
    space: tuple[int, ...]

    @property
    def parts(self) -> int:
        """Pieces that a window is cut into: one for each row of the kernel, or the whole."""
        height, width = self.form.kernel
        large = width * self.form.channels >= _NARROW and math.prod(self.space) > _FEW
        apart = height > 1 and self.form.stride[0] == 1 and large
        return height if apart else 1

    @property
    def width(self) -> int:
        """D of a part."""
        return self.form.width // self.parts

    def step(self) -> int:
        """Samples whose windows are copied out at once."""
        return _step(self.value, math.prod(self.space) * self.width)

    def windows(self, samples: slice) -> list[Tensor]:
        """For each part (b', L, D / parts), the channels varying fastest."""
        form, (height, width) = self.form, self.space
        value = form.padded(self.value[samples]).permute(0, 2, 3, 1)
        batch, rows, _, channels = value.shape
        (down, across), (kernel_rows, kernel_columns) = form.stride, form.kernel
        by_sample, by_row, by_column, by_channel = value.stride()
        within = form.dilation[1] * by_column
        if self.parts == 1:
            shape = (batch, height, width, kernel_rows, kernel_columns, channels)
            steps = (by_sample, down * by_row, across * by_column, form.dilation[0] * by_row, within, by_channel)
            return [value.as_strided(shape, steps, value.storage_offset()).reshape(batch, height * width, -1)]
        strided = value.as_strided(
            (batch, rows, width, kernel_columns, channels),
            (by_sample, by_row, across * by_column, within, by_channel),
            value.storage_offset(),
        )
        copied = strided.reshape(batch, rows * width, -1)
        starts = [row * form.dilation[0] * width for row in range(kernel_rows)]
        return [copied[:, start : start + height * width] for start in starts]


def rows_of(value: Tensor) -> Unfolded:
    """Of a linear layer's input (b, L, D)."""
    return Unfolded(value, lambda rows: rows.transpose(1, 2), 1, value.shape[2], value.shape[1])


def windows_of(form: Convolution, value: Tensor, space: tuple[int, ...]) -> Unfolded:
    """Of a convolution's input (b, channels, *space): D is channels per group times kernel size."""
    kernel, stride, dilation = form.kernel, form.stride, form.dilation
    positions = math.prod(space)

    def windows(value: Tensor) -> Tensor:
        value = form.padded(value)
        whole_image = positions == 1 and tuple(value.shape[2:]) == kernel
        if whole_image or all(size == step == 1 for size, step in zip(kernel, stride, strict=True)):
            return value
        # copying the windows is several times faster on a CPU than torch's own unfolding
        batch_step, channel_step, *steps = value.stride()
        within = [d * step for d, step in zip(dilation, steps, strict=True)]
        between = [s * step for s, step in zip(stride, steps, strict=True)]
        shape = (*value.shape[:2], *kernel, *space)
        return value.as_strided(shape, (batch_step, channel_step, *within, *between), value.storage_offset())

    return Unfolded(value, windows, form.groups, form.width, positions)


def _step(value: Tensor, numbers: int) -> int:
    """Samples of ``numbers`` each that are copied out at once."""
    return max(1, _COPIED.get(value.device.type, _COPIED["cpu"]) // numbers)
