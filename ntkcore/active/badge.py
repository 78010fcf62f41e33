"""BADGE: k-means++ on the gradients of the last layer with the predicted label (Ash et al. 2020; SCIENCE.md §8).

The gradient of the cross entropy is ``(p - e_ŷ) ⊗ h``, h the input of the last layer; distances between gradients come from
``⟨a, a'⟩ ⟨h, h'⟩``, so that none of them is formed.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.active.choice import Indices, require_enough
from ntkcore.active.distances import features
from ntkcore.active.uncertainty import checked_probabilities


def badge(p: ArrayLike, h: ArrayLike, count: int, generator: np.random.Generator) -> Indices:
    """``count`` samples: the longest gradient first, the next with probability ∝ squared distance to the nearest chosen.

    Where every gradient is that of a chosen one, the next is any of the others with the same probability.

    Args:
        p: (m, classes) probabilities.
        h: (m, d) inputs of the last layer.
        count: how many.
        generator: one uniform number is drawn of it for each sample but the first.

    Raises:
        DataError: as for :func:`~ntkcore.active.choice.require_enough`.
    """
    chances, inputs = checked_probabilities(p), features("h", h)
    if len(inputs) != len(chances):
        raise ValueError(f"h: expected {len(chances)} rows, got {len(inputs)}")
    require_enough(len(inputs), count)
    left = chances.copy()
    left[np.arange(len(left)), chances.argmax(1)] -= 1
    lengths = np.square(left).sum(1) * np.square(inputs).sum(1)
    chosen = [int(lengths.argmax())]
    nearest: NDArray[np.float64] = np.full(len(inputs), np.inf)
    for _ in range(1, count):
        last = chosen[-1]
        distance = lengths + lengths[last] - 2 * (left @ left[last]) * (inputs @ inputs[last])
        nearest = np.minimum(nearest, np.maximum(distance, 0))
        nearest[chosen] = 0
        if not nearest.any():
            weights = np.ones(len(inputs))
            weights[chosen] = 0
        else:
            weights = nearest
        total = np.cumsum(weights)
        chosen.append(int(np.searchsorted(total / total[-1], generator.random(), side="right")))
    return np.array(chosen, dtype=np.intp)
