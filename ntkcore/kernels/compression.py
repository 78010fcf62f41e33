"""Compressed gradients for networks of many parameters (SCIENCE.md §1.6): far fewer columns, with the error measured by the caller.

- "subset": ``size`` random weights of each parameter tensor, each kept column scaled by sqrt(P_l / c) (Unique-info, §5).
- "projection": one sparse Johnson-Lindenstrauss projection of all parameters to ``size`` columns: each weight goes, with a random
  sign, into one random column (Charikar, Chen & Farach-Colton 2002; Weinberger et al. 2009). Both estimate every inner product without
  bias, ``E <Sg, Sg'> = <g, g'>``; the projection's variance is at most ``(|g|² |g'|² + <g, g'>²) / size`` whatever the gradients.

The choice of weights and signs depends on the seed and the parameters' sizes alone: training and test images, and every block, share it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ntkcore.errors import DataError


@dataclass(frozen=True, slots=True)
class Compression:
    """How gradients are compressed: the method, its number of columns (for "subset": of each parameter tensor), its seed."""

    kind: Literal["subset", "projection"]
    size: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("subset", "projection"):
            raise DataError(f"The compression is {self.kind!r}.", 'Choose "subset" or "projection".')
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 1:
            raise DataError(f"The compression's size is {self.size!r}.", "Give a whole number of at least 1.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise DataError(f"The compression's seed is {self.seed!r}.", "Give a whole number of at least 0.")


@dataclass(frozen=True, slots=True)
class CompressionReport:
    """What a compression cost: ``‖K_c - K‖_F / ‖K‖_F`` on the kernel of the first ``samples`` samples, and the columns kept of P."""

    compression: Compression
    relative_error: float
    samples: int
    columns: int
    parameters: int


class Compressor:
    """The same random choice for every block of samples; ``sizes`` are the trained parameters' names and numbers of weights."""

    def __init__(self, compression: Compression, sizes: dict[str, int], like: Tensor) -> None:
        self._like, self._subset = like, compression.kind == "subset"
        self._index: dict[str, Tensor] = {}
        self._weight: dict[str, Tensor | float] = {}
        self._start: dict[str, int] = {}
        total = 0
        for position, (name, size) in enumerate(sizes.items()):
            generator = np.random.default_rng([compression.seed, position])
            self._start[name] = total
            if self._subset:
                kept = min(compression.size, size)
                self._index[name] = self._tensor(np.sort(generator.choice(size, kept, replace=False)))
                self._weight[name] = float(np.sqrt(size / kept))
                total += kept
            else:
                self._index[name] = self._tensor(generator.integers(0, compression.size, size))
                self._weight[name] = self._tensor(2.0 * generator.integers(0, 2, size) - 1.0).to(like.dtype)
                total = compression.size
        self._total = total

    def columns(self) -> int:
        """Columns kept in all."""
        return self._total

    def begin(self, scalars: int, samples: int) -> "Sketch":
        """An empty sketch of a batch."""
        return Sketch(self, self._like.new_zeros(scalars, samples, self._total))

    def add(self, name: str, gradients: Tensor, columns: Tensor) -> None:
        """Add a parameter's gradients (s, b, P_l) to the sketch's ``columns`` (s, b, c)."""
        if self._subset:
            start, index = self._start[name], self._index[name]
            columns[:, :, start : start + len(index)] = gradients.index_select(2, index) * self._weight[name]
        else:
            columns.index_add_(2, self._index[name], gradients * self._weight[name])

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self._like.device)


@dataclass(frozen=True, slots=True)
class Sketch:
    """Compressed gradients ``columns`` (s, b, c) of one batch, being filled."""

    compressor: Compressor
    columns: Tensor

    def add(self, name: str, rows: slice, gradients: Tensor) -> None:
        """Add a parameter's gradients (s, b', P_l) for the batch's samples ``rows``."""
        self.compressor.add(name, gradients, self.columns[:, rows])
