"""How unsure a network is of each sample, from its probabilities alone (SCIENCE.md §8)."""

import numpy as np
import scipy.special
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float64]


def entropy(p: ArrayLike) -> Float:
    """``-sum_c p_c log p_c`` (m,), in nats, large first."""
    return np.asarray(scipy.special.entr(checked_probabilities(p)).sum(1))


def least_confident(p: ArrayLike) -> Float:
    """``1 - max_c p_c`` (m,), large first."""
    return np.asarray(1 - checked_probabilities(p).max(1))


def margin(p: ArrayLike) -> Float:
    """The largest probability less the second largest (m,), *small first*."""
    values = np.sort(checked_probabilities(p), axis=1)
    return np.asarray(values[:, -1] - values[:, -2])


def checked_probabilities(p: ArrayLike) -> Float:
    """Probabilities (m, classes) of at least two classes.

    Raises:
        ValueError: something else.
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or not (values >= 0).all() or not (np.abs(values.sum(1) - 1) <= 1e-6).all():
        raise ValueError(f"p: expected probabilities (m, classes), whose rows' sums are 1, got shape {values.shape}")
    return values
