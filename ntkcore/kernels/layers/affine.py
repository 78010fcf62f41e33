"""Linear layers and convolutions: the weight's gradient is ``sum_l g_l u_l^T`` over positions l.

u_l is the (unfolded) input at position l and g_l the output's gradient there; a plain linear layer has one position. The squared
norm is taken in the cheaper of two ways, by the number of multiplications per sample:

- unfolded gradients: form ``sum_l g_l u_l^T`` (k L C D), then its norm;
- position-wise products: ``sum_{l,l'} <u_l, u_l'> <g_l, g_l'>`` (L² D + k L² C), which for one position is ``|u|² |g|²``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ntkcore.kernels.features import ExplicitFeatures, Features, PositionFeatures, rows_within, squared_norms


class AffineRule:
    """``nn.Linear`` (with any leading axes), ``nn.Conv1d`` and ``nn.Conv2d`` (every option)."""

    def refusal(self, module: nn.Module, value: Tensor, output: Tensor, batch: int) -> str | None:
        axes = 3 if isinstance(module, nn.Conv1d) else 4 if isinstance(module, nn.Conv2d) else None
        if value.ndim < 2 or (axes is not None and value.ndim != axes) or value.shape[0] != batch or output.shape[0] != batch:
            return "its input's first axis is not the batch"
        return None

    def prepare(
        self, module: nn.Module, value: Tensor, output_shape: tuple[int, ...], outputs: int, wanted: frozenset[str]
    ) -> "AffinePrepared":
        channels_last = isinstance(module, nn.Linear)
        if isinstance(module, nn.Conv1d | nn.Conv2d):
            groups, per_group = module.groups, module.out_channels // module.groups
        else:
            groups, per_group = 1, output_shape[-1]
        unfolded = None
        if "weight" in wanted:
            unfolded = _rows(value) if channels_last else _unfold(module, value, output_shape)
        batch = value.shape[0]
        positions = torch.Size(output_shape[1:]).numel() // (groups * per_group)
        return AffinePrepared(unfolded, batch, positions, groups, per_group, outputs, "bias" in wanted, channels_last)


class AffinePrepared:
    """See the module's text; ``unfolded`` is u as (b, g, D, L), or None when only the bias is wanted."""

    def __init__(
        self, unfolded: Tensor | None, batch: int, positions: int, groups: int, channels: int, outputs: int, bias: bool, channels_last: bool
    ) -> None:
        self._unfolded = unfolded
        self._batch, self._positions, self._groups, self._channels = batch, positions, groups, channels
        self._outputs, self._bias, self._channels_last = outputs, bias, channels_last
        self._products: Tensor | None = None
        width = 0 if unfolded is None else unfolded.shape[2]
        self._formed = positions > 1 and outputs * channels * width < positions * (width + outputs * channels)
        self._pair_formed = outputs * channels * width < positions**2 * (width + outputs * channels)
        if unfolded is None:
            self.method = "sums of the output's gradient"
        elif positions == 1:
            self.method = "norm of the input times norm of the output's gradient"
        else:
            self.method = f"{'unfolded gradients' if self._formed else 'position-wise products'}, {positions} positions"

    def squared_norms(self, gradients: Tensor) -> Tensor:
        g = self._by_position(gradients)
        total = g.new_zeros(g.shape[:2], dtype=torch.float64)
        if self._bias:
            total += squared_norms(g.sum(-1).flatten(2) if self._positions > 1 else g.flatten(2))
        if self._unfolded is None:
            return total
        u = self._unfolded
        if self._positions == 1:
            per_group = squared_norms(g.flatten(3)) * squared_norms(u.flatten(2))
            return total + per_group.sum(-1)
        width = u.shape[2] if self._formed else self._positions
        step = rows_within(u, self._groups * g.shape[0] * self._channels * width)
        for start in range(0, self._batch, step):
            rows = slice(start, start + step)
            total[:, rows] += self._formed_norms(g[:, rows], u[rows]) if self._formed else self._product_norms(g[:, rows], rows)
        return total

    def _formed_norms(self, g: Tensor, u: Tensor) -> Tensor:
        formed = self._stack(g) @ u.transpose(2, 3)
        return self._unstack(squared_norms(formed), g.shape[0])

    def _product_norms(self, g: Tensor, rows: slice) -> Tensor:
        if self._products is None:
            assert self._unfolded is not None
            self._products = self._unfolded.transpose(2, 3) @ self._unfolded
        stacked = self._stack(g)
        return self._unstack((stacked @ self._products[rows]).mul_(stacked).sum(-1).double(), g.shape[0])

    def features(self, gradients: Tensor) -> Features:
        g = self._by_position(gradients)
        if self._unfolded is None:
            return ExplicitFeatures.of(g.sum(-1).flatten(2))
        if not self._pair_formed:
            rows = g.permute(2, 1, 4, 0, 3).reshape(self._groups, self._batch * self._positions, -1)
            inputs = self._unfolded.permute(1, 0, 3, 2).reshape(self._groups, self._batch * self._positions, -1)
            return PositionFeatures(inputs, rows, self._positions, self._bias)
        formed = (self._stack(g) @ self._unfolded.transpose(2, 3)).flatten(1)
        if self._bias:
            formed = torch.cat([formed, g.sum(-1).transpose(0, 1).flatten(1)], 1)
        return ExplicitFeatures(formed)

    def numbers(self) -> int:
        if self._unfolded is None:
            return 0
        products = 0 if self._formed or self._positions == 1 else self._batch * self._groups * self._positions**2
        return self._unfolded.numel() + products

    def pair_numbers(self) -> int:
        gradients = self._batch * self._outputs * self._groups * self._channels
        if self._unfolded is None:
            return gradients
        if self._pair_formed:
            return gradients * (self._unfolded.shape[2] + 1)
        return gradients * self._positions + self._unfolded.numel()

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


def _rows(value: Tensor) -> Tensor:
    """(b, ..., D) -> (b, 1, D, L)."""
    return value.reshape(value.shape[0], -1, value.shape[-1]).transpose(1, 2).unsqueeze(1)


def _unfold(module: nn.Module, value: Tensor, output_shape: tuple[int, ...]) -> Tensor:
    """(b, channels, *space) -> (b, g, D, L), D = channels per group times kernel size."""
    assert isinstance(module, nn.Conv1d | nn.Conv2d)
    kernel, stride, dilation = module.kernel_size, module.stride, module.dilation
    if isinstance(module.padding, str):
        total = [d * (size - 1) if module.padding == "same" else 0 for d, size in zip(dilation, kernel, strict=True)]
        sides = [(t // 2, t - t // 2) for t in total]
    else:
        sides = [(p, p) for p in module.padding]
    if any(side != (0, 0) for side in sides):
        mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
        value = F.pad(value, [amount for side in reversed(sides) for amount in side], mode=mode)
    batch, positions = value.shape[0], torch.Size(output_shape[2:]).numel()
    pointwise = all(size == 1 for size in kernel)
    if positions == 1 and tuple(value.shape[2:]) == tuple(kernel):
        unfolded = value.flatten(1).unsqueeze(-1)
    elif pointwise and all(step == 1 for step in stride):
        unfolded = value.flatten(2)
    else:
        if value.ndim == 3:
            value, kernel, stride, dilation = value.unsqueeze(2), (1, *kernel), (1, *stride), (1, *dilation)
        unfolded = F.unfold(value, kernel, dilation=dilation, stride=stride)
    return unfolded.view(batch, module.groups, -1, positions)
