"""The ceiling of a comparison: of many random batches the one after whose true labels the network is best (Thesis §2.4 has none; ours).

No strategy could ask so: it needs every label of the batches and of the samples that the network is judged on. It is the best of what was
drawn, not of all batches: a strategy may be above it where good batches are rare.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntkcore.active.choice import Indices, at_random

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BestBatch:
    """Batches (b, count) of numbers of the pool, in the order drawn, what each was worth (b,), and the number of the ``best``."""

    batches: Indices
    worth: Float
    best: int

    @property
    def chosen(self) -> Indices:
        """(count,) the best batch, in the order drawn."""
        return self.batches[self.best]


def best_batch(size: int, count: int, batches: int, worth: Callable[[Indices], float], generator: np.random.Generator) -> BestBatch:
    """The best of some batches, of equal ones the first.

    Args:
        size: samples of the pool.
        count: of a batch.
        batches: how many are drawn, each anew from the whole pool.
        worth: of a network trained with a batch's true labels, such as its accuracy; large is good. Called in the order drawn.
        generator: the batches are drawn from it before the first is judged.

    Raises:
        DataError: as for :func:`~ntkcore.active.choice.require_enough`.
    """
    if batches < 1:
        raise ValueError(f"batches: expected at least 1, got {batches}")
    drawn = np.stack([at_random(size, count, generator) for _ in range(batches)])
    found = np.array([worth(batch) for batch in drawn], dtype=np.float64)
    if np.isnan(found).any():
        raise ValueError("worth: expected numbers, got NaN")
    return BestBatch(drawn, found, int(found.argmax()))
