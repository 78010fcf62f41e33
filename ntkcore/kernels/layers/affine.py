"""Linear layers and convolutions: the weight's gradient is ``sum_l g_l u_l^T`` over positions l.

u_l is the (unfolded) input at position l and g_l the output's gradient there; a plain linear layer has one position. The squared
norm is taken in the cheaper of two ways, by the number of multiplications per sample:

- unfolded gradients: form ``sum_l g_l u_l^T`` (k L C D), then its norm;
- position-wise products: ``sum_{l,l'} <u_l, u_l'> <g_l, g_l'>`` (L² D + k L² C), which for one position is ``|u|² |g|²``.

A pair of samples in a Gram block has the same choice, for q inner products of gradients (Layout.products): q C D, or
L² (D + q C) and as many passes over memory as there are products of positions.
"""

import math

import torch
from torch import Tensor

from ntkcore.kernels.features import ExplicitFeatures, Features, PositionFeatures, Room, rows_within, squared_norms
from ntkcore.kernels.layers.base import NOT_BY_SAMPLE, Prepared, Site
from ntkcore.kernels.layers.depthwise import DepthwisePrepared, is_depthwise
from ntkcore.kernels.layers.unfolded import ChannelsLast, Convolution, Unfolded, rows_of, windows_of
from ntkcore.kernels.layout import Layout
from ntkcore.kernels.uses import REPEATED, TURNED, Way
from ntkcore.kernels.ways import grouped_weights

_LARGE = 2**12  # numbers of a sample's gradient from which it is formed where it will stay
_PASS = 8  # multiplications in the time of one elementwise pass over an entry (a matrix product reuses what it loads; this does not)

_ROLES = {
    "ConvolutionBackward0": {1: "weight", 2: "bias"},
    "AddmmBackward0": {0: "bias", 2: "weight"},
    "MmBackward0": {1: "weight"},
}


class AffineRule:
    """Products with a matrix, of samples with any further axes, and convolutions in one and two dimensions."""

    axes: tuple[int, ...] = (0, 1)

    def role(self, way: Way) -> str | None:
        role = _ROLES[way.kind].get(way.place)
        turned = TURNED in way.through and (way.kind == "ConvolutionBackward0" or role == "bias")
        return None if turned or REPEATED in way.through else role

    def refusal(self, site: Site) -> str | None:
        if site.kind != "ConvolutionBackward0":
            scaled = site.kind == "AddmmBackward0" and not site.node._saved_alpha == site.node._saved_beta == 1
            whole = "bias" not in site.uses or site.uses["bias"].shape in (site.output[1:], (1, *site.output[1:]))
            return "its product is scaled" if scaled else NOT_BY_SAMPLE if site.output[0] % site.batch or not whole else None
        if site.node._saved_transposed or len(site.output) > 4:
            return "this kind of convolution has no closed form here"
        return None if site.output[0] == site.batch and site.axis == 0 else NOT_BY_SAMPLE

    def prepare(self, site: Site, layout: Layout) -> Prepared:
        if site.kind == "ConvolutionBackward0" and "weight" in site.uses:
            form, value = _convolution(site), site.node._saved_input.detach()
            if is_depthwise(form, site.output[1], value):
                return DepthwisePrepared(site, layout, form, value)
        return AffinePrepared(site, layout)


