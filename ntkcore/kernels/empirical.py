"""The empirical neural tangent kernel in four forms, whole or tile by tile (SCIENCE.md §1.3-1.4, 1.6; Thesis eqs. 3.1, 3.2).

Layer by layer: a linear layer's part of the kernel is ``(A A^T + 1) ∘ (G G^T)``, no gradient of a weight ever formed; a convolution's is
one product of per-sample gradients, or position-wise products, by the smaller count; what no closed form is known for is formed by
torch.func, exact and slower, which the result says. All formed gradients of a block lie side by side: one matrix product per pair of
blocks. Symmetric blocks are halved until a leaf, so that a symmetric kernel costs half the multiplications.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import ComputationError, DataError
from ntkcore.kernels.compression import Compression, CompressionReport
from ntkcore.kernels.engine import Engine
from ntkcore.kernels.features import WORKSPACE_BYTES, Block
from ntkcore.kernels.layout import Outputs

_MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 8 * 2**30
KEPT_BYTES = {"cpu": min(max(_MEMORY // 8, 2**29), 8 * 2**30), "cuda": 16 * 2**30}
"""Memory for the features of blocks: those of some rows are kept while the columns pass by. On the CPU, an eighth of the machine's."""

_EXACT = 64  # samples of the exact block on which a compression is judged

Progress = Callable[[int, int], None]


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
    """

    values: np.ndarray
    outputs: Outputs
    k: int
    notes: tuple[str, ...]
    compression: CompressionReport | None
    seconds: float
    device: str
    dtype: str

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
        progress: called with (entries done, all entries); may raise ``Cancelled``.

    Memory never exceeds :func:`working_set`.

    Raises:
        ModelError: outputs that are not (b, k), layers that are random or mix samples, weights that are not finite.
        DataError: samples that are not finite or of different shapes, an unknown form, a batch size below 1.
        ComputationError: entries that are not finite.
    """
    started = time.monotonic()
    engine = _engine(model, x, outputs, device, dtype, tf32)
    engine.say_notes()
    rows = engine.samples
    columns = None if z is None else engine.others(z)
    report = None if compression is None else _compressed(engine, compression, batch_size)
    m, k = len(rows if columns is None else columns), engine.layout.rows
    values: np.ndarray = np.empty((len(rows), m) if outputs != "full" else (len(rows), m, k, k), dtype=_numpy(engine.dtype))
    side = _side(engine, max(len(rows), m))
    for row, column, block in _tiles(engine, columns, side, None, batch_size, progress):
        here, there = slice(row * side, row * side + block.shape[0]), slice(column * side, column * side + block.shape[1])
        values[here, there] = block
        if columns is None and row != column:
            values[there, here] = _turned(block)
    seconds = time.monotonic() - started
    return EmpiricalKernel(values, outputs, engine.outputs, engine.notes, report, seconds, str(engine.like.device), str(values.dtype))


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
    dtype: torch.dtype | None = None,
    compression: Compression | None = None,
    tf32: bool = False,
    progress: Progress | None = None,
) -> Iterator[tuple[int, int, np.ndarray]]:
    """The same kernel in tiles of ``tile`` × ``tile`` samples, in the order that computes the features of each block least often.

    Args:
        tile: samples on a side of a tile; those at the edges are smaller.
        wanted: (row, column) indices of tiles; None: all of them, for ``z = None`` those on and above the diagonal.
        progress: called with (tiles done, tiles wanted), with fractions of a tile in between where tiles are large.
        model, x, z, outputs, batch_size, device, dtype, compression, tf32: as for :func:`empirical_ntk`.

    Yields:
        row, column, and the tile's values (b, b') or (b, b', k, k). For ``z = None`` the tile (column, row) is its mirror image
        (with k × k entries transposed).

    Raises:
        ModelError, DataError, ComputationError: as :func:`empirical_ntk`; DataError for a tile that does not exist.
    """
    engine = _engine(model, x, outputs, device, dtype, tf32)
    engine.say_notes()
    columns = None if z is None else engine.others(z)
    if compression is not None:
        engine.compress(compression)
    yield from _tiles(engine, columns, tile, wanted, batch_size, progress)


