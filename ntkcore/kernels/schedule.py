"""The order in which the tiles of a kernel are computed: few features are held, and few are made twice."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ntkcore.errors import ComputationError, DataError
from ntkcore.kernels.checks import finite
from ntkcore.kernels.engine import Engine
from ntkcore.kernels.features import Block, numpy_dtype
from ntkcore.kernels.memory import KEPT_BYTES, of_device, side_of

Progress = Callable[[float, float], None]


class Told:
    """How many of ``total`` tiles are done, told to a caller who may raise ``Cancelled``, also between a tile's batches."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0.0

    def advance(self, tiles: float) -> None:
        """So much more is done; sums of shares may be off by a rounding, so they end at whole tiles."""
        done = self._done + tiles
        self._done = round(done) if abs(done - round(done)) < 1e-9 else done
        self.again()

    def again(self) -> None:
        """Tell the same once more."""
        if self._progress is not None:
            self._progress(self._done, self._total)


def tiles(
    engine: Engine,
    columns: Tensor | None,
    tile: int,
    wanted: Iterable[tuple[int, int]] | None,
    batch_size: int | None,
    progress: Progress | None,
) -> Iterator[tuple[int, int, np.ndarray]]:
    symmetric = columns is None
    x, z = engine.samples, engine.samples if columns is None else columns
    height, width = -(-x.shape[0] // tile), -(-z.shape[0] // tile)
    side = side_of(engine, tile)
    if wanted is None and height == width == 1 and max(x.shape[0], z.shape[0]) <= side:  # nothing to schedule
        run = _Run(engine, batch_size, Told(progress, 1))
        only = run.block(x)
        yield 0, 0, _product(engine, only, only if symmetric else run.block(z), (0, 0), symmetric)
        run.told.advance(1)
        return
    if wanted is None:
        pairs = {(r, c) for r in range(height) for c in range(r if symmetric else 0, width)}
    else:
        pairs = {(int(r), int(c)) for r, c in wanted}
        if any(not (0 <= r < height and (r if symmetric else 0) <= c < width) for r, c in pairs):
            raise DataError(f"A tile outside the kernel's {height} × {width} tiles is wanted.", "Name tiles of this kernel.")
    run = _Run(engine, batch_size, Told(progress, len(pairs)))
    for (row, column), here, there in _scheduled(run, x, z, pairs, tile, side, symmetric):
        share = 1.0
        if here is None or there is None:
            at = row * tile, column * tile
            block = _large_tile(run, _tile(x, row, tile), _tile(z, column, tile), side, at, symmetric)
            share = 0.0  # told already, piece by piece
        else:
            block = _product(engine, here, there, (row * tile, column * tile), symmetric)
        yield row, column, block
        run.told.advance(share)


@dataclass(frozen=True, slots=True)
class _Run:
    """What one computation works with: the engine, the wished samples of a forward pass, and whom to tell."""

    engine: Engine
    batch_size: int | None
    told: Told

    def block(self, samples: Tensor) -> Block:
        """Features of some samples."""
        return self.engine.block(samples, self.batch_size, self.told.again)


def _scheduled(
    run: _Run, x: Tensor, z: Tensor, pairs: set[tuple[int, int]], tile: int, side: int, symmetric: bool
) -> Iterator[tuple[tuple[int, int], Block | None, Block | None]]:
    """Pairs of tiles with their features: some rows' are kept while the columns pass by. Tiles too large to keep come without."""
    n, m = x.shape[0], z.shape[0]
    if side < tile and (n > side or m > side):
        for pair in sorted(pairs):
            yield pair, None, None
        return
    kept = of_device(KEPT_BYTES, run.engine.like.device)
    room = max(1, kept // (min(tile, max(n, m)) * run.engine.pair_bytes()) - 1)
    rows = sorted({row for row, _ in pairs})
    for first in range(0, len(rows), room):
        stripe = rows[first : first + room]
        held: dict[int, Block] = {}

        def features(index: int, held: dict[int, Block] = held) -> Block:
            if index not in held:
                held[index] = run.block(_tile(x, index, tile))
            return held[index]

        for column in sorted({c for r, c in pairs if r in set(stripe)}):
            inside = symmetric and column in stripe
            there = features(column) if inside else run.block(_tile(z, column, tile))
            for row in stripe:
                if (row, column) in pairs:
                    yield (row, column), there if inside and row == column else features(row), there


def _tile(samples: Tensor, index: int, tile: int) -> Tensor:
    return samples[index * tile : (index + 1) * tile]


def _large_tile(run: _Run, here: Tensor, there: Tensor, side: int, at: tuple[int, int], symmetric: bool) -> np.ndarray:
    """One tile whose features do not fit, with its first samples ``at``: the same schedule within it, on smaller blocks."""
    engine, own = run.engine, symmetric and at[0] == at[1]
    height, width, r = -(-len(here) // side), -(-len(there) // side), engine.layout.rows
    pairs = {(i, j) for i in range(height) for j in range(i if own else 0, width)}
    shape = (len(here), len(there)) if engine.layout.outputs != "full" else (len(here), len(there), r, r)
    result: np.ndarray = np.empty(shape, dtype=numpy_dtype(engine.dtype))
    for (i, j), rows, columns in _scheduled(run, here, there, pairs, side, side, own):
        assert rows is not None
        assert columns is not None
        block = _product(engine, rows, columns, (at[0] + i * side, at[1] + j * side), symmetric)
        top, left = slice(i * side, i * side + block.shape[0]), slice(j * side, j * side + block.shape[1])
        result[top, left] = block
        if own and i != j:
            result[left, top] = mirrored(block)
        run.told.advance(1 / len(pairs))
    return result


def _product(engine: Engine, here: Block, there: Block, at: tuple[int, int], symmetric: bool) -> np.ndarray:
    """The tile of two blocks, or of one with itself, whose first samples are ``at`` these places of x and of z; on the CPU.

    Raises:
        ComputationError: entries that are not finite.
    """
    gram = engine.own_gram(here) if here is there else engine.gram(here, there)
    if not finite(gram):
        bad = _first_bad(engine, here, at[0], "x") or _first_bad(engine, there, at[1], "x" if symmetric else "z")
        raise ComputationError(
            "The kernel has entries that are NaN or infinite" + (f": so are the gradients of {bad}." if bad else "."),
            "Check the scale of the samples (a blank one has none) and of the weights, or compute in float64.",
        )
    r = engine.layout.rows
    if engine.layout.outputs != "full":
        return gram.cpu().numpy()
    return gram.view(len(gram) // r, r, gram.shape[1] // r, r).transpose(1, 2).contiguous().cpu().numpy()


def _first_bad(engine: Engine, block: Block, start: int, name: str) -> str:
    """The first sample of a block whose gradients are not finite; empty where all are."""
    for index in range(block.samples):
        if not finite(engine.own_gram(block.part(index, index + 1))):
            return f"sample {start + index} of {name}"
    return ""


def mirrored(block: np.ndarray) -> np.ndarray:
    """A tile's mirror image."""
    return block.T if block.ndim == 2 else block.transpose(1, 0, 3, 2)
