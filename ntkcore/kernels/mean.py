"""The empirical neural tangent kernel averaged over outputs: ``(1/k) sum_o Theta_oo(x, z)`` (SCIENCE.md §1)."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import ComputationError
from ntkcore.kernels.engine import Engine, gram
from ntkcore.kernels.features import Features

KEPT_BYTES = 2**30
"""Columns' features are kept for the next rows when all of them fit in this; else they are computed again."""


def mean_ntk(
    model: nn.Module,
    x: Tensor | np.ndarray,
    z: Tensor | np.ndarray | None = None,
    *,
    batch_size: int | None = None,
    device: torch.device | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """``K(x, z) = (1/k) sum_o <grad f_o(x), grad f_o(z)>`` over the trained parameters; its diagonal is ``ntk_diagonal(model, x)``.

    Linear layers: ``(A A^T + 1) * sum_o G_o G_o^T`` elementwise; convolutions: per-sample gradients and one product, or position-wise
    products, by the smaller count; normalisation layers by their small per-sample gradients; the rest by per-sample gradients.
    One tile of a larger matrix is ``mean_ntk(model, x[rows], x[columns])``.

    Args:
        model, device: as for :func:`ntk_diagonal`.
        x: (n, ...) samples.
        z: (m, ...) samples, or None for ``z = x``: then only tiles on and above the diagonal are computed, and mirrored.
        batch_size: side of a tile; None derives it from the memory a batch may take (``engine.BATCH_BYTES``).
        progress: called with (entries done, all entries) after each tile; may raise ``Cancelled``.

    Returns:
        (n, m) in the model's dtype, in which it is also accumulated; exactly symmetric for ``z = None``.

    Raises:
        ModelError, DataError: as :func:`ntk_diagonal`, and for a z of another shape than x.
        ComputationError: entries that are not finite.
    """
    engine = Engine(model, x, device)
    rows, symmetric = engine.samples, z is None
    columns = rows if z is None else engine.others(z)
    step = engine.block_size(batch_size)
    result = np.empty((len(rows), len(columns)), dtype=np.float64 if engine.dtype == torch.float64 else np.float32)
    kept: dict[int, list[Features]] | None = {} if len(columns) * engine.pair_bytes() <= KEPT_BYTES else None
    done = 0
    for top in range(0, len(rows), step):
        below = min(len(rows), top + step)
        here = _features(engine, rows, top, below, kept if symmetric else None)
        for left in range(top if symmetric else 0, len(columns), step):
            right = min(len(columns), left + step)
            diagonal = symmetric and left == top
            there = here if diagonal else _features(engine, columns, left, right, kept)
            tile = gram(here, there).div_(engine.outputs).cpu().numpy()
            result[top:below, left:right] = (np.triu(tile) + np.triu(tile, 1).T) if diagonal else tile
            done += tile.size
            if symmetric and not diagonal:
                result[left:right, top:below] = tile.T
                done += tile.size
            if progress is not None:
                progress(done, result.size)
        if symmetric and kept is not None:
            kept.pop(top, None)
    if not np.isfinite(result).all():
        raise ComputationError(
            "The kernel has entries that are NaN or infinite.", "Check the scale of the samples and of the weights, or compute in float64."
        )
    return result


def _features(engine: Engine, samples: Tensor, start: int, stop: int, kept: dict[int, list[Features]] | None) -> list[Features]:
    """The block's features, from those kept where they are."""
    if kept is None:
        return engine.features(samples[start:stop])
    if start not in kept:
        kept[start] = engine.features(samples[start:stop])
    return kept[start]
