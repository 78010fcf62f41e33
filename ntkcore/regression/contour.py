"""Inverse Laplace transforms on a parabola: few nodes, each serving every time of a window (SCIENCE.md §5).

``f(t) = (1 / 2 pi i) ∮ e^(s t) F(s) ds`` on ``s(u) = mu (1 + i u)²``, by the midpoint rule of step h. With the parameters of Weideman &
Trefethen (2007, §4) for times in [t, Λ t] and N nodes above the real axis, ``h = √(8 Λ + 1) / N`` and ``mu = pi / (4 h t_last)``, the
error falls as ``exp(-2 pi N / √(8 Λ + 1))``. For one time (Λ = 1) this is the contour of SCIENCE.md §5.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, pi, sqrt

import numpy as np
from numpy.typing import NDArray

NODES = 14
"""Nodes above the real axis for one time: an error of about 1e-11 of the function's size, a little above what rounding leaves."""
SHORTEST, LONGEST = 1e-100, 1e100
"""Times for which products of the function's values at the nodes, which are as large as τ, stay in the range of float64."""


@dataclass(frozen=True, slots=True)
class Window:
    """Nodes ``s`` (N,) complex, and for each of ``times`` (T,) the ``weights`` (T, N): ``f(t) = Re sum_j weights[t, j] F(s_j)``."""

    times: tuple[float, ...]
    nodes: NDArray[np.complex128]
    weights: NDArray[np.complex128]


def windows(times: Sequence[float]) -> list[Window]:
    """Windows that together hold ``times``, with the fewest nodes in all.

    Args:
        times: from SHORTEST to LONGEST, in any order; repeated ones count once.

    Raises:
        ValueError: a time that is not.
    """
    if any(not SHORTEST <= time <= LONGEST for time in times):
        raise ValueError(f"times: expected numbers from {SHORTEST:g} to {LONGEST:g}, got {list(times)}")
    ordered = sorted(set(times))
    best: list[tuple[int, int]] = [(0, 0)]  # the fewest nodes for the first times, and where their last window begins
    for stop in range(1, len(ordered) + 1):
        best.append(min((best[start][0] + _count(ordered[stop - 1] / ordered[start]), start) for start in range(stop)))
    found, stop = [], len(ordered)
    while stop:
        start = best[stop][1]
        found.append(_window(ordered[start:stop]))
        stop = start
    return found[::-1]


def _count(ratio: float) -> int:
    return ceil(NODES * sqrt(8 * ratio + 1) / 3)


def _window(times: Sequence[float]) -> Window:
    ratio = times[-1] / times[0]
    count = _count(ratio)
    step = sqrt(8 * ratio + 1) / count
    scale = pi / (4 * step * times[-1])
    point = np.asarray(1 + 1j * (np.arange(count) + 0.5) * step, dtype=np.complex128)
    nodes: NDArray[np.complex128] = scale * point**2
    weights: NDArray[np.complex128] = (2 * step * scale / pi) * point * np.exp(np.asarray(times)[:, None] * nodes)
    return Window(tuple(times), nodes, weights)
