"""Core-set: greedy k-centre on the inputs of the last layer (Sener & Savarese 2018; SCIENCE.md §8)."""

import numpy as np
from numpy.typing import ArrayLike

from ntkcore.active.choice import Indices, require_enough
from ntkcore.active.distances import features, nearest_squared


def core_set(h: ArrayLike, h_labelled: ArrayLike, count: int) -> Indices:
    """``count`` samples, each the one farthest from its nearest labelled or chosen one; of equally far ones the first.

    Args:
        h: (m, d) of the pool.
        h_labelled: (l, d), l at least 1.
        count: how many.

    Raises:
        DataError: as for :func:`~ntkcore.active.choice.require_enough`.
    """
    pool, labelled = features("h", h), features("h_labelled", h_labelled)
    if not len(labelled) or labelled.shape[1] != pool.shape[1]:
        raise ValueError(f"h_labelled: expected shape (l, {pool.shape[1]}) with l of at least 1, got {labelled.shape}")
    require_enough(len(pool), count)
    distance, chosen = nearest_squared(pool, labelled), np.empty(count, dtype=np.intp)
    for number in range(count):
        chosen[number] = distance.argmax()
        distance = np.minimum(distance, nearest_squared(pool, pool[chosen[number]][None]))
        distance[chosen[: number + 1]] = -1.0  # never again, though others lie where they do
    return chosen