def working_set(
    model: nn.Module,
    x: Tensor | np.ndarray,
    m: int | None = None,
    *,
    n: int | None = None,
    outputs: Outputs = "pseudo",
    batch_size: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> int:
    """Bytes that :func:`empirical_ntk` takes at the most, beyond the samples and the model, known before it starts.

    ``R + 2 F + 3 B + 4 W + T``: the result R = n m r² w (w bytes a number, r = k for "full", else 1); the features kept,
    F = min(KEPT_BYTES, both sides' features) and at least two samples'; one batch B (BATCH_BYTES, or one sample's where that is more),
    with autograd's and the unfolding's temporaries; work arrays W (WORKSPACE_BYTES); one product of two blocks T in float64 and again in
    the kernel's precision.

    Args:
        x: a few samples of the kind meant (one is enough).
        n, m: samples on the two sides; None: ``len(x)``, and m = n.
        model, outputs, batch_size, device, dtype: as for :func:`empirical_ntk`.
    """
    engine = _engine(model, x, outputs, device, dtype, False)
    rows = len(engine.samples) if n is None else n
    columns = rows if m is None else m
    kind = engine.like.device.type
    result = rows * columns * engine.layout.rows**2 * engine.like.element_size()
    side = min(_side(engine, max(rows, columns)), max(rows, columns))
    kept = max(min(KEPT_BYTES.get(kind, KEPT_BYTES["cpu"]), (rows + columns) * engine.pair_bytes()), 2 * engine.pair_bytes())
    product = (side * engine.layout.rows) ** 2 * (8 + 2 * engine.like.element_size())
    workspace = WORKSPACE_BYTES.get(kind, WORKSPACE_BYTES["cpu"])
    return result + 2 * kept + 3 * engine.batch_bytes(batch_size) + 4 * workspace + product


def _engine(model: nn.Module, x: Tensor | np.ndarray, outputs: Outputs, device: object, dtype: torch.dtype | None, tf32: bool) -> Engine:
    if dtype not in (None, torch.float32, torch.float64):
        raise DataError(f"The precision is {dtype}.", "Choose torch.float32 or torch.float64, or leave it out.")
    return Engine(model, x, device, outputs=outputs, dtype=dtype, tf32=tf32)  # type: ignore[arg-type]  # a device or None


def _compressed(engine: Engine, compression: Compression, batch_size: int | None) -> CompressionReport:
    """Switch the engine to compressed gradients, and measure what that costs."""
    few = engine.samples[:_EXACT]
    step = engine.pair_batch_size(batch_size)
    exact = engine.own_gram(engine.block(few, step)).double()
    engine.compress(compression)
    assert engine.compressor is not None
    near = engine.own_gram(engine.block(few, step)).double()
    error = float((near - exact).norm() / exact.norm())
    parameters = sum(entry.size for entry in engine.plan.entries if entry.form not in ("frozen", "unused"))
    return CompressionReport(compression, error, len(few), engine.compressor.columns(), parameters)


def _side(engine: Engine, n: int) -> int:
    """Samples in a block: all, or as many as let a few blocks' features be kept."""
    kept = KEPT_BYTES.get(engine.like.device.type, KEPT_BYTES["cpu"])
    return max(1, min(n, kept // 4 // engine.pair_bytes()))


def _tiles(
    engine: Engine,
    columns: Tensor | None,
    tile: int,
    wanted: Iterable[tuple[int, int]] | None,
    batch_size: int | None,
    progress: Progress | None,
) -> Iterator[tuple[int, int, np.ndarray]]:
    symmetric = columns is None
    x, z = engine.samples, engine.samples if columns is None else columns
    height, width = -(-len(x) // tile), -(-len(z) // tile)
    if wanted is None:
        pairs = {(r, c) for r in range(height) for c in range(r if symmetric else 0, width)}
    else:
        pairs = {(int(r), int(c)) for r, c in wanted}
        if any(not (0 <= r < height and (r if symmetric else 0) <= c < width) for r, c in pairs):
            raise DataError(f"A tile outside the kernel's {height} × {width} tiles is wanted.", "Name tiles of this kernel.")
    step, side = engine.pair_batch_size(batch_size), _side(engine, tile)
    for done, ((row, column), here, there) in enumerate(_scheduled(engine, x, z, pairs, tile, side, step, symmetric)):
        if here is not None and there is not None:
            block = _finished(engine, engine.own_gram(here) if there is here else engine.gram(here, there))
        else:
            block = _large_tile(engine, x, z, row, column, tile, side, step, symmetric, progress, (done, len(pairs)))
        yield row, column, block
        if progress is not None:
            progress(done + 1, len(pairs))


def _scheduled(
    engine: Engine, x: Tensor, z: Tensor, pairs: set[tuple[int, int]], tile: int, side: int, step: int, symmetric: bool
) -> Iterator[tuple[tuple[int, int], Block | None, Block | None]]:
    """Pairs of tiles with their features: some rows' are kept while the columns pass by. Tiles too large to keep come without."""
    if side < tile and (len(x) > side or len(z) > side):
        for pair in sorted(pairs):
            yield pair, None, None
        return
    kept = KEPT_BYTES.get(engine.like.device.type, KEPT_BYTES["cpu"])
    room = max(1, kept // (min(tile, max(len(x), len(z))) * engine.pair_bytes()) - 1)
    rows = sorted({row for row, _ in pairs})
    for first in range(0, len(rows), room):
        stripe = rows[first : first + room]
        held: dict[int, Block] = {}

        def features(index: int, held: dict[int, Block] = held) -> Block:
            if index not in held:
                held[index] = engine.block(x[index * tile : (index + 1) * tile], step)
            return held[index]

        for column in sorted({c for r, c in pairs if r in set(stripe)}):
            inside = symmetric and column in stripe
            there = features(column) if inside else engine.block(z[column * tile : (column + 1) * tile], step)
            for row in stripe:
                if (row, column) in pairs:
                    yield (row, column), there if inside and row == column else features(row), there


def _large_tile(
    engine: Engine,
    x: Tensor,
    z: Tensor,
    row: int,
    column: int,
    tile: int,
    side: int,
    step: int,
    symmetric: bool,
    progress: Progress | None,
    before: tuple[int, int],
) -> np.ndarray:
    """One tile whose features do not fit: the same schedule within it, on smaller blocks."""
    here, there = x[row * tile : (row + 1) * tile], z[column * tile : (column + 1) * tile]
    own = symmetric and row == column
    height, width, r = -(-len(here) // side), -(-len(there) // side), engine.layout.rows
    pairs = {(i, j) for i in range(height) for j in range(i if own else 0, width)}
    shape = (len(here), len(there)) if engine.layout.outputs != "full" else (len(here), len(there), r, r)
    result: np.ndarray = np.empty(shape, dtype=_numpy(engine.dtype))
    for done, ((i, j), rows, columns) in enumerate(_scheduled(engine, here, there, pairs, side, side, step, own)):
        assert rows is not None
        assert columns is not None
        block = _finished(engine, engine.own_gram(rows) if rows is columns else engine.gram(rows, columns))
        top, left = slice(i * side, i * side + block.shape[0]), slice(j * side, j * side + block.shape[1])
        result[top, left] = block
        if own and i != j:
            result[left, top] = _turned(block)
        if progress is not None:
            progress(before[0] + (done + 1) / len(pairs), before[1])  # type: ignore[arg-type]  # a share of a tile
    return result


def _finished(engine: Engine, gram: Tensor) -> np.ndarray:
    """A Gram matrix (b·r, b'·r) as a tile, on the CPU.

    Raises:
        ComputationError: entries that are not finite.
    """
    if not torch.isfinite(gram).all():
        raise ComputationError(
            "The kernel has entries that are NaN or infinite.", "Check the scale of the samples and of the weights, or compute in float64."
        )
    r = engine.layout.rows
    if engine.layout.outputs != "full":
        return gram.cpu().numpy()
    return gram.view(len(gram) // r, r, gram.shape[1] // r, r).transpose(1, 2).contiguous().cpu().numpy()


def _turned(block: np.ndarray) -> np.ndarray:
    """A tile's mirror image."""
    return block.T if block.ndim == 2 else block.transpose(1, 0, 3, 2)


def _numpy(dtype: torch.dtype) -> type:
    return np.float64 if dtype == torch.float64 else np.float32
