"""What a network would say of the pool after one more label, for all candidates from one factorisation (SCIENCE.md §8; Thesis §2.2).

The network is linearised where it stands, f, with the kernel Θ there, and fitted to the labelled samples:
``f_lin(x) = f(x) + Θ(x, X) (Θ(X, X) + λ I)^-1 (Y - f(X))``. With the Schur complement ``S = Θ_UU - Θ_UL (Θ_LL + λ I)^-1 Θ_LU`` a label y'
of the candidate x' makes it ``f_lin(x) - S(x, x') (S(x', x') + λ I)^-1 (f_lin(x') - y')``. Differs from Thesis eq. 2.12 by λ, and by the
inverse that its v lacks. What is made of kernels alone is :mod:`ntkcore.active.schur`.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ntkcore.active.probabilities import Coding, Way, class_numbers, class_targets, entropies, predicted, require_way
from ntkcore.active.schur import Schur, Tiles, expect
from ntkcore.errors import ComputationError
from ntkcore.kernels.matrices import checked_kernel, checked_square, row_blocks

Float = NDArray[np.float64]
Reference = Literal["linear", "network"]


class LookAhead:
    """A pool of u candidates seen from l labelled samples. Everything is float64; labels are added by :meth:`with_label`.

    Memory and operations are those of :class:`~ntkcore.active.schur.Schur`.

    Attributes:
        outputs: (u, k) f_lin.
        k, ridge: outputs of the network, and λ.
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
        """Look at the pool from the samples labelled at first.

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
        kernel, u = checked_square(k_labelled, "k_labelled"), len(checked_kernel(k_pool_labelled, "k_pool_labelled"))
        n, self._blocks = len(kernel), kernel.ndim == 4
        y, own, start = _outputs("targets", targets, n), _outputs("f_labelled", f_labelled, n), _outputs("f_pool", f_pool, u)
        self.k = y.shape[1]
        expect("k_labelled", kernel, (n, n, *((self.k, self.k) if self._blocks else ())))
        expect("f_labelled", own, (n, self.k))
        expect("f_pool", start, (u, self.k))
        self.ridge, self._network, self._classes = float(ridge), start, class_targets(self.k, coding)
        self._schur = schur = Schur(kernel, k_pool_labelled, k_pool, ridge, waiting)
        self._fit = schur.solved((y - own).reshape(-1, 1) if self._blocks else y - own)  # C^-1 (Y - f(X))
        self.outputs = start + (schur.weights.T @ self._fit).reshape(start.shape)

    @property
    def pool(self) -> NDArray[np.intp]:
        """(u,) which candidates these are of those given at first: those that were not labelled since."""
        return self._schur.pool

    @property
    def repeats(self) -> NDArray[np.bool_]:
        """(u,) whether a candidate's S(x', x') + λ I is singular to rounding, which needs λ = 0 or a very small one.

        The labelled samples say already what the network says there. Its label moves nothing in those directions: the limit of small λ.
        """
        return self._schur.repeats

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
        new, fit = self._step(i, target)
        return (new.T @ fit).reshape(-1, self.k)

    def ahead(self, i: int) -> Schur:
        """What a label of candidate ``i`` takes of the kernel, which is the same whatever the label is: for :meth:`with_label`.

        With the sums that :meth:`change` takes of a scalar kernel, so that what is left of both is of the order of u.
        """
        after = self._schur.with_label(i, self._schur.row(i)[1])
        if not self._blocks:
            after.reach()
        return after

    def with_label(self, i: int, target: ArrayLike, after: Schur | None = None) -> "LookAhead":
        """The state when candidate ``i`` has the ``target`` (k,), as if made anew: (u r)² operations for S, N u r without it.

        The candidate leaves the pool, so that the scores of the new state have one fewer.

        Args:
            i, target: as for :meth:`moved`.
            after: from :meth:`ahead` of this state and the candidate, where that was made before.
        """
        new, fit = self._step(i, target)
        rest = np.delete(np.arange(len(self.pool)), i)
        other = copy.copy(self)
        other._schur = self._schur.with_label(i, new) if after is None else after
        other._network, other._fit = self._network[rest], np.concatenate([self._fit, fit])
        other.outputs = (self.outputs + (new.T @ fit).reshape(-1, self.k))[rest]
        return other

    def predict(self, k_labelled: ArrayLike, f: ArrayLike) -> Float:
        """``f_lin`` (m, k) of other samples.

        Args:
            k_labelled: (m, l) or (m, l, k, k) their kernel with the labelled samples: those given at first, then those labelled since.
            f: (m, k) the network's outputs.
        """
        values, start = checked_kernel(k_labelled, "k_labelled"), _outputs("f", f, None)
        expect("k_labelled", values, (len(start), self._schur.labelled, *((self.k, self.k) if self._blocks else ())))
        found = start.copy()
        for rows, block in row_blocks(values):
            found[rows] += (self._schur.whitened(block).T @ self._fit).reshape(-1, self.k)
        return found

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
        return np.einsum("upq,uq->up", self._schur.inverse, left) if self._blocks else self._schur.inverse[:, 0] * left

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
            return np.asarray(size * self._schur.reach())

        def measured(rows: slice, moved: Float) -> Float:
            if reference == "network":
                moved = moved + already[rows].T[:, :, None]
            return np.asarray(np.sqrt(np.square(moved).sum(0)).sum(0))

        return self._summed(cases, measured)

    def _summed(self, cases: list[tuple[Float, Float]], measured: Callable[[slice, Float], Float]) -> Float:
        """For each candidate what is ``measured`` of the points' moves (k, a, b), summed over points, in expectation over the cases."""
        found = np.zeros(len(self.pool))
        for rows, columns, tile in self._schur.tiles(self.k**2 if self._blocks else self.k):
            for weights, gains in cases:
                chosen = np.flatnonzero(weights[columns])
                if len(chosen):
                    part = tile if len(chosen) == columns.stop - columns.start else tile.reshape(len(tile), -1, self._schur.side)[:, chosen]
                    moved = self._moved(part.reshape(len(tile), -1), gains[columns][chosen])
                    found[columns.start + chosen] += weights[columns][chosen] * measured(rows, moved)
        return found

    def _moved(self, tile: Float, gains: Float) -> Float:
        """How the points' outputs move (k, a, b) with each candidate's label, from its gain (b, k)."""
        if not self._blocks:
            return tile * gains.T[:, None, :]
        each = np.einsum("nbp,bp->nb", tile.reshape(len(tile), len(gains), self.k), gains)
        return each.reshape(-1, self.k, len(gains)).transpose(1, 0, 2)

    def _step(self, i: int, target: ArrayLike) -> tuple[Float, Float]:
        """What the label of candidate ``i`` adds to W (r, u r), and to C^-1 (Y - f(X))."""
        wanted = np.asarray(target, dtype=np.float64)
        if wanted.shape != (self.k,) or not np.isfinite(wanted).all():
            raise ValueError(f"target: expected {self.k} finite numbers, got shape {wanted.shape}")
        root, new = self._schur.row(i)
        left = wanted - self.outputs[i]
        return new, root @ (left[:, None] if self._blocks else left[None])


def _outputs(name: str, values: ArrayLike, samples: int | None) -> Float:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or not found.shape[1] or samples not in (None, len(found)):
        raise ValueError(f"{name}: expected shape ({'m' if samples is None else samples}, k), got {found.shape}")
    if not np.isfinite(found).all():
        raise ComputationError("The network's outputs or the targets are not finite.", "Train with a smaller learning rate.")
    return found
