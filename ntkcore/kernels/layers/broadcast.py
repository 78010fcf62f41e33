"""Parameters that meet the samples number by number: factors, summands, positions' and classes' vectors, of any shape that is repeated.

``y = f(x) p`` and ``y = f(x) + p`` with p repeated along some axes: a sample's gradient of p is the sum, along these axes, of the result's
gradient times what p was multiplied with.
"""

import math

from torch import Tensor

from ntkcore.kernels.layers.base import NOT_BY_SAMPLE, Site
from ntkcore.kernels.layers.formed import FormedPrepared
from ntkcore.kernels.layout import Layout
from ntkcore.kernels.uses import REPEATED, TURNED, Use, Way, dtype_of


class BroadcastRule:
    """``*``, ``/`` (by the parameter), ``+``, ``-`` and ``expand``."""

    axes: tuple[int, ...] = (0, 1)

    def role(self, way: Way) -> str | None:
        turned = TURNED in way.through or REPEATED in way.through
        return None if turned or (way.kind == "DivBackward0" and way.place == 0) else "weight"

    def refusal(self, site: Site) -> str | None:
        (use,) = site.uses.values()
        shape, axis = site.output, site.axis
        mine = _aligned(use, shape)
        if len(shape) <= axis or mine[axis] != 1 or (shape[axis] % site.batch if axis == 0 else shape[axis] != site.batch):
            return NOT_BY_SAMPLE
        return None if dtype_of(site.node) == dtype_of(use.source) else "it is of another type than its operation's result"

    def prepare(self, site: Site, layout: Layout) -> "BroadcastPrepared":
        return BroadcastPrepared(site, layout)


class BroadcastPrepared(FormedPrepared):
    """What the parameter was multiplied with is ``_factor`` (b, ...), or a number."""

    def __init__(self, site: Site, layout: Layout) -> None:
        (use,) = site.uses.values()
        super().__init__(site, layout, math.prod(use.shape))
        mine, full = list(_aligned(use, site.output)), list(site.output)
        if site.axis == 0:
            full[0] //= site.batch
        else:
            del mine[1], full[1]
        self._summed = tuple(axis + 2 for axis, (own, size) in enumerate(zip(mine, full, strict=True)) if own == 1 < size)
        factor = _factor(site.node, use.way.place)
        self._factor = self.by_sample(factor.expand(1, *site.output))[0] if isinstance(factor, Tensor) else factor

    def by_sample(self, raw: Tensor) -> Tensor:
        return self._site.rows(raw, 1) if self._site.axis == 0 else raw.transpose(1, 2)

    def formed(self, gradients: Tensor, rows: slice) -> dict[str, Tensor]:
        factor = self._factor
        weighted = gradients * factor[rows] if isinstance(factor, Tensor) else gradients
        summed = weighted.sum(self._summed) if self._summed else weighted
        summed = summed.reshape(*summed.shape[:2], -1)
        return {"weight": summed if isinstance(factor, Tensor) or factor == 1 else summed * factor}

    def input_numbers(self) -> int:
        return self._factor.numel() if isinstance(self._factor, Tensor) else 0

    def numbers(self) -> int:
        return self.input_numbers()


def _aligned(use: Use, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The parameter's shape with as many axes as the result's."""
    return (1,) * (len(shape) - len(use.shape)) + use.shape


def _factor(node: object, place: int) -> Tensor | float:
    """The derivative of the operation's result by what stands at the ``place``."""
    kind, saved = type(node).__name__, lambda name: getattr(node, f"_saved_{name}")
    if kind == "MulBackward0":
        found: Tensor = saved("self" if place else "other")
        return found.detach()
    if kind == "DivBackward0":
        other = saved("other").detach()
        return -saved("self").detach() / other / other
    if kind in ("AddBackward0", "SubBackward0"):
        scale = float(saved("alpha")) if place else 1.0
        return -scale if place and kind == "SubBackward0" else scale
    return 1.0
