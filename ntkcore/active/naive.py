"""Naive look-ahead: train with each candidate and compare the pool's outputs (Thesis eq. 2.13 and Fig. 2.1a; SCIENCE.md §8).

What all other look-aheads stand for, at the cost of a training for each candidate. The training is whatever the caller trains by, and its
randomness is part of the answer: with the same start and the same draws for all, what differs is the candidate.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.errors import ComputationError

Float = NDArray[np.float64]


def naive_change(before: ArrayLike, candidates: Sequence[int], retrained: Callable[[int], ArrayLike]) -> Float:
    """MLMOC by its definition, ``sum_{x in U} ‖f_L+(x) - f_L(x)‖`` (c,), large first; x' itself in the sum.

    Args:
        before: (u, k) f_L, outputs of the network that was trained on the labelled samples.
        candidates: (c,) numbers of the pool, each once.
        retrained: f_L+ (u, k), outputs after training with a candidate too, labelled as the network takes it.

    Raises:
        ComputationError: outputs that are not finite.
    """
    start, found = np.asarray(before, dtype=np.float64), np.empty(len(candidates))
    if start.ndim != 2:
        raise ValueError(f"before: expected shape (u, k), got {start.shape}")
    for number, i in enumerate(candidates):
        after = np.asarray(retrained(int(i)), dtype=np.float64)
        if after.shape != start.shape:
            raise ValueError(f"retrained: expected shape {start.shape}, got {after.shape}")
        found[number] = np.linalg.norm(after - start, axis=1).sum()
    if not np.isfinite(found).all():
        raise ComputationError("Outputs of a retrained network are not finite.", "Train with a smaller learning rate.")
    return found
