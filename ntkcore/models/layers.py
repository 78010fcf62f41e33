"""Layers without parameters that the networks need and PyTorch does not have."""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional as F


class Normalise(nn.Module):
    """``(x - mean) / std``: per channel for images ``(n, c, h, w)``, per feature for vectors ``(n, d)``.

    ``mean`` and ``std`` are buffers, so they move and are saved with the network but are not trained.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        """``mean`` and ``std`` broadcast against one input without its sample axis: ``(c, 1, 1)`` or ``(d,)``."""
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


class GrayToColour(nn.Module):
    """Repeats the one channel of gray images ``(n, 1, h, w)`` three times."""

    def forward(self, x: Tensor) -> Tensor:
        return x.expand(*x.shape[:-3], 3, *x.shape[-2:])


class PadShortcut(nn.Module):
    """Option-A shortcut of He et al. (2016): every second pixel, new channels filled with zeros on both sides."""

    def __init__(self, added: int) -> None:
        """``added``: channels added in all; half before and half after the existing ones."""
        super().__init__()
        self.added = added

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[..., ::2, ::2], (0, 0, 0, 0, self.added // 2, self.added - self.added // 2))


class AveragePixels(nn.Module):
    """The mean of each channel over all pixels: images ``(n, c, h, w)`` to ``(n, c)``."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(-2, -1))


def normaliser(input_shape: tuple[int, ...], mean: ArrayLike | None, std: ArrayLike | None) -> Normalise:
    """The layer for inputs of shape ``(c, h, w)`` or ``(d,)``; ``None`` for either leaves it at 0 or 1.

    Raises:
        ValueError: not one value per channel (feature), not finite, or a standard deviation that is not positive.
    """
    size = input_shape[0]
    tail = (1,) * (len(input_shape) - 1)
    buffers = []
    for name, given, default in (("mean", mean, 0.0), ("std", std, 1.0)):
        value = np.full(size, default, dtype=np.float32) if given is None else np.asarray(given, dtype=np.float32)
        if value.shape != (size,):
            raise ValueError(f"{name}: expected {size} values, one per channel or feature, got shape {value.shape}")
        if not np.isfinite(value).all() or (name == "std" and not (value > 0).all()):
            raise ValueError(f"{name}: values must be finite, and standard deviations positive")
        buffers.append(torch.tensor(value, device="cpu").reshape(size, *tail))
    return Normalise(*buffers)
