"""The Schur complement of a pool's kernel, ``S = Θ_UU - Θ_UL (Θ_LL + λ I)^-1 Θ_LU``: from one factorisation, and after each label more.

S is ``Θ_UU - WᵀW`` with ``W = C^-1 Θ_LU`` and ``C Cᵀ = Θ_LL + λ I``, the way that loses least to rounding. A label that is known adds a row
to W, as to a Cholesky factor, and takes its square from S. A full kernel (n, m, k, k) is the same with k rows a sample.

Rows that labels added stay beside W and S for a while, which the states before share: to write S anew after each label would take longer
than the scores made of it.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isqrt

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from ntkcore.cores import all_cores
from ntkcore.errors import ComputationError
from ntkcore.kernels.matrices import checked_kernel, checked_square, flat, symmetrised
from ntkcore.regression.resolvent import singular_kernel
from ntkcore.regression.solve import factorise

Float = NDArray[np.float64]
Indices = NDArray[np.intp]
Tiles = Callable[[Indices, Indices], ArrayLike]

_NUMBERS = 2**20  # of a tile, and of what is made of it at a time (8 MiB)
_BESIDE = 32  # labels whose rows stay beside W and S
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class _Step:
    """A label that was added: its rows of the factor before the diagonal (N, r), and ``P`` (r, r), ``PᵀP = (S(x', x') + λ I)^-1``."""

    rows: Float
    root: Float


class Schur:
    """A pool of u candidates beside l labelled samples, N = l r rows of the system, r = k rows a sample of a full kernel, else 1.

    Memory: 8 N u r bytes for W; with the pool's kernel as an array 8 (u r)² for S, else some tiles of 8 MiB, which are made anew each time.
    32 states that follow each other share both.
    Operations: N³/3 + N² u r at first and N (u r)² for S, each time for the latter where the kernel is a function.

    Attributes:
        side: r.
        pool: (u,) which candidates these are of those given at first: those that were not labelled since.
        inverse: (u, r, r) ``(S(x', x') + λ I)^-1`` without the directions in which that is 0 to rounding.
        repeats: (u,) whether a candidate has such directions.
    """

    def __init__(
        self,
        k_labelled: ArrayLike,
        k_pool_labelled: ArrayLike,
        k_pool: ArrayLike | Tiles,
        ridge: float,
        waiting: Callable[[], None] | None = None,
    ) -> None:
        """Factorise, and make S where the pool's kernel is an array.

        Args:
            k_labelled, k_pool_labelled, k_pool, ridge, waiting: as for :class:`~ntkcore.active.lookahead.LookAhead`.

        Raises:
            ComputationError: a kernel that is not finite, or a labelled one plus λ I that is singular to rounding.
        """
        kernel, across = checked_square(k_labelled, "k_labelled"), checked_kernel(k_pool_labelled, "k_pool_labelled")
        self._trailing, n, u = kernel.shape[2:], len(kernel), len(across)
        self.side = self._trailing[0] if self._trailing else 1
        expect("k_pool_labelled", across, (u, n, *self._trailing))
        if not (np.isfinite(ridge) and ridge >= 0):
            raise ValueError(f"ridge: expected a number of at least 0, got {ridge}")
        self._ridge, self._waiting = float(ridge), waiting
        self.pool: Indices = np.arange(u)
        self._factor = _factorised(kernel, self._ridge, waiting)
        self._steps: tuple[_Step, ...] = ()
        self._weights = self.whitened(across)
        self._at, self._beside = np.arange(u), np.empty((0, u * self.side))
        self._reach: Float | None = None
        if callable(k_pool):
            self._function, self._held = k_pool, None
        else:
            values = checked_square(k_pool, "k_pool")
            expect("k_pool", values, (u, u, *self._trailing))
            with all_cores(self._weights.size * u * self.side):
                self._held = self._complement(values)
        self._pivots = self._diagonal()
        square = np.square(self._weights).sum(0).reshape(-1, self.side)  # of Θ(x, x) the part that is not in S(x, x)
        self._scale = (np.diagonal(self._pivots, axis1=1, axis2=2) + square).max(1) + self._ridge
        self._invert()

    @property
    def labelled(self) -> int:
        """Labelled samples by now."""
        return self._rows // self.side

    @property
    def weights(self) -> Float:
        """W (N, u r)."""
        return self._columns(slice(0, len(self.pool)))

    def whitened(self, kernel: NDArray) -> Float:
        """``C^-1 Θ_Lx`` (N, m r) of the kernel (m, l) or (m, l, k, k) of other samples with the labelled ones."""
        expect("k_labelled", kernel, (len(kernel), len(self._factor) // self.side + len(self._steps), *self._trailing))
        return self.solved(_finite(flat(kernel)).T)

    def solved(self, right: Float) -> Float:
        """``C^-1 right`` (N, M)."""
        first = len(self._factor)
        found = np.empty(right.shape)
        found[:first] = scipy.linalg.solve_triangular(self._factor, right[:first], lower=True, check_finite=False)
        for step in self._steps:
            done = len(step.rows)
            here = slice(done, done + self.side)
            found[here] = step.root @ (right[here] - step.rows.T @ found[:done])
        return found

    def row(self, i: int) -> tuple[Float, Float]:
        """What the label of candidate ``i`` adds: P (r, r), and to W (r, u r)."""
        if not 0 <= i < len(self.pool):
            raise ValueError(f"candidate: expected a number from 0 to {len(self.pool) - 1}, got {i}")
        r, root = self.side, self._roots[i]
        row = np.empty((r, len(self.pool) * r))
        step = max(1, _NUMBERS // r**2)
        for start in range(0, len(self.pool), step):
            stop = min(len(self.pool), start + step)
            row[:, start * r : stop * r] = self._tile(slice(i, i + 1), slice(start, stop))
        return root, root @ row

    def with_label(self, i: int, new: Float) -> "Schur":
        """S without candidate ``i``, who is labelled; ``new`` is its :meth:`row`."""
        rest, gone = np.delete(np.arange(len(self.pool)), i), slice(i * self.side, (i + 1) * self.side)
        other = copy.copy(self)
        other.pool, other._at, other._scale, other._reach = self.pool[rest], self._at[rest], self._scale[rest], None
        other._steps = (*self._steps, _Step(self._columns(slice(i, i + 1)).copy(), self._roots[i]))
        other._beside = np.delete(np.concatenate([self._beside, new]), gone, axis=1)
        if len(other._beside) >= _BESIDE * self.side:
            other._settle()
        left = new.reshape(self.side, -1, self.side)[:, rest]
        other._pivots = self._pivots[rest] - np.einsum("aup,auq->upq", left, left)
        other._invert()
        return other

    def tiles(self, arrays: int) -> Iterator[tuple[slice, slice, Float]]:
        """S in tiles (a r, b r): what of the points ``rows`` depends on the candidates ``columns``.

        Args:
            arrays: of a tile's candidates so many numbers are made for each pair: the tiles are the smaller.
        """
        for rows, columns in _grid(len(self.pool), max(1, isqrt(_NUMBERS // arrays)), self._waiting):
            tile = self._tile(rows, columns)
            yield rows, columns, tile
            if rows != columns:
                yield columns, rows, np.ascontiguousarray(tile.T)

    def reach(self) -> Float:
        """``sum_x |S(x, x')|`` (u,) of a scalar kernel, summed when it is asked for first."""
        if self._reach is None:
            found = np.zeros(len(self.pool))
            with all_cores(0 if self._held is not None else self._rows * len(self.pool) ** 2):
                for rows, columns in _grid(len(self.pool), isqrt(_NUMBERS), self._waiting):
                    sizes = np.abs(self._tile(rows, columns))
                    found[columns] += sizes.sum(0)
                    if rows != columns:
                        found[rows] += sizes.sum(1)
            self._reach = found
        return self._reach

    def _complement(self, kernel: NDArray) -> Float:
        """S (u r, u r) of the pool's kernel, whose symmetric part counts: in one pass over it."""
        r, size = self.side, len(kernel) * self.side
        found = np.empty((size, size))
        for rows, columns in _grid(len(kernel), max(1, isqrt(_NUMBERS) // r), self._waiting):
            high, wide = slice(rows.start * r, rows.stop * r), slice(columns.start * r, columns.stop * r)
            tile = found[high, wide]
            np.add(_finite(flat(kernel[rows, columns])), _finite(flat(kernel[columns, rows])).T, out=tile)
            tile /= 2
            tile -= self._weights[:, high].T @ self._weights[:, wide]
            if rows != columns:
                found[wide, high] = tile.T
        return found

    def _diagonal(self) -> Float:
        """S(x, x) (u, r, r)."""
        r, found = self.side, np.empty((len(self.pool), self.side, self.side))
        side = max(1, isqrt(_NUMBERS) // (8 * r))  # what is beside the diagonal is made for nothing
        for start in range(0, len(self.pool), side):
            rows = slice(start, min(len(self.pool), start + side))
            tile = self._tile(rows, rows).reshape(rows.stop - start, r, rows.stop - start, r)
            each = np.arange(len(tile))
            found[rows] = tile[each, :, each]
        return found

    def _invert(self) -> None:
        values, vectors = np.linalg.eigh((self._pivots + self._pivots.transpose(0, 2, 1)) / 2)
        values += self._ridge
        gone = values <= 4 * _EPS * (self._rows + self.side) * self._scale[:, None]
        self._roots = np.where(gone, 0.0, 1 / np.sqrt(np.where(gone, 1.0, values)))[:, :, None] * vectors.transpose(0, 2, 1)
        self.inverse = self._roots.transpose(0, 2, 1) @ self._roots
        self.repeats = gone.any(1)

    def _tile(self, rows: slice, columns: slice) -> Float:
        """S of some candidates with some (a r, b r)."""
        if self._held is None:
            values = np.asarray(self._function(self.pool[rows], self.pool[columns]))
            expect("k_pool", values, (rows.stop - rows.start, columns.stop - columns.start, *self._trailing))
            return _finite(flat(values)) - self._columns(rows).T @ self._columns(columns)
        if not len(self._beside):
            return self._held[self._wide(rows), self._wide(columns)]
        tile = self._held[np.ix_(self._places(rows), self._places(columns))]
        tile -= self._beside[:, self._wide(rows)].T @ self._beside[:, self._wide(columns)]
        return tile

    @property
    def _rows(self) -> int:
        """N."""
        return len(self._weights) + len(self._beside)

    def _wide(self, candidates: slice) -> slice:
        """Some candidates' rows of the system among the pool's."""
        return slice(candidates.start * self.side, candidates.stop * self.side)

    def _places(self, candidates: slice) -> Indices:
        """Some candidates' rows of the system in W and S."""
        return (self._at[candidates, None] * self.side + np.arange(self.side)).ravel()

    def _columns(self, candidates: slice) -> Float:
        """W of some candidates (N, a r)."""
        if not len(self._beside):
            return self._weights[:, self._wide(candidates)]
        return np.concatenate([self._weights[:, self._places(candidates)], self._beside[:, self._wide(candidates)]])

    def _settle(self) -> None:
        """Write W and S with the rows that are beside them, for this state and those that follow."""
        size, held = len(self.pool), None
        if self._held is not None:
            held = np.empty((size * self.side, size * self.side))
            for rows, columns in _grid(size, max(1, isqrt(_NUMBERS) // self.side), self._waiting):
                tile = held[self._wide(rows), self._wide(columns)] = self._tile(rows, columns)
                held[self._wide(columns), self._wide(rows)] = tile.T
        self._weights, self._held = self.weights, held
        self._at, self._beside = np.arange(size), np.empty((0, size * self.side))


def expect(name: str, values: NDArray, shape: tuple[int, ...]) -> None:
    """Refuse another shape."""
    if values.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {values.shape}")


def _factorised(kernel: NDArray, ridge: float, waiting: Callable[[], None] | None) -> Float:
    """The Cholesky factor (N, N) of the labelled kernel plus λ I, in the lower triangle."""
    matrix = symmetrised(kernel)
    trace = float(np.trace(matrix))
    matrix.flat[:: len(matrix) + 1] += ridge
    if factorise(matrix, waiting) < _EPS:
        raise singular_kernel(ridge, trace, len(matrix))
    return matrix


def _grid(size: int, side: int, waiting: Callable[[], None] | None) -> Iterator[tuple[slice, slice]]:
    """Tiles of a symmetric matrix on and above its diagonal."""
    parts = [slice(start, min(size, start + side)) for start in range(0, size, side)]
    for number, rows in enumerate(parts):
        for columns in parts[number:]:
            if waiting is not None:
                waiting()
            yield rows, columns


def _finite(values: NDArray) -> Float:
    found = np.asarray(values, dtype=np.float64)
    if not np.isfinite(found).all():
        raise ComputationError("The kernel has entries that are NaN or infinite.", "Compute it in float64.")
    return found
