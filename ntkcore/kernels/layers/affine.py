"""Linear layers and convolutions: the weight's gradient is ``sum_l g_l u_l^T`` over positions l.

u_l is the (unfolded) input at position l and g_l the output's gradient there; a plain linear layer has one position. The squared
norm is taken in the cheaper of two ways, by the number of multiplications per sample:

- unfolded gradients: form ``sum_l g_l u_l^T`` (k L C D), then its norm; for one scalar in float32 on a CPU the kernels form them by one
  convolution with a group for each sample instead, which unfolds nothing;
- position-wise products: ``sum_{l,l'} <u_l, u_l'> <g_l, g_l'>`` (L² D + k L² C), which for one position is ``|u|² |g|²``.

A pair of samples in a Gram block has the same choice, for q inner products of gradients (Layout.products): q C D, or
L² (D + q C) and as many passes over memory as there are products of positions.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ntkcore.kernels.features import ExplicitFeatures, Features, PositionFeatures, Room, rows_within, squared_norms
from ntkcore.kernels.layout import Layout

_COPIED = {"cpu": 2_400_000, "cuda": 2**28}  # numbers of unfolded inputs copied out at once: on a CPU, few enough to stay near
_LARGE = 2**12  # numbers of a sample's gradient from which it is formed where it will stay
_PASS = 8  # multiplications in the time of one elementwise pass over an entry (a matrix product reuses what it loads; this does not)


class AffineRule:
    """``nn.Linear`` (with any leading axes), ``nn.Conv1d`` and ``nn.Conv2d`` (every option)."""

    def refusal(self, module: nn.Module, value: Tensor, output: Tensor, batch: int) -> str | None:
        axes = 3 if isinstance(module, nn.Conv1d) else 4 if isinstance(module, nn.Conv2d) else None
        if value.ndim < 2 or (axes is not None and value.ndim != axes) or value.shape[0] != batch or output.shape[0] != batch:
            return "its input's first axis is not the batch"
        return None

    def prepare(
        self, module: nn.Module, value: Tensor, output_shape: tuple[int, ...], layout: Layout, wanted: frozenset[str]
    ) -> "AffinePrepared":
        channels_last = isinstance(module, nn.Linear)
        if isinstance(module, nn.Conv1d | nn.Conv2d):
            groups, per_group = module.groups, module.out_channels // module.groups
        else:
            groups, per_group = 1, output_shape[-1]
        unfolded = None
        if "weight" in wanted:
            unfolded = _windows(module, value, output_shape) if isinstance(module, nn.Conv1d | nn.Conv2d) else _rows(value)
        batch = value.shape[0]
        positions = math.prod(output_shape[1:]) // (groups * per_group)
        direct = None
        if isinstance(module, nn.Conv2d) and layout.count == 1 and _Direct.fits(module, value, positions):
            direct = _Direct(module, value)
        return AffinePrepared(unfolded, batch, positions, groups, per_group, layout, "bias" in wanted, channels_last, direct)


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
        limit = _COPIED.get(self.value.device.type, _COPIED["cpu"])
        return max(1, limit // (self.groups * self.width * self.positions))


@dataclass(frozen=True, slots=True)
class _Direct:
    """A convolution's weight gradients of every sample, by one convolution with a group for each: on a CPU, half the time of unfolding."""

    module: nn.Conv2d
    value: Tensor

    @staticmethod
    def fits(module: nn.Conv2d, value: Tensor, positions: int) -> bool:
        """Whether oneDNN has it (float32 on a CPU, zeros around the image) and is fast: 32 to 80 % of the rate of a matrix product where
        channels fill its vectors and sums are long beside what they sum to, 5 to 30 % elsewhere."""
        possible = module.padding_mode == "zeros" and not isinstance(module.padding, str) and torch.backends.mkldnn.is_available()
        channels, inputs = module.out_channels // module.groups, module.in_channels // module.groups
        fast = channels % 8 == inputs % 8 == 0 and channels * module.weight[0].numel() <= 1024 * positions
        return possible and fast and value.device.type == "cpu" and value.dtype == torch.float32

    def weights(self, g: Tensor, rows: slice) -> Tensor:
        """(b', P) for the samples ``rows`` of the batch and the gradients ``g`` (b', channels, *space) at their outputs."""
        module, x = self.module, self.value[rows]
        batch, groups = len(x), len(x) * module.groups
        like = x.new_empty(batch * module.out_channels, *module.weight.shape[1:])
        _, found, _ = torch.ops.aten.convolution_backward(
            g.reshape(1, -1, *g.shape[2:]),
            x.reshape(1, -1, *x.shape[2:]),
            like,
            None,
            module.stride,
            module.padding,
            module.dilation,
            False,
            [0, 0],
            groups,
            [False, True, False],
        )
        return found.reshape(batch, -1)


