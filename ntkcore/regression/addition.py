"""Samples that a regression is to learn too: what enters when rows and columns are added to its system (SCIENCE.md §3, §5).

With ``A⁺ = [[A, Bᵀ], [B, C]]``, C the added samples' kernel plus λ I and B theirs with the training samples, a resolvent of A⁺ is
``R⁺ [y; y'] = [R y - R Bᵀ z; z]``, ``z = (s + C - B R Bᵀ)^-1 (y' - B R y)``. At the end of training that is the block inverse at s = 0, at
a finite time the same in the contour of :mod:`ntkcore.regression.removal`: no kernel is decomposed anew.
"""

from dataclasses import dataclass
from math import hypot

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from ntkcore.regression.contour import Window

Float = NDArray[np.float64]
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Added:
    """Some samples, as a regression takes them.

    Attributes:
        kernel: (p, p), or (p, p, k, k), with each other.
        across: (p, n), or (p, n, k, k), with the training samples.
        targets: (p, k).
        f_init: (p, k) the network's outputs on them at τ = 0.
    """

    kernel: ArrayLike
    across: ArrayLike
    targets: ArrayLike
    f_init: ArrayLike


def added_at_end(own: Float, solved: Float, across: Float, left: Float) -> tuple[Float, Float] | None:
    """Coefficients (N, c) and (P, c), with which ``k_xᵀ c + k'_xᵀ c'`` is how f(x) moves at τ = ∞; None: A⁺ is singular to rounding.

    Args:
        own: C (P, P), λ on its diagonal.
        solved: ``G Bᵀ`` (N, P).
        across: B (P, N).
        left: (P, c) targets less what the regression says of them now.
    """
    schur = own - across @ solved
    values, vectors = scipy.linalg.eigh((schur + schur.T) / 2)
    if values[0] <= 4 * _EPS * sum(solved.shape) * own.diagonal().max():
        return None
    z = vectors @ ((vectors.T @ left) / values[:, None])
    return -solved @ z, z


def addition_coefficients(
    system: tuple[Float, Float, Float], across: Float, own: Float, residual: Float, window: Window
) -> tuple[Float, Float]:
    """The same at a finite time.

    Args:
        system: eigenvalues (N,) and eigenvectors (N, N) of A, and its residual targets (N, c).
        across: B (P, N).
        own: C (P, P), λ on its diagonal.
        residual: (P, c) residual targets of the added samples.
        window: of one time; operations: P² N a node.
    """
    rates, vectors, y = system
    turned, projected = across @ vectors, vectors.T @ y
    first, added = np.zeros_like(projected), np.zeros_like(residual)
    for node, weight in zip(window.nodes, window.weights[0], strict=True):
        scaled = turned / (node + rates)
        schur = own - scaled @ turned.T
        schur.flat[:: len(schur) + 1] += node
        z = weight / node * np.linalg.solve(schur, residual - scaled @ projected)
        first -= (scaled.T @ z).real
        added += z.real
    return np.asarray(vectors @ first), added


def largest_rate(rates: Float, across: Float, own: Float) -> float:
    """A bound on the eigenvalues of A⁺: that of the 2 x 2 matrix of its blocks' norms."""
    a, c = float(rates.max()), float(scipy.linalg.eigvalsh(own)[-1])
    return (a + c) / 2 + hypot((a - c) / 2, float(np.linalg.norm(across, 2)))
