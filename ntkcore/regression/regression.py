"""Kernel regression, its training dynamics and every leave-one-out, from one factorisation (SCIENCE.md §3, §5).

``f_t(x) = f0(x) + K(x, X) A^-1 (I - e^(-τ A)) (Y - f0(X))`` with ``A = K(X, X) + λ I``; τ is the time of gradient flow on the summed
squared loss, or the number of steps of gradient descent (:mod:`ntkcore.regression.descent`). At τ = ∞ a Cholesky factor and
``G = A^-1`` answer everything; at a finite τ an eigendecomposition of K, which serves every λ. Leave-one-out at a finite τ is exact too:
removing a sample is a rank-one change of the resolvent, integrated on a contour.

A full kernel (n, n, k, k) is the same system with N = n k rows; a scalar kernel serves all k outputs alike, N = n.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from math import inf, isfinite, isinf

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from ntkcore.cores import product
from ntkcore.errors import ComputationError
from ntkcore.kernels.matrices import BLOCK, checked_kernel, checked_square, flat, symmetrised
from ntkcore.linalg import eigh
from ntkcore.regression.addition import Added, added_at_end, addition_coefficients, largest_rate
from ntkcore.regression.contour import Window
from ntkcore.regression.descent import Descent, Flow
from ntkcore.regression.nodes import summed_shift
from ntkcore.regression.removal import removal_coefficients
from ntkcore.regression.resolvent import Dense, Resolvent, Spectral, diagonal_blocks, real_product, singular_kernel

Float = NDArray[np.float64]


class KernelRegression:
    """A kernel, its targets and λ; everything is float64. See the module's text.

    Memory: 8 N² bytes for K, and as much for G once it is wanted or for the eigenvectors, which serve every λ.
    """

    def __init__(
        self,
        k_train: ArrayLike,
        targets: ArrayLike,
        ridge: float = 0.0,
        f_init: ArrayLike | None = None,
        waiting: Callable[[], None] | None = None,
        eigen: tuple[Float, Float] | None = None,
    ) -> None:
        """Check the arguments; nothing is factorised yet.

        Args:
            k_train: (n, n), one kernel for all outputs, or (n, n, k, k).
            targets: (n, k).
            ridge: λ, at least 0, absolute.
            f_init: (n, k) the network's outputs at τ = 0, the prior mean; None: 0.
            waiting: called now and then during factorisations; may raise ``Cancelled``.
            eigen: eigenvalues (N,), ascending, and eigenvectors (N, N) of K, where they are known.

        Raises:
            ComputationError: a kernel, targets or outputs that are not finite.
        """
        kernel = checked_square(k_train, "k_train")
        y = _outputs("targets", targets, (len(kernel), None))
        start = np.zeros_like(y) if f_init is None else _outputs("f_init", f_init, y.shape)
        self.n, self.k = y.shape
        self.blocks = kernel.ndim == 4
        if self.blocks and kernel.shape[2] != self.k:
            raise ValueError(f"k_train: expected blocks of {self.k} x {self.k}, got {kernel.shape[2:]}")
        self.targets, self._start = y, start
        self._side = self.k if self.blocks else 1  # rows of the system for a sample
        self._y = (y - start).reshape(-1, 1) if self.blocks else y - start
        self._kernel = symmetrised(kernel)
        self.dtype = kernel.dtype  # in which K was computed
        self._waiting = waiting
        self.descent: Descent = Flow()
        self.ridge = _ridge(ridge)
        self._resolvent: Resolvent | None = None
        self._beta: Float | None = None
        self._eigen = None if eigen is None else _semidefinite(*eigen)

    def with_ridge(self, ridge: float) -> "KernelRegression":
        """The same regression with another λ; an eigendecomposition made before or for this one serves it too."""
        other = copy.copy(self)
        other.ridge, other._resolvent, other._beta = _ridge(ridge), None, None
        return other

    def with_descent(self, descent: Descent) -> "KernelRegression":
        """The same regression, trained otherwise; every ``time`` is the descent's."""
        other = copy.copy(self)
        other.descent = descent
        return other

    def without(self, indices: Sequence[int]) -> "KernelRegression":
        """The regression on the other samples; G, where it is there as a matrix, is downdated and not made anew.

        Raises:
            ComputationError: no sample would be left.
        """
        self._leave_one(indices)
        gone = self._chosen(indices)
        kept, rows = (np.delete(np.arange(size), chosen) for size, chosen in ((self.n, list(indices)), (len(self._kernel), gone)))
        other = copy.copy(self)
        other.n, other.targets, other._start = len(kept), self.targets[kept], self._start[kept]
        other._kernel, other._y, other._eigen, other._beta = self._kernel[np.ix_(rows, rows)], self._y[rows], None, None
        other._resolvent = self._resolvent.without(gone) if isinstance(self._resolvent, Dense) and gone else None
        return other

    @property
    def eigen(self) -> tuple[Float, Float]:
        """Eigenvalues (N,) of K, ascending, negative ones that are rounding set to 0, and its eigenvectors (N, N) in columns.

        Raises:
            ComputationError: K is not positive semi-definite.
        """
        if self._eigen is None:
            self._eigen = _semidefinite(*eigh(self._kernel, self._waiting))
        return self._eigen

    @property
    def resolvent(self) -> Resolvent:
        """``G = (K + λ I)^-1``: by the eigenvectors where they are there already, else from a Cholesky factor, which is sooner made.

        Raises:
            ComputationError: K + λ I is singular to rounding; says which λ would do.
        """
        if self._resolvent is None:
            known = self._eigen is not None
            self._resolvent = Spectral(*self.eigen, self.ridge) if known else Dense(self._kernel, self.ridge, self._waiting)
        return self._resolvent

    @property
    def beta(self) -> Float:
        """``G (Y - f0(X))`` (n, k)."""
        if self._beta is None:
            self._beta = self.resolvent.before(self._y).reshape(self.n, self.k)
        return self._beta

    def predict(self, k_test_train: ArrayLike, f_test_init: ArrayLike | None = None, time: float = inf) -> Float:
        """``f_τ`` (m, k).

        Args:
            k_test_train: (m, n) or (m, n, k, k).
            f_test_init: (m, k) the network's outputs at τ = 0; None: 0.
            time: τ, at least 0.
        """
        rows = self._rows(k_test_train)
        m = len(rows) // (self.k if self.blocks else 1)
        start = np.zeros((m, self.k)) if f_test_init is None else _outputs("f_test_init", f_test_init, (m, self.k))
        return start + (rows @ self._coefficients(time)).reshape(m, self.k)

    def coefficients(self, time: float = inf) -> Float:
        """c (n, k) with ``f_τ(x) = f0(x) + K(x, X) c`` and ``w_τ = w0 + J(X)ᵀ c``: ``A^-1 (I - e^(-τ A)) (Y - f0(X))``."""
        return self._coefficients(time).reshape(self.n, self.k)

    @property
    def kernel(self) -> Float:
        """K (n, n), or (n, n, k, k)."""
        if not self.blocks:
            return self._kernel
        return self._kernel.reshape(self.n, self.k, self.n, self.k).transpose(0, 2, 1, 3)

    def fitted(self, time: float = inf) -> Float:
        """``f_τ`` of the training samples (n, k), whose error is not 0 for λ > 0."""
        return self._start + (self._kernel @ self._coefficients(time)).reshape(self.n, self.k)

    def _coefficients(self, time: float) -> Float:
        """``A^-1 (I - e^(-τ A)) (Y - f0)`` (N, c)."""
        if isinf(self.descent.checked(time)):
            return self.beta.reshape(self._y.shape)
        values, vectors = self.eigen
        return vectors @ (self.descent.grown(values + self.ridge, time)[:, None] * (vectors.T @ self._y))

    def loo_residuals(self) -> Float:
        """``r_i = f^(without i)(x_i) - y_i`` (n, k) at τ = ∞: ``-β_i / G_ii``, or with k × k blocks the solution of ``G_ii r_i = -β_i``."""
        blocks = self.resolvent.diagonal(self._side)
        if not self.blocks:
            return -self.beta / blocks[:, :, 0]
        return np.asarray(-np.linalg.solve(blocks, self.beta[:, :, None])[:, :, 0], dtype=np.float64)

    def leverages(self) -> Float:
        """``A_i = [K (K + λ I)^-1]_ii = 1 - λ G_ii`` (n,) of a scalar kernel, or its k × k blocks (n, k, k) of a full one."""
        found = np.eye(self._side) - self.ridge * self.resolvent.diagonal(self._side)
        return found if self.blocks else found[:, 0, 0]

    def kernel_diagonal(self) -> Float:
        """k(x_i, x_i) (n,): of a full kernel the mean over outputs."""
        return np.asarray(np.diagonal(self._kernel).reshape(self.n, self._side).mean(1))

    def weights(self, k_test_train: ArrayLike) -> Float:
        """``α(x) = K(x, X) G``: (m, n), or (m, k, n, k)."""
        found = self.resolvent.after(self._rows(k_test_train))
        return found.reshape(-1, self.k, self.n, self.k) if self.blocks else found

    def loo_shift(self, k_test_train: ArrayLike, time: float = inf) -> Float:
        """``f_τ^(without i)(x) - f_τ(x)`` (m, n, k): how each training sample's removal moves each test sample's outputs.

        Args:
            k_test_train: (m, n) or (m, n, k, k).
            time: τ, at least 0.
        """
        result = np.empty((len(checked_kernel(k_test_train)), self.n, self.k))
        for _, rows, shift in self.shifts(k_test_train, [time]):
            result[rows] = shift
        return result

    def shifts(self, k_test_train: ArrayLike, times: Sequence[float]) -> Iterator[tuple[float, slice, Float]]:
        """:meth:`loo_shift` a piece at a time: yields τ, some of the test samples and their (b, n, k), about 32 MiB.

        Times near each other share the contour's nodes, so that a dense axis costs few products each.
        """
        finite = [time for time in dict.fromkeys(map(self.descent.checked, times)) if 0 < time < inf]
        kernel = checked_kernel(k_test_train)
        step = max(1, BLOCK // (self.n * self.k * self._side))
        for start in range(0, len(kernel), step):
            rows = slice(start, min(len(kernel), start + step))
            if 0 in times:
                yield 0.0, rows, np.zeros((rows.stop - start, self.n, self.k))
            if inf in times:
                yield inf, rows, self._removed(self.weights(kernel[rows]), self.loo_residuals())
        if finite:
            for window in self.descent.windows(finite, self.eigen[0] + self.ridge):
                yield from self._window_shifts(kernel, window)

    def _removed(self, weights: Float, residuals: Float) -> Float:
        """(b, n, k) from α and r."""
        if self.blocks:
            return np.einsum("xoip,ip->xio", weights, residuals, optimize=True)
        return weights[:, :, None] * residuals

    def _window_shifts(self, kernel: NDArray, window: Window) -> Iterator[tuple[float, slice, Float]]:
        values, vectors = self.eigen
        r, nodes = self._side, len(window.nodes)
        resolvent = 1 / (window.nodes[:, None] + values + self.ridge)  # (J, N)
        left = self._left(vectors, resolvent) / window.nodes[:, None, None]  # (J, n, k): R_ii^-1 [R y]_i / s
        products = len(window.times) * (1 if self.blocks else self.k)  # of the test kernel, and as many of the nodes' sums
        if products * (2 * nodes + len(kernel)) < 2 * nodes * len(kernel) * r:
            step = max(1, BLOCK // (self.n * self.k * r))
            for start in range(0, len(kernel), step):
                rows = slice(start, min(len(kernel), start + step))
                projected = product(self._rows(kernel[rows]), vectors)
                for time, weights in zip(window.times, window.weights, strict=True):
                    weighted = weights[:, None, None] * left
                    yield time, rows, summed_shift(projected, vectors, resolvent, weighted, self.blocks, self._waiting)
            return
        step = max(1, BLOCK // (2 * nodes * len(values) * r))
        for start in range(0, len(kernel), step):
            if self._waiting is not None:
                self._waiting()
            rows = slice(start, min(len(kernel), start + step))
            projected = product(self._rows(kernel[rows]), vectors)  # (b r, N)
            scaled = (projected * resolvent[:, None, :]).reshape(-1, len(values))
            right = real_product(scaled, vectors.T).reshape(nodes, -1, r, self.n, r)
            for time, weights in zip(window.times, window.weights, strict=True):
                weighted = weights[:, None, None] * left
                if self.blocks:
                    shift = np.einsum("jxoip,jip->xio", right, weighted, optimize=True)
                else:
                    shift = np.einsum("jxi,jio->xio", right[:, :, 0, :, 0], weighted, optimize=True)
                yield time, rows, -shift.real

    def own_errors(self, time: float = inf) -> Float:
        """``f_τ(x_i) - y_i = -(λ + K e^(-τ A)) A^-1 (Y - f0)`` (n, k) of the training samples, without a subtraction's cancellation."""
        if isinf(self.descent.checked(time)):
            return -self.ridge * self.beta
        values, vectors = self.eigen
        rates = values + self.ridge
        remaining = self.ridge + values * self.descent.left(rates, time)
        left = np.where(rates > 0, remaining / np.where(rates > 0, rates, 1.0), 1.0)
        return -(vectors @ (left[:, None] * (vectors.T @ self._y))).reshape(self.n, self.k)

    def own_shift(self, time: float = inf) -> Float:
        """``f_τ^(without i)(x_i) - f_τ(x_i)`` (n, k): what a sample's removal does to its own outputs, the diagonal of :meth:`loo_shift`.

        Only the diagonal of K R(s) is needed, so that a node costs N² operations and not N³.
        """
        if self.descent.checked(time) == 0:
            return np.zeros((self.n, self.k))
        residuals = self.loo_residuals() if isinf(time) else None  # first: refuses a singular K + λ I
        values, vectors = self.eigen
        if residuals is not None:
            shares = diagonal_blocks(vectors, (values / (values + self.ridge))[None], self._side)[0]
            return np.asarray((shares @ residuals[:, :, None])[:, :, 0]) if self.blocks else shares[:, :, 0] * residuals
        (window,) = self.descent.windows([time], values + self.ridge)
        resolvent = 1 / (window.nodes[:, None] + values + self.ridge)
        left = self._left(vectors, resolvent) * (window.weights[0] / window.nodes)[:, None, None]
        shares = diagonal_blocks(vectors, values * resolvent, self._side)  # (J, n, r, r): [K R]_ii
        found = (shares @ left[..., None])[..., 0] if self.blocks else shares[..., 0] * left
        return np.asarray(-found.sum(0).real)

    def _left(self, vectors: Float, resolvent: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """``R(s)_ii^-1 [R(s) y]_i`` (J, n, k) at every node."""
        projected = vectors.T @ self._y  # (N, c)
        scaled = (resolvent[:, None, :] * projected.T).reshape(-1, len(vectors))  # (J c, N)
        solved = real_product(scaled, vectors.T).reshape(len(resolvent), -1, len(vectors)).transpose(0, 2, 1)
        blocks = diagonal_blocks(vectors, resolvent, self._side)
        if not self.blocks:
            return np.asarray(solved / blocks[:, :, 0])
        return np.asarray(np.linalg.solve(blocks, solved.reshape(*blocks.shape[:3], 1))[..., 0])

    def group_shift(self, indices: Sequence[int], k_test_train: ArrayLike, time: float = inf) -> Float:
        """``f_τ^(without all of indices)(x) - f_τ(x)`` (m, k) by a block downdate, at τ = ∞ ``-α_I(x) G_II^-1 β_I``."""
        self._leave_one(indices)
        chosen = self._chosen(indices)
        if isinf(self.descent.checked(time)):
            columns, beta = self.resolvent.columns(chosen), self.beta.reshape(self._y.shape)[chosen]
            moved = -(columns @ scipy.linalg.solve(columns[chosen], beta, assume_a="pos"))
        elif time == 0 or not chosen:
            moved = np.zeros_like(self._y)
        else:
            values, vectors = self.eigen
            (window,) = self.descent.windows([time], values + self.ridge)
            moved = removal_coefficients(values + self.ridge, vectors, self._y, chosen, window)
        return (self._rows(k_test_train) @ moved).reshape(-1, self.k)

    def relabel_shift(self, indices: Sequence[int], targets: ArrayLike, k_test_train: ArrayLike, time: float = inf) -> Float:
        """How ``f_τ(x)`` (m, k) moves when the samples ``indices`` have the ``targets`` (c, k) instead, at τ = ∞ ``α_I(x) (Y' - Y)_I``."""
        chosen = self._chosen(indices)
        change = _outputs("targets", targets, (len(indices), self.k)) - self.targets[list(indices)]
        rows = change.reshape(-1, self._y.shape[1])
        if isinf(self.descent.checked(time)):
            moved = self.resolvent.columns(chosen) @ rows
        else:
            values, vectors = self.eigen
            moved = vectors @ (self.descent.grown(values + self.ridge, time)[:, None] * (vectors[chosen].T @ rows))
        return (self._rows(k_test_train) @ moved).reshape(-1, self.k)

    def addition_shift(self, added: Added, k_test_train: ArrayLike, k_test_added: ArrayLike, time: float = inf) -> Float:
        """``f_τ^(with the added samples)(x) - f_τ(x)`` (m, k), as if the regression were begun anew with them.

        Args:
            added: p samples, at least one.
            k_test_train: (m, n) or (m, n, k, k).
            k_test_added: (m, p) or (m, p, k, k).
            time: τ, at least 0.

        Raises:
            ComputationError: at the end of training, K + λ I with the added rows is singular to rounding.
        """
        across, own = self._rows(added.across), symmetrised(checked_square(added.kernel, "added"))
        own.flat[:: len(own) + 1] += self.ridge
        p = len(own) // self._side
        residual = _outputs("targets", added.targets, (p, self.k)) - _outputs("f_init", added.f_init, (p, self.k))
        residual = residual.reshape(len(own), -1)
        if isinf(self.descent.checked(time)):
            found = added_at_end(own, self.resolvent.before(across.T), across, residual - across @ self.beta.reshape(self._y.shape))
            if found is None:
                raise singular_kernel(self.ridge, float(np.trace(self._kernel) + np.trace(own)), len(self._kernel) + len(own))
        elif time == 0:
            return np.zeros((len(checked_kernel(k_test_train)), self.k))
        else:
            values, vectors = self.eigen
            rates = values + self.ridge
            (window,) = self.descent.windows([time], np.append(rates, largest_rate(rates, across, own)))
            found = addition_coefficients((rates, vectors, self._y), across, own, residual, window)
        new = flat(checked_kernel(k_test_added, "k_test_added")).astype(np.float64)
        return (self._rows(k_test_train) @ found[0] + new @ found[1]).reshape(-1, self.k)

    def quadratic(self) -> float:
        """``yᵀ G y`` with y = Y - f0(X), summed over outputs."""
        return float((self.beta.reshape(self._y.shape) * self._y).sum())

    def quadratic_of(self, indices: Sequence[int]) -> float:
        """``β_Iᵀ (G_II)^-1 β_I``: how much :meth:`quadratic` falls when the samples ``indices`` are removed."""
        self._leave_one(indices)
        chosen = self._chosen(indices)
        beta = self.beta.reshape(self._y.shape)[chosen]
        return float((beta * scipy.linalg.solve(self.resolvent.columns(chosen)[chosen], beta, assume_a="pos")).sum())

    def _chosen(self, indices: Sequence[int]) -> list[int]:
        """Rows of the system that belong to some samples."""
        if len(set(indices)) != len(indices) or not all(0 <= i < self.n for i in indices):
            raise ValueError(f"indices: expected different numbers from 0 to {self.n - 1}")
        r = self._side
        return [i * r + o for i in indices for o in range(r)]

    def _leave_one(self, indices: Sequence[int]) -> None:
        if len(indices) == self.n:
            raise ComputationError("Without any training image there is no regression.", "Leave at least one image in.")

    def _rows(self, k_test_train: ArrayLike) -> Float:
        """The test kernel as rows of the system, (m, N) or (m k, N), in float64."""
        values = checked_kernel(k_test_train, "k_test_train")
        expected = (self.n, self.k, self.k) if self.blocks else (self.n,)
        if values.shape[1:] != expected:
            raise ValueError(f"k_test_train: expected shape (m, {', '.join(map(str, expected))}), got {values.shape}")
        if not np.isfinite(values).all():
            raise ComputationError("The kernel has entries that are NaN or infinite.", "Compute it in float64.")
        return np.asarray(flat(values), dtype=np.float64)


def _semidefinite(values: Float, vectors: Float) -> tuple[Float, Float]:
    """Eigenvalues with the negative ones that are rounding set to 0."""
    if values[0] < -len(values) * np.finfo(np.float32).eps * max(values[-1], 0.0):
        raise ComputationError(
            f"The kernel's smallest eigenvalue is {values[0]:.3g}: it is not a kernel.", "Compute it in float64, or without compression."
        )
    return np.maximum(values, 0.0), vectors


def _outputs(name: str, values: ArrayLike, shape: tuple[int | None, ...]) -> Float:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or any(want is not None and want != have for want, have in zip(shape, found.shape, strict=True)) or not found.size:
        raise ValueError(f"{name}: expected shape ({', '.join('k' if s is None else str(s) for s in shape)}), got {found.shape}")
    if not np.isfinite(found).all():
        raise ComputationError("The network's outputs or the targets are not finite.", "Train with a smaller learning rate.")
    return found


def _ridge(ridge: float) -> float:
    if not (isfinite(ridge) and ridge >= 0):
        raise ValueError(f"ridge: expected a number of at least 0, got {ridge}")
    return float(ridge)
