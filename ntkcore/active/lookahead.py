"""What a network would say of the pool after one more label, for all candidates from one factorisation (SCIENCE.md §8; Thesis §2.2).

The network is linearised where it stands, f, with the kernel Θ there, and fitted to the labelled samples:
``f_lin(x) = f(x) + Θ(x, X) (Θ(X, X) + λ I)^-1 (Y - f(X))``. With the Schur complement ``S = Θ_UU - Θ_UL (Θ_LL + λ I)^-1 Θ_LU`` a label y'
of the candidate x' makes it ``f_lin(x) - S(x, x') (S(x', x') + λ I)^-1 (f_lin(x') - y')``. Differs from Thesis eq. 2.12 by λ, and by the
inverse that its v lacks.

S is ``Θ_UU - WᵀW`` with ``W = C^-1 Θ_LU`` and ``C Cᵀ = Θ_LL + λ I``, the way that loses least to rounding. A label that is known adds a row
to W, as to a Cholesky factor, and takes its square from S. A full kernel (n, m, k, k) is the same with k rows a sample.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Literal, get_args

import numpy as np
import scipy.linalg
import torch
from numpy.typing import ArrayLike, NDArray

from ntkcore.active.probabilities import Coding, Way, class_numbers, class_targets, entropies, predicted, require_way
from ntkcore.errors import ComputationError
from ntkcore.kernels.matrices import checked_kernel, checked_square, flat, row_blocks, symmetrised
from ntkcore.regression.resolvent import singular_kernel
from ntkcore.regression.solve import factorise

Float = NDArray[np.float64]
Indices = NDArray[np.intp]
Tiles = Callable[[Indices, Indices], ArrayLike]
Reference = Literal["linear", "network"]

_NUMBERS = 2**20  # of a tile, and of the outputs that are made of it at a time (8 MiB)
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class _Step:
    """A label that was added: its rows of the factor before the diagonal (N, r), and ``P`` (r, r), ``PᵀP = (S(x', x') + λ I)^-1``."""

    rows: Float
    root: Float


class LookAhead:
    """A pool of u candidates seen from l labelled samples. Everything is float64; labels are added by :meth:`with_label`.

    Memory: 8 N u r bytes for W, N = l r, r = k rows a sample of a full kernel, else 1; with the pool's kernel as an array 8 (u r)² for S,
    else some tiles of 8 MiB, which are made anew for each score. Operations: N³/3 + N² u r at first and N (u r)² for S, each time
    for the latter where the kernel is a function.

    Attributes:
        pool: (u,) which candidates these are of those given at first: those that were not labelled since.
        outputs: (u, k) f_lin.
        repeats: (u,) whether a candidate's S(x', x') + λ I is singular to rounding, which needs λ = 0 or a very small one: the labelled
            samples say already what the network says there. Its label moves nothing in those directions: the limit of small λ.
    """

    def __init__(
        self,
        k_labelled: ArrayLike,
        k_pool_labelled: ArrayLike,
        k_pool: ArrayLike | Tiles,
        f_labelled: ArrayLike,
        f_pool: ArrayLike,
        targets: ArrayLike,
        ridge: float = 0.0,
        *,
        coding: Coding = "one-hot",
        waiting: Callable[[], None] | None = None,
    ) -> None:
        """Factorise, and make S where the pool's kernel is an array.

        Args:
            k_labelled: (l, l), one kernel for all outputs, or (l, l, k, k).
            k_pool_labelled: (u, l) or (u, l, k, k).
            k_pool: (u, u) or (u, u, k, k), which counts by its symmetric part, or a function of row and column numbers (a,) and (b,) that
                gives the tile (a, b) or (a, b, k, k), and is asked for at most 2^20 numbers at a time; of tiles that mirror each other
                for one.
            f_labelled, f_pool: (l, k) and (u, k) the network's outputs.
            targets: (l, k).
            ridge: λ, at least 0, absolute.
            coding: how labels become targets: one-hot, or that less 1/k ("centred"); -1 and +1 where k = 1.
            waiting: called now and then, by every score, too; may raise ``Cancelled``.

        Raises:
            ComputationError: a kernel, targets or outputs that are not finite, or a labelled kernel plus λ I that is singular to rounding.
        """
        kernel, across = checked_square(k_labelled, "k_labelled"), checked_kernel(k_pool_labelled, "k_pool_labelled")
        self._blocks, n, u = kernel.ndim == 4, len(kernel), len(across)
        y, own, start = _outputs("targets", targets, n), _outputs("f_labelled", f_labelled, n), _outputs("f_pool", f_pool, u)
        self.k = y.shape[1]
        self._side = self.k if self._blocks else 1
        _expect("k_labelled", kernel, (n, n, *self._trailing))
        _expect("k_pool_labelled", across, (u, n, *self._trailing))
        _expect("f_labelled", own, (n, self.k))
        _expect("f_pool", start, (u, self.k))
        if not (np.isfinite(ridge) and ridge >= 0):
            raise ValueError(f"ridge: expected a number of at least 0, got {ridge}")
        self.ridge, self._waiting, self._network, self._classes = float(ridge), waiting, start, class_targets(self.k, coding)
        self.pool: Indices = np.arange(u)
        self._factor = _factorised(kernel, self.ridge, waiting)
        self._steps: tuple[_Step, ...] = ()
        self._weights = self._whitened(_finite(flat(across)))  # W (N, u r)
        self._fit = self._whitened((y - own).reshape(-1, 1).T if self._blocks else (y - own).T)  # C^-1 (Y - f(X))
        self.outputs = start + (self._weights.T @ self._fit).reshape(start.shape)
        self._sums: Float | None = None
        if callable(k_pool):
            self._function, self._held = k_pool, None
        else:
            values = checked_square(k_pool, "k_pool")
            _expect("k_pool", values, (u, u, *self._trailing))
            self._held = self._complement(values)
        self._pivots = self._diagonal()
        square = np.square(self._weights).sum(0).reshape(-1, self._side)  # of Θ(x, x) the part that is not in S(x, x)
        self._scale = (np.diagonal(self._pivots, axis1=1, axis2=2) + square).max(1) + self.ridge
        self._invert()

    @property
    def _trailing(self) -> tuple[int, ...]:
        return (self.k, self.k) if self._blocks else ()

    def change(self, labels: ArrayLike | None = None, reference: Reference = "linear") -> Float:
        """MLMOC, ``A(x') = sum_{x in U} ‖f_lin+(x) - f_lin(x)‖`` (u,), x' itself in the sum (Thesis eq. 2.13).

        Args:
            labels: (u,) the label that each candidate would get: its class, or -1 or +1 where k = 1; None: the network's own, argmax f.
            reference: "network" for the f of the trained network in place of f_lin, as the source prints it. They are the same where the
                network fits the labelled samples exactly.
        """
        return self._expected([(np.ones(len(self.pool)), self._gains(self._labels(labels)))], reference)

    def expected_change(self, p: ArrayLike, reference: Reference = "linear") -> Float:
        """EMOC: :meth:`change` in expectation over the label, with probabilities ``p`` (u, classes) (Thesis eq. 2.3)."""
        return self._expected(self._cases(p), reference)

    def expected_error(self, p: ArrayLike, of: Way = "simplex", points: Sequence[int] | None = None) -> Float:
        """EER without its sign: the expected entropy of the pool after the label (u,), in nats, *small first* (Thesis eq. 2.2).

        Operations: u² k for each class of a positive probability: there is no closed form.

        Args:
            p: (u, classes) probabilities of the candidates' labels.
            of: how the outputs become probabilities: projected on the simplex, or softmax.
            points: numbers of the candidates whose entropies are summed; None: the whole pool.
        """
        require_way(of)
        among = None
        if points is not None:
            among = np.zeros(len(self.pool), dtype=bool)
            among[list(points)] = True

        def measured(rows: slice, moved: Float) -> Float:
            chosen = slice(None) if among is None else among[rows]
            after = self.outputs[rows].T[:, chosen, None] + moved[:, chosen]
            return np.asarray(entropies(torch.from_numpy(after), of).sum(0))

        return self._summed(self._cases(p), measured)

    def flips(self, labels: ArrayLike | None = None, reference: Reference = "linear") -> NDArray[np.int64]:
        """How many of the pool's predicted classes the label changes (u,), x' itself counted.

        Args:
            labels, reference: as for :meth:`change`. A class among the largest ones that tie stays.
        """
        before = predicted(self._reference(reference))

        def measured(rows: slice, moved: Float) -> Float:
            after = self.outputs[rows].T[:, :, None] + moved
            if self.k == 1:
                return np.asarray(((after[0] > 0) != (before[rows] > 0)[:, None]).sum(0))
            kept = np.take_along_axis(after, before[rows][None, :, None], 0)[0]
            return np.asarray((after.max(0) > kept).sum(0))

        return self._summed([(np.ones(len(self.pool)), self._gains(self._labels(labels)))], measured).astype(np.int64)

    def moved(self, i: int, target: ArrayLike) -> Float:
        """``f_lin+(x) - f_lin(x)`` (u, k) of the whole pool when candidate ``i`` has the ``target`` (k,).

        Args:
            i: number of the candidate, as in the scores.
            target: coded as ``targets`` are.
        """
        _, new, fit = self._step(i, target)
        return (new.T @ fit).reshape(-1, self.k)

    def with_label(self, i: int, target: ArrayLike) -> "LookAhead":
        """The state when candidate ``i`` has the ``target`` (k,), as if made anew: (u r)² operations for S, N u r without it.

        The candidate leaves the pool, so that the scores of the new state have one fewer. Args: as for :meth:`moved`.
        """
        step, new, fit = self._step(i, target)
        rest, rows = np.delete(np.arange(len(self.pool)), i), slice(i * self._side, (i + 1) * self._side)
        other = copy.copy(self)
        other.pool, other._network, other._scale = self.pool[rest], self._network[rest], self._scale[rest]
        other._steps, other._fit = (*self._steps, step), np.concatenate([self._fit, fit])
        other._weights = _without(np.concatenate([self._weights, new]), rows)
        other.outputs = (self.outputs + (new.T @ fit).reshape(-1, self.k))[rest]
        if self._held is not None:
            other._held = _downdated(self._held, new, rows)
        other._sums = None
        left = new.reshape(self._side, -1, self._side)[:, rest]
        other._pivots = self._pivots[rest] - np.einsum("aup,auq->upq", left, left)
        other._invert()
        return other

    def predict(self, k_labelled: ArrayLike, f: ArrayLike) -> Float:
        """``f_lin`` (m, k) of other samples.

        Args:
            k_labelled: (m, l) or (m, l, k, k) their kernel with the labelled samples: those given at first, then those labelled since.
            f: (m, k) the network's outputs.
        """
        values, start = checked_kernel(k_labelled, "k_labelled"), _outputs("f", f, None)
        labelled = len(self._weights) // self._side
        _expect("k_labelled", values, (len(start), labelled, *self._trailing))
        found = start.copy()
        for rows, block in row_blocks(values):
            found[rows] += (self._whitened(_finite(flat(block))).T @ self._fit).reshape(-1, self.k)
        return found

    def _whitened(self, rows: Float) -> Float:
        """``C^-1 rowsᵀ`` (N, M) of rows (M, N) of the kernel with the labelled samples."""
        first = len(self._factor)
        found = np.empty(rows.shape[::-1])
        found[:first] = scipy.linalg.solve_triangular(self._factor, rows[:, :first].T, lower=True, check_finite=False)
        for step in self._steps:
            done = len(step.rows)
            here = slice(done, done + self._side)
            found[here] = step.root @ (rows[:, here].T - step.rows.T @ found[:done])
        return found

    def _complement(self, kernel: NDArray) -> Float:
        """S (u r, u r) of the pool's kernel, whose symmetric part counts: in one pass over it."""
        r, size = self._side, len(kernel) * self._side
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
        r, found = self._side, np.empty((len(self.pool), self._side, self._side))
        side = max(1, isqrt(_NUMBERS) // (8 * r))  # what is beside the diagonal is made for nothing
        for start in range(0, len(self.pool), side):
            rows = slice(start, min(len(self.pool), start + side))
            tile = self._tile(rows, rows).reshape(rows.stop - start, r, rows.stop - start, r)
            each = np.arange(len(tile))
            found[rows] = tile[each, :, each]
        return found

    def _invert(self) -> None:
        """``(S(x', x') + λ I)^-1`` (u, r, r) without the directions in which it is 0 to rounding."""
        values, vectors = np.linalg.eigh((self._pivots + self._pivots.transpose(0, 2, 1)) / 2)
        values += self.ridge
        gone = values <= 4 * _EPS * (len(self._weights) + self._side) * self._scale[:, None]
        self._roots = np.where(gone, 0.0, 1 / np.sqrt(np.where(gone, 1.0, values)))[:, :, None] * vectors.transpose(0, 2, 1)
        self._inverse = self._roots.transpose(0, 2, 1) @ self._roots
        self.repeats = gone.any(1)

    def _tile(self, rows: slice, columns: slice) -> Float:
        """S of some candidates with some (a r, b r)."""
        r = self._side
        high, wide = slice(rows.start * r, rows.stop * r), slice(columns.start * r, columns.stop * r)
        if self._held is not None:
            return self._held[high, wide]
        values = np.asarray(self._function(self.pool[rows], self.pool[columns]))
        _expect("k_pool", values, (rows.stop - rows.start, columns.stop - columns.start, *self._trailing))
        return _finite(flat(values)) - self._weights[:, high].T @ self._weights[:, wide]

    def _tiles(self, side: int) -> Iterator[tuple[slice, slice, Float]]:
        """S in tiles of at most ``side`` candidates: what of the points ``rows`` depends on the candidates ``columns``."""
        for rows, columns in _grid(len(self.pool), side, self._waiting):
            tile = self._tile(rows, columns)
            yield rows, columns, tile
            if rows != columns:
                yield columns, rows, np.ascontiguousarray(tile.T)

    def _labels(self, labels: ArrayLike | None) -> Float:
        """Targets (u, k)."""
        if labels is None:
            return self._classes[predicted(self._network)]
        found = class_numbers(labels, self.k)
        if len(found) != len(self.pool):
            raise ValueError(f"labels: expected {len(self.pool)} of them, got {len(found)}")
        return self._classes[found]

    def _gains(self, targets: Float) -> Float:
        """``(S(x', x') + λ I)^-1 (y' - f_lin(x'))`` (u, k)."""
        left = targets - self.outputs
        return np.einsum("upq,uq->up", self._inverse, left) if self._blocks else self._inverse[:, 0] * left

    def _cases(self, p: ArrayLike) -> list[tuple[Float, Float]]:
        """Probabilities (u,) and gains (u, k) of every class."""
        chances = np.asarray(p, dtype=np.float64)
        shape = (len(self.pool), len(self._classes))
        if chances.shape != shape or not (np.abs(chances.sum(1) - 1) <= 1e-6).all() or not (chances >= 0).all():
            raise ValueError(f"p: expected probabilities {shape}, whose rows' sums are 1, got shape {chances.shape}")
        return [(chances[:, c], self._gains(target[None])) for c, target in enumerate(self._classes)]

    def _reference(self, reference: Reference) -> Float:
        if reference not in get_args(Reference):
            raise ValueError(f"reference: expected one of {', '.join(get_args(Reference))}, got {reference!r}")
        return self.outputs if reference == "linear" else self._network

    def _expected(self, cases: list[tuple[Float, Float]], reference: Reference) -> Float:
        """The change of outputs in expectation over cases (weights (u,), gains (u, k))."""
        already = self.outputs - self._reference(reference)
        if reference == "linear" and not self._blocks:  # ‖S(x, x') g‖ = |S(x, x')| ‖g‖
            size = sum((weights * np.linalg.norm(gains, axis=1) for weights, gains in cases), start=np.zeros(len(self.pool)))
            return np.asarray(size * self._reach())

        def measured(rows: slice, moved: Float) -> Float:
            if reference == "network":
                moved = moved + already[rows].T[:, :, None]
            return np.asarray(np.sqrt(np.square(moved).sum(0)).sum(0))

        return self._summed(cases, measured)

    def _reach(self) -> Float:
        """``sum_x |S(x, x')|`` (u,) of a scalar kernel: the same for every label, so that MLMOC and EMOC ask for it once."""
        if self._sums is None:
            found = np.zeros(len(self.pool))
            for rows, columns in _grid(len(self.pool), isqrt(_NUMBERS), self._waiting):
                sizes = np.abs(self._tile(rows, columns))
                found[columns] += sizes.sum(0)
                if rows != columns:
                    found[rows] += sizes.sum(1)
            self._sums = found
        return self._sums

    def _summed(self, cases: list[tuple[Float, Float]], measured: Callable[[slice, Float], Float]) -> Float:
        """For each candidate what is ``measured`` of the points' moves (k, a, b), summed over points, in expectation over the cases."""
        found = np.zeros(len(self.pool))
        side = isqrt(_NUMBERS // self.k**2) if self._blocks else isqrt(_NUMBERS // self.k)
        for rows, columns, tile in self._tiles(max(1, side)):
            for weights, gains in cases:
                chosen = np.flatnonzero(weights[columns])
                if len(chosen):
                    part = tile if len(chosen) == columns.stop - columns.start else tile.reshape(len(tile), -1, self._side)[:, chosen]
                    moved = self._moved(part.reshape(len(tile), -1), gains[columns][chosen])
                    found[columns.start + chosen] += weights[columns][chosen] * measured(rows, moved)
        return found

    def _moved(self, tile: Float, gains: Float) -> Float:
        """How the points' outputs move (k, a, b) with each candidate's label, from its gain (b, k)."""
        if not self._blocks:
            return tile * gains.T[:, None, :]
        each = np.einsum("nbp,bp->nb", tile.reshape(len(tile), len(gains), self.k), gains)
        return each.reshape(-1, self.k, len(gains)).transpose(1, 0, 2)

    def _step(self, i: int, target: ArrayLike) -> tuple[_Step, Float, Float]:
        """What the label of candidate ``i`` adds: to the factor, to W (r, u r), and to C^-1 (Y - f(X))."""
        if not 0 <= i < len(self.pool):
            raise ValueError(f"candidate: expected a number from 0 to {len(self.pool) - 1}, got {i}")
        wanted = np.asarray(target, dtype=np.float64)
        if wanted.shape != (self.k,) or not np.isfinite(wanted).all():
            raise ValueError(f"target: expected {self.k} finite numbers, got shape {wanted.shape}")
        r, root = self._side, self._roots[i]
        row = np.empty((r, len(self.pool) * r))
        step = max(1, _NUMBERS // r**2)
        for start in range(0, len(self.pool), step):
            stop = min(len(self.pool), start + step)
            row[:, start * r : stop * r] = self._tile(slice(i, i + 1), slice(start, stop))
        left = wanted - self.outputs[i]
        fit = root @ (left[:, None] if self._blocks else left[None])
        return _Step(self._weights[:, i * r : (i + 1) * r].copy(), root), root @ row, fit


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


def _without(matrix: Float, gone: slice) -> Float:
    """A matrix without some columns."""
    return np.concatenate([matrix[:, : gone.start], matrix[:, gone.stop :]], axis=1)


def _downdated(matrix: Float, new: Float, gone: slice) -> Float:
    """``S - newᵀ new`` (M - r, M - r) without some rows and columns."""
    size, cut = len(matrix) - (gone.stop - gone.start), gone.start
    found = np.empty((size, size))
    step = max(1, _NUMBERS // max(1, 4 * len(matrix)))
    for top, shift in ((0, 0), (cut, gone.stop - cut)):
        stop = cut if not shift else size
        for start in range(top, stop, step):
            rows = slice(start, min(stop, start + step))
            source = slice(rows.start + shift, rows.stop + shift)
            square = new[:, source].T @ new
            np.subtract(matrix[source, :cut], square[:, :cut], out=found[rows, :cut])
            np.subtract(matrix[source, gone.stop :], square[:, gone.stop :], out=found[rows, cut:])
    return found


def _finite(values: NDArray) -> Float:
    found = np.asarray(values, dtype=np.float64)
    if not np.isfinite(found).all():
        raise ComputationError("The kernel has entries that are NaN or infinite.", "Compute it in float64.")
    return found


def _outputs(name: str, values: ArrayLike, samples: int | None) -> Float:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or not found.shape[1] or samples not in (None, len(found)):
        raise ValueError(f"{name}: expected shape ({'m' if samples is None else samples}, k), got {found.shape}")
    if not np.isfinite(found).all():
        raise ComputationError("The network's outputs or the targets are not finite.", "Train with a smaller learning rate.")
    return found


def _expect(name: str, values: NDArray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {values.shape}")