class AffinePrepared:
    """See the module's text; ``unfolded`` is u, or None when only the bias is wanted."""

    def __init__(
        self,
        unfolded: Unfolded | None,
        batch: int,
        positions: int,
        groups: int,
        channels: int,
        layout: Layout,
        bias: bool,
        channels_last: bool,
        direct: _Direct | None,
    ) -> None:
        self._unfolded, self._direct = unfolded, direct
        self._batch, self._positions, self._groups, self._channels = batch, positions, groups, channels
        self._layout, self._bias, self._channels_last = layout, bias, channels_last
        self._products: Tensor | None = None
        width = 0 if unfolded is None else unfolded.width
        self._formed = positions > 1 and layout.count * channels * width < positions * (width + layout.count * channels)
        by_position = positions**2 * (width + layout.products * channels + _PASS * layout.rows**2)
        self._pair_formed = layout.products * channels * width < by_position

    @property
    def method(self) -> str:
        """In words."""
        if self._unfolded is None:
            return "sums of the output's gradient"
        if self._positions == 1:
            return "norm of the input times norm of the output's gradient"
        return f"{'unfolded gradients' if self._formed else 'position-wise products'}, {self._positions} positions"

    def squared_norms(self, gradients: Tensor) -> Tensor:
        g = self._by_position(gradients)
        total = g.new_zeros(g.shape[:2], dtype=torch.float64)
        if self._bias:
            total += squared_norms(g.sum(-1).flatten(2) if self._positions > 1 else g.flatten(2))
        if self._unfolded is None:
            return total
        u = self._unfolded
        if self._positions == 1:
            per_group = squared_norms(g.flatten(3)) * squared_norms(u.all().flatten(2))
            return total + per_group.sum(-1)
        width = u.width if self._formed else self._positions
        step = rows_within(g, self._groups * g.shape[0] * self._channels * width)
        if self._formed:
            step = min(step, u.step())
        for start in range(0, self._batch, step):
            rows = slice(start, start + step)
            total[:, rows] += self._formed_norms(g[:, rows], u.part(rows)) if self._formed else self._product_norms(g[:, rows], rows)
        return total

    def _formed_norms(self, g: Tensor, u: Tensor) -> Tensor:
        formed = self._stack(g) @ u.transpose(2, 3)
        return self._unstack(squared_norms(formed), g.shape[0])

    def _product_norms(self, g: Tensor, rows: slice) -> Tensor:
        if self._products is None:
            assert self._unfolded is not None
            u = self._unfolded.all()
            self._products = u.transpose(2, 3) @ u
        stacked = self._stack(g)
        return self._unstack((stacked @ self._products[rows]).mul_(stacked).sum(-1).double(), g.shape[0])

    def features(self, gradients: Tensor, room: Room) -> list[Features]:
        layout = self._layout
        if layout.count == self._positions == 1 and self._channels_last and self._unfolded is not None and not self._pair_formed:
            inputs, rows = self._unfolded.value.reshape(1, self._batch, -1), gradients.reshape(1, self._batch, -1)
            return [PositionFeatures(inputs, rows, 1, 1, self._bias)]
        g = self._by_position(gradients)
        if self._unfolded is None:
            return [ExplicitFeatures.of(g.sum(-1).flatten(2), layout.joined)]
        if not self._pair_formed:
            turned = g.permute(2, 1, 4, 0, 3) if layout.joined else g.permute(2, 1, 0, 4, 3)
            rows = turned.reshape(self._groups, -1, self._channels * (layout.count if layout.joined else 1))
            inputs = self._unfolded.all().permute(1, 0, 3, 2).reshape(self._groups, self._batch * self._positions, -1)
            return [PositionFeatures(inputs, rows, self._positions, layout.rows, self._bias)]
        if self._direct is not None:
            formed = self._direct.weights(gradients[0], slice(0, self._batch))
            if formed.shape[1] >= _LARGE:
                formed = room(formed.shape[1]).copy_(formed)
            by_sample = formed.unsqueeze(1)
        else:
            by_sample = self._weights(g, slice(0, self._batch), room)
        found: list[Features] = [ExplicitFeatures.by_sample(by_sample, layout.joined)]
        if self._bias:
            found.append(ExplicitFeatures.of(g.sum(-1).flatten(2), layout.joined))
        return found

    def formed(self, gradients: Tensor, rows: slice) -> dict[str, Tensor]:
        g = self._by_position(gradients)
        found = {}
        if self._unfolded is not None:
            found["weight"] = self._weights(g, rows).transpose(0, 1)
        if self._bias:
            found["bias"] = g.sum(-1).flatten(2)
        return found

    def _weights(self, g: Tensor, rows: slice, room: Room | None = None) -> Tensor:
        """(b', s, P) gradients of the weight for the samples ``rows`` of the batch and their ``g``, in ``room`` where that helps."""
        assert self._unfolded is not None
        stacked, width = self._stack(g), self._unfolded.width
        numbers = stacked[0, ..., 0].numel() * width
        if room is not None and self._groups == 1 and numbers >= _LARGE:
            formed = room(numbers).view(*stacked.shape[:3], width)
        else:
            formed = stacked.new_empty(*stacked.shape[:3], width)
        step = self._unfolded.step()
        for start in range(0, len(stacked), step):
            stop = min(len(stacked), start + step)
            u = self._unfolded.part(slice(rows.start + start, rows.start + stop))
            torch.bmm(stacked[start:stop].flatten(0, 1), u.flatten(0, 1).transpose(1, 2), out=formed[start:stop].flatten(0, 1))
        return formed.unflatten(2, (g.shape[0], -1)).transpose(1, 2).flatten(2)

    def numbers(self) -> int:
        if self._unfolded is None or self._formed or self._positions == 1:
            return 0
        return self._batch * self._groups * (self._unfolded.width * self._positions + self._positions**2)

    def pair_numbers(self) -> int:
        gradients = self._batch * self._layout.count * self._groups * self._channels
        if self._unfolded is None:
            return gradients
        if self._pair_formed:
            return gradients * (self._unfolded.width + 1)
        return gradients * self._positions + self._batch * self._groups * self._unfolded.width * self._positions

    def _by_position(self, gradients: Tensor) -> Tensor:
        """(c, b, *output) -> (c, b, g, C, L)."""
        if not self._channels_last:
            flat = gradients.flatten(3)
        elif gradients.ndim == 3:
            flat = gradients.unsqueeze(-1)
        else:
            flat = gradients.flatten(2, -2).transpose(2, 3)
        return flat.unflatten(2, (self._groups, self._channels))

    @staticmethod
    def _stack(g: Tensor) -> Tensor:
        """(c, b, g, C, L) -> (b, g, c·C, L): one product serves all outputs."""
        return g.permute(1, 2, 0, 3, 4).flatten(2, 3)

    @staticmethod
    def _unstack(values: Tensor, outputs: int) -> Tensor:
        """(b, g, c·C) -> (c, b), summed over groups and channels."""
        return values.unflatten(2, (outputs, -1)).sum((1, 3)).T