class AffinePrepared:
    """See the module's text; ``_unfolded`` is u, or None when only the bias is wanted."""

    def __init__(self, site: Site, layout: Layout) -> None:
        self._site, self._layout, self._bias = site, layout, "bias" in site.uses
        self._batch, self._groups = site.batch, 1
        self._unfolded: Unfolded | None = None
        self._images: ChannelsLast | None = None
        self._grouped: Convolution | None = None
        self._channels_last = site.kind != "ConvolutionBackward0"
        self._turned = True
        if self._channels_last:
            self._channels, self._positions = site.output[1], site.output[0] // site.batch
            if "weight" in site.uses:
                self._turned = TURNED in site.uses["weight"].way.through
                value = site.node._saved_mat1 if site.kind == "AddmmBackward0" else site.node._saved_self
                self._unfolded = rows_of(site.rows(value.detach()))
        else:
            self._groups = site.node._saved_groups
            self._channels, self._positions = site.output[1] // self._groups, math.prod(site.output[2:])
            if "weight" in site.uses:
                self._unfold(site)
        self._products: Tensor | None = None
        width = 0 if self._unfolded is None else self._unfolded.width
        positions, channels = self._positions, self._channels
        self._formed = positions > 1 and layout.count * channels * width < positions * (width + layout.count * channels)
        by_position = positions**2 * (width + layout.products * channels + _PASS * layout.rows**2)
        self._pair_formed = layout.products * channels * width < by_position

    def _unfold(self, site: Site) -> None:
        form, value, space = _convolution(site), site.node._saved_input.detach(), site.output[2:]
        self._unfolded = windows_of(form, value, space)
        if len(space) == 2 and self._groups == 1 and value.device.type == "cpu":
            if site.ways.weights == "grouped":
                self._grouped = form
            else:
                self._images = ChannelsLast(form, value, space)

    @property
    def method(self) -> str:
        """In words."""
        if self._unfolded is None:
            return "sums of the output's gradient"
        if self._positions == 1:
            return "norm of the input times norm of the output's gradient"
        return f"{'unfolded gradients' if self._formed else 'position-wise products'}, {self._positions} positions"

    def by_sample(self, raw: Tensor) -> Tensor:
        return self._site.rows(raw, 1) if self._channels_last else raw

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
            if self._grouped is not None and self._formed:
                total[:, rows] += squared_norms(self._by_group(self._grouped, gradients[:, rows], rows)).T
                continue
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

    def collected(self, gradients: Tensor) -> Tensor:
        return gradients

    def features(self, collected: Tensor, room: Room) -> list[Features]:
        layout = self._layout
        if layout.count == self._positions == 1 and self._channels_last and self._unfolded is not None and not self._pair_formed:
            inputs, rows = self._unfolded.value.reshape(1, self._batch, -1), collected.reshape(1, self._batch, -1)
            return [PositionFeatures(inputs, rows, 1, 1, self._bias)]
        g = self._by_position(collected)
        if self._unfolded is None:
            return [ExplicitFeatures.of(g.sum(-1).flatten(2), layout.joined)]
        if not self._pair_formed:
            turned = g.permute(2, 1, 4, 0, 3) if layout.joined else g.permute(2, 1, 0, 4, 3)
            rows = turned.reshape(self._groups, -1, self._channels * (layout.count if layout.joined else 1))
            if self._images is not None:
                inputs = torch.cat(self._images.windows(slice(None)), -1).flatten(0, 1).unsqueeze(0)
            else:
                inputs = self._unfolded.all().permute(1, 0, 3, 2).reshape(self._groups, self._batch * self._positions, -1)
            return [PositionFeatures(inputs, rows, self._positions, layout.rows, self._bias)]
        if self._grouped is not None:
            weights = [self._in_room(self._by_group(self._grouped, collected, slice(None)), room)]
        elif self._images is not None:
            weights = self._by_rows(self._images, collected, room)
        else:
            weights = [self._weights(g, slice(0, self._batch), room)]
        found: list[Features] = [ExplicitFeatures.by_sample(part, layout.joined) for part in weights]
        if self._bias:
            found.append(ExplicitFeatures.of(g.sum(-1).flatten(2), layout.joined))
        return found

    def _by_group(self, form: Convolution, gradients: Tensor, rows: slice) -> Tensor:
        """The weight's gradients (b', s, P) for the samples ``rows`` and their ``gradients`` (s, b', C, height, width)."""
        assert self._unfolded is not None
        results = gradients.transpose(0, 1).flatten(1, 2)
        weights = grouped_weights(self._unfolded.value[rows], results, form.kernel, form.stride, form.padding, form.dilation)
        return weights.view(len(results), len(gradients), -1)

    @staticmethod
    def _in_room(weights: Tensor, room: Room) -> Tensor:
        numbers = weights[0].numel()
        return room(0, numbers).view_as(weights).copy_(weights) if numbers >= _LARGE else weights

    def _by_rows(self, images: ChannelsLast, gradients: Tensor, room: Room) -> list[Tensor]:
        """The weight's gradients (b, s, P / parts) for each part of the windows, their columns in the windows' order."""
        batch, scalars, channels = self._batch, len(gradients), self._channels
        turned = gradients.permute(1, 0, 2, 3, 4).reshape(batch, scalars * channels, -1)  # copies nothing that has its channels last
        width = images.width
        numbers = scalars * channels * width
        large = numbers >= _LARGE
        found = [room(part, numbers) if large else turned.new_empty(batch, numbers) for part in range(images.parts)]
        step = images.step()
        for start in range(0, batch, step):
            stop = min(batch, start + step)
            for window, formed in zip(images.windows(slice(start, stop)), found, strict=True):
                torch.bmm(turned[start:stop], window, out=formed[start:stop].view(-1, scalars * channels, width))
        return [formed.view(batch, scalars, -1) for formed in found]

    def formed(self, gradients: Tensor, rows: slice) -> dict[str, Tensor]:
        g = self._by_position(gradients)
        found = {}
        if self._grouped is not None:
            found["weight"] = self._by_group(self._grouped, gradients, rows).transpose(0, 1)
        elif self._unfolded is not None:
            formed = self._weights(g, rows).transpose(0, 1)
            found["weight"] = formed if self._turned else formed.unflatten(2, (self._channels, -1)).transpose(2, 3).flatten(2)
        if self._bias:
            found["bias"] = g.sum(-1).flatten(2)
        return found

    def _weights(self, g: Tensor, rows: slice, room: Room | None = None) -> Tensor:
        """(b', s, P) gradients of the weight for the samples ``rows`` of the batch and their ``g``, in ``room`` where that helps."""
        assert self._unfolded is not None
        stacked, width = self._stack(g), self._unfolded.width
        numbers = stacked[0, ..., 0].numel() * width
        if room is not None and self._groups == 1 and numbers >= _LARGE:
            formed = room(0, numbers).view(*stacked.shape[:3], width)
        else:
            formed = stacked.new_empty(*stacked.shape[:3], width)
        step = self._unfolded.step()
        for start in range(0, len(stacked), step):
            stop = min(len(stacked), start + step)
            u = self._unfolded.part(slice(rows.start + start, rows.start + stop))
            torch.bmm(stacked[start:stop].flatten(0, 1), u.flatten(0, 1).transpose(1, 2), out=formed[start:stop].flatten(0, 1))
        return formed.unflatten(2, (g.shape[0], -1)).transpose(1, 2).flatten(2)

    def input_numbers(self) -> int:
        return 0 if self._unfolded is None else self._unfolded.value.numel()

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

    def placed_numbers(self) -> int:
        if self._unfolded is None or not self._pair_formed or self._groups > 1:
            return 0
        parts = 1 if self._images is None else self._images.parts
        numbers = self._layout.count * self._channels * self._unfolded.width
        return self._batch * numbers if numbers // parts >= _LARGE else 0

    def _by_position(self, gradients: Tensor) -> Tensor:
        """(c, b, L, C) of products, (c, b, g·C, *space) of convolutions -> (c, b, g, C, L)."""
        if self._channels_last:
            return gradients.transpose(2, 3).unsqueeze(2)
        return gradients.flatten(3).unflatten(2, (self._groups, self._channels))

    @staticmethod
    def _stack(g: Tensor) -> Tensor:
        """(c, b, g, C, L) -> (b, g, c·C, L): one product serves all outputs."""
        return g.permute(1, 2, 0, 3, 4).flatten(2, 3)

    @staticmethod
    def _unstack(values: Tensor, outputs: int) -> Tensor:
        """(b, g, c·C) -> (c, b), summed over groups and channels."""
        return values.unflatten(2, (outputs, -1)).sum((1, 3)).T


def _convolution(site: Site) -> Convolution:
    node, shape = site.node, site.uses["weight"].shape
    return Convolution(shape[2:], node._saved_stride, node._saved_padding, node._saved_dilation, node._saved_groups, shape[1])
