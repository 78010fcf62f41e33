"""MaxHerding and UHerding: samples that cover the pool, all of it or where the network is unsure (SCIENCE.md §8).

Greedily x' that maximises ``sum_{x in U} w(x) max(0, κ(x, x') - max_{l in L} κ(x, l))``, L growing by what is chosen (Bae et al. 2024; with
weights 2025). What a sample adds only falls while others are chosen, so that of most of them it is computed once: the choice is the same.
"""

from collections.abc import Callable

import numpy as np
import scipy.optimize
import scipy.special
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist, pdist

from ntkcore.active.choice import Indices, require_enough
from ntkcore.active.distances import features, nearest_squared
from ntkcore.active.probabilities import class_numbers, softmax
from ntkcore.active.uncertainty import margin
from ntkcore.kernels.matrices import BLOCK, checked_kernel

Float = NDArray[np.float64]
Similarity = Callable[[Indices, Indices], ArrayLike]

_AT_ONCE = 64  # candidates whose worth is computed anew together
_EQUAL = 1e-12  # relative: two that cover only each other are equally good, and rounding must not decide
_HOTTEST = 100.0


def herding(similarity: Similarity, covered: ArrayLike, count: int, weights: ArrayLike | None = None) -> Indices:
    """``count`` samples of the pool by a similarity κ; of equally good ones the first.

    Memory: pieces of κ of 32 MiB. Operations: m² at first, then m for each candidate looked at again.

    Args:
        similarity: κ (a, b) of the samples (a,) with the candidates (b,), by their numbers.
        covered: (m,) the largest κ of each sample with a labelled one; 0 where none is labelled.
        count: how many.
        weights: (m,) w, at least 0; None: 1.

    Raises:
        DataError: as for :func:`~ntkcore.active.choice.require_enough`.
    """
    best = np.array(covered, dtype=np.float64)
    importance = np.ones(len(best)) if weights is None else np.asarray(weights, dtype=np.float64)
    if best.ndim != 1 or importance.shape != best.shape or not (importance >= 0).all():
        raise ValueError(
            f"covered, weights: expected two vectors of one length, weights of at least 0, got {best.shape}, {importance.shape}"
        )
    require_enough(len(best), count)
    everything = np.arange(len(best))

    def worth(candidates: Indices) -> Float:
        return importance @ np.maximum(np.asarray(similarity(everything, candidates)) - best[:, None], 0)

    step = max(1, BLOCK // len(best))
    gains = np.concatenate([worth(everything[start : start + step]) for start in range(0, len(best), step)])
    stale, chosen = np.zeros(len(best), dtype=bool), np.empty(count, dtype=np.intp)
    for number in range(count):
        while stale[equal := np.flatnonzero(gains >= gains.max() * (1 - _EQUAL))].any():
            old = np.flatnonzero(stale)
            few = old[np.argsort(-gains[old], kind="stable")[: min(step, _AT_ONCE)]]
            gains[few], stale[few] = worth(few), False
        top = chosen[number] = equal[0]
        best = np.maximum(best, np.asarray(similarity(everything, np.array([top])))[:, 0])
        gains[top] = -np.inf
        stale = gains > -np.inf
    return chosen


def max_herding(h: ArrayLike, h_labelled: ArrayLike, count: int, width: float = 1.0, weights: ArrayLike | None = None) -> Indices:
    """:func:`herding` with ``κ = exp(-‖h - h'‖² / (2 w²))`` on features of length 1; UHerding with weights and a width of its own.

    Args:
        h: (m, d) of the pool.
        h_labelled: (l, d), l = 0 allowed.
        count: how many.
        width: w, above 0.
        weights: (m,) (:func:`unsure_weights`); None: MaxHerding.
    """
    pool, labelled = _unit("h", h), _unit("h_labelled", h_labelled)
    if not width > 0:
        raise ValueError(f"width: expected a number above 0, got {width}")

    def near(squared: Float) -> Float:
        return np.asarray(np.exp(-squared / (2 * width**2)))

    covered = near(nearest_squared(pool, labelled)) if len(labelled) else np.zeros(len(pool))
    return herding(lambda rows, columns: near(cdist(pool[rows], pool[columns], "sqeuclidean")), covered, count, weights)


def smallest_distance(h_labelled: ArrayLike) -> float:
    """The smallest distance that is not 0 between labelled features of length 1 (l, d): UHerding's width.

    Raises:
        ValueError: there are no two that differ.
    """
    distances = pdist(_unit("h_labelled", h_labelled))
    if not (distances > 0).any():
        raise ValueError("h_labelled: expected at least two that differ")
    return float(distances[distances > 0].min())


def unsure_weights(outputs: ArrayLike, temperature: float) -> Float:
    """``1 - (p₁ - p₂)`` (m,) with p the softmax of ``outputs / temperature`` (m, k): UHerding's weights."""
    if not temperature > 0:
        raise ValueError(f"temperature: expected a number above 0, got {temperature}")
    return 1 - margin(softmax(np.asarray(outputs, dtype=np.float64) / temperature))


def calibrated_temperature(outputs: ArrayLike, labels: ArrayLike) -> float:
    """The temperature of the least cross entropy of ``softmax(outputs / T)``, from 0.01 to 100 (Guo et al. 2017).

    Args:
        outputs: (m, k) of samples that the network was not trained on, or without each of them.
        labels: (m,) class numbers, or -1 and +1 where k = 1.
    """
    values = np.asarray(outputs, dtype=np.float64)
    right = class_numbers(labels, values.shape[1])
    logits = np.concatenate([-values, values], 1) if values.shape[1] == 1 else values
    own = logits[np.arange(len(logits)), right]

    def loss(power: float) -> float:
        scale = np.exp(-power)
        return float((scipy.special.logsumexp(scale * logits, axis=1) - scale * own).mean())

    edge = float(np.log(_HOTTEST))
    found = scipy.optimize.minimize_scalar(loss, bounds=(-edge, edge), method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x))


def normalised_kernel(kernel: ArrayLike, rows: ArrayLike, columns: ArrayLike) -> Float:
    """κ (a, b) of a kernel (a, b), or of the mean over outputs of (a, b, k, k): ``Θ(x, z) / √(Θ(x, x) Θ(z, z))``.

    Args:
        kernel: Θ of some samples with others.
        rows, columns: (a,) and (b,) Θ(x, x) and Θ(z, z), of a full kernel the mean over outputs.
    """
    values = np.asarray(checked_kernel(kernel), dtype=np.float64)
    joined = values if values.ndim == 2 else np.trace(values, axis1=2, axis2=3) / values.shape[2]
    first, second = np.asarray(rows, dtype=np.float64), np.asarray(columns, dtype=np.float64)
    if (len(first), len(second)) != joined.shape or not (first > 0).all() or not (second > 0).all():
        raise ValueError(f"rows, columns: expected {joined.shape} numbers above 0, got {len(first)} and {len(second)}")
    return joined / np.sqrt(first)[:, None] / np.sqrt(second)


def _unit(name: str, values: ArrayLike) -> Float:
    found = features(name, values)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.where(lengths > 0, lengths, 1.0))