def _rows(value: Tensor) -> Unfolded:
    """Of a linear layer's input (b, ..., D)."""
    rows = value.reshape(value.shape[0], -1, value.shape[-1])
    return Unfolded(rows, lambda rows: rows.transpose(1, 2), 1, rows.shape[2], rows.shape[1])


def _windows(module: nn.Conv1d | nn.Conv2d, value: Tensor, output_shape: tuple[int, ...]) -> Unfolded:
    """Of a convolution's input (b, channels, *space): D is channels per group times kernel size."""
    kernel, stride, dilation, space = module.kernel_size, module.stride, module.dilation, tuple(output_shape[2:])
    positions = torch.Size(space).numel()

    def windows(value: Tensor) -> Tensor:
        value = _padded(module, value)
        whole_image = positions == 1 and tuple(value.shape[2:]) == tuple(kernel)
        if whole_image or all(size == step == 1 for size, step in zip(kernel, stride, strict=True)):
            return value
        # copying the windows is several times faster on a CPU than torch's own unfolding
        batch_step, channel_step, *steps = value.stride()
        within = [d * step for d, step in zip(dilation, steps, strict=True)]
        between = [s * step for s, step in zip(stride, steps, strict=True)]
        shape = (*value.shape[:2], *kernel, *space)
        return value.as_strided(shape, (batch_step, channel_step, *within, *between), value.storage_offset())

    return Unfolded(value, windows, module.groups, module.weight[0].numel(), positions)


def _padded(module: nn.Conv1d | nn.Conv2d, value: Tensor) -> Tensor:
    """The input with what the convolution puts around it."""
    if isinstance(module.padding, str):
        sizes = zip(module.dilation, module.kernel_size, strict=True)
        total = [d * (size - 1) if module.padding == "same" else 0 for d, size in sizes]
        sides = [(t // 2, t - t // 2) for t in total]
    else:
        sides = [(p, p) for p in module.padding]
    if all(side == (0, 0) for side in sides):
        return value
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    return F.pad(value, [amount for side in reversed(sides) for amount in side], mode=mode)
