"""The empirical neural tangent kernel in four forms, whole or tile by tile (SCIENCE.md §1.3-1.4, 1.6; Thesis eqs. 3.1, 3.2).

Layer by layer: a linear layer's part of the kernel is ``(A A^T + 1) ∘ (G G^T)``, no gradient of a weight ever formed; a convolution's is
one product of per-sample gradients, or position-wise products, by the smaller count; what no closed form is known for is formed by
torch.func, exact and slower, which the result says. Small formed gradients of a block lie side by side in one matrix, large ones in
one for each layer; products of at most 16384 columns are added up in float64. Symmetric blocks are halved until a leaf, so that a
symmetric kernel costs half the multiplications.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import DataError
from ntkcore.kernels.compression import Compression, CompressionReport
from ntkcore.kernels.engine import Engine
from ntkcore.kernels.features import numpy_dtype
from ntkcore.kernels.layout import Outputs
from ntkcore.kernels.memory import require_fit, side_of
from ntkcore.kernels.schedule import Progress, mirrored, tiles
from ntkcore.kernels.ways import Ways
from ntkcore.kernels.workers import threads

EXACT = 64
"""Samples of the exact block on which a compression is judged, at most."""


@dataclass(frozen=True, slots=True)
class EmpiricalKernel:
    """A kernel and what is known about it; ``np.asarray`` gives its values.

    Attributes:
        values: (n, m), or (n, m, k, k) with entry [i, j, o, p] = <∇f_o(x_i), ∇f_p(z_j)> for outputs "full"; in the dtype computed in.
        outputs: its form.
        k: the network's outputs.
        notes: sentences for the user: parameters whose gradients were formed one by one, and why.
        compression: what a compression cost, None without one.
        seconds, device, dtype: how long, on what, and in which precision.
        ways: how: the same ways give the same bytes.
    """

    values: np.ndarray
    outputs: Outputs
    k: int
    notes: tuple[str, ...]
    compression: CompressionReport | None
    seconds: float
    device: str
    dtype: str
    ways: Ways

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype, copy=copy)


def empirical_ntk(
    model: nn.Module,
    x: Tensor | np.ndarray,
    z: Tensor | np.ndarray | None = None,
    *,
    outputs: Outputs = "pseudo",
    batch_size: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    compression: Compression | None = None,
    tf32: bool = False,
    ways: Ways | None = None,
    progress: Progress | None = None,
) -> EmpiricalKernel:
    """``Θ(x, z) = J(x) J(z)^T`` over the trained parameters, or one of its stand-ins.

    Args:
        model: maps (b, ...) to (b, k), each row from its sample alone; unchanged afterwards. As for :func:`ntk_diagonal`.
        x: (n, ...) samples.
        z: (m, ...) samples, or None for ``z = x``: each pair is then computed once, and the result is exactly symmetric.
        outputs: "pseudo": the gradient of ``sum_o f_o / sqrt(k)`` (Thesis eq. 3.2); "first": of the first output; "mean":
            ``(1/k) sum_o Θ_oo``; "full": all k × k entries of every pair (Thesis eq. 3.1).
        batch_size: samples per forward pass; None derives it from the memory a batch may take. Any gives the same numbers to rounding.
        device: where to compute; None means where the model is.
        dtype: precision of the computation; None means the model's.
        compression: keep fewer columns of every gradient; the error is measured on an exact block.
        tf32: allow TF32 products on a GPU that has them (ten bits of mantissa).
        ways: how to compute on a CPU in float32; None: the quickest on this machine (:func:`~ntkcore.kernels.quickest.measured`).
        progress: called with (blocks done, all blocks), also between a block's batches; may raise ``Cancelled``.

    Memory never exceeds :func:`working_set`.

    Raises:
        ModelError: outputs that are not (b, k), layers that are random or mix samples, weights that are not finite.
        DataError: samples that are not finite or of different shapes, an unknown form, a batch size below 1, more than fits.
        ComputationError: entries that are not finite.
    """
    started = time.monotonic()
    engine = Engine(model, x, device, outputs=outputs, dtype=dtype, tf32=tf32, ways=ways)
    engine.say_notes()
    rows = engine.samples
    columns = None if z is None else engine.others(z)
    report = None if compression is None else _compressed(engine, compression, batch_size)
    n, m, k = rows.shape[0], (rows if columns is None else columns).shape[0], engine.layout.rows
    require_fit(engine, n, None if columns is None else m, batch_size)
    values: np.ndarray = np.empty((n, m) if outputs != "full" else (n, m, k, k), dtype=numpy_dtype(engine.dtype))
    side = side_of(engine, max(n, m))
    with threads(engine.threads(n, m)):
        for row, column, block in tiles(engine, columns, side, None, batch_size, progress):
            here, there = slice(row * side, row * side + block.shape[0]), slice(column * side, column * side + block.shape[1])
            values[here, there] = block
            if columns is None and row != column:
                values[there, here] = mirrored(block)
    seconds = time.monotonic() - started
    return EmpiricalKernel(
        values,
        outputs,
        engine.outputs,
        engine.notes,
        report,
        seconds,
        str(engine.like.device),
        f"{numpy_dtype(engine.dtype).__name__}{' (TF32)' if tf32 else ''}",
        engine.ways,
    )


def ntk_tiles(
    model: nn.Module,
    x: Tensor | np.ndarray,
    z: Tensor | np.ndarray | None = None,
    *,
    outputs: Outputs = "pseudo",
    tile: int = 256,
    wanted: Iterable[tuple[int, int]] | None = None,
    batch_size: int | None = None,
    device: torch.device | str | None = None,
    compression: Compression | None = None,
    ways: Ways | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[int, int, np.ndarray]]:
    """The same kernel in tiles of ``tile`` × ``tile`` samples, in the order that computes the features of each block least often.

    Args:
        tile: samples on a side of a tile; those at the edges are smaller. What is wrong with the arguments is said at the first tile.
        wanted: (row, column) indices of tiles; None: all of them, for ``z = None`` those on and above the diagonal.
        progress: called with (tiles done, tiles wanted), also between a tile's batches; may raise ``Cancelled``.
        model, x, z, outputs, batch_size, device, compression, ways: as for :func:`empirical_ntk`.

    Yields:
        row, column, and the tile's values (b, b') or (b, b', k, k). For ``z = None`` the tile (column, row) is its mirror image
        (with k × k entries transposed).

    Raises:
        ModelError, DataError, ComputationError: as :func:`empirical_ntk`; DataError for a tile that does not exist.
    """
    engine = Engine(model, x, device, outputs=outputs, ways=ways)
    engine.say_notes()
    columns = None if z is None else engine.others(z)
    if isinstance(tile, bool) or not isinstance(tile, int) or tile < 1:
        raise DataError(f"The side of a tile is {tile!r}.", "Give a whole number of at least 1.")
    if compression is not None:
        engine.compress(compression)
    yield from tiles(engine, columns, tile, wanted, batch_size, progress)


def _compressed(engine: Engine, compression: Compression, batch_size: int | None) -> CompressionReport:
    """Switch the engine to compressed gradients, and measure what that costs."""
    few = engine.samples[: side_of(engine, EXACT)]  # as many as have room for all their gradients
    exact = engine.own_gram(engine.block(few, batch_size)).double()
    engine.compress(compression)
    assert engine.compressor is not None
    near = engine.own_gram(engine.block(few, batch_size)).double()
    error = float((near - exact).norm() / exact.norm())
    parameters = sum(entry.size for entry in engine.plan.entries if entry.form not in ("frozen", "unused"))
    return CompressionReport(compression, error, len(few), engine.compressor.columns(), parameters)
