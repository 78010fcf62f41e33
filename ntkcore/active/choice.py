"""Choosing which samples to ask for: some at random, those of the highest scores, or one after another (SCIENCE.md §8)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.active.lookahead import LookAhead
from ntkcore.errors import DataError

Float = NDArray[np.float64]
Indices = NDArray[np.intp]


def at_random(size: int, count: int, generator: np.random.Generator) -> Indices:
    """``count`` different ones of ``size`` samples, in the order drawn.

    Raises:
        DataError: as for :func:`require_enough`.
    """
    require_enough(size, count)
    return np.asarray(generator.permutation(size)[:count])


def highest(scores: ArrayLike, count: int, ties: ArrayLike | None = None) -> Indices:
    """The ``count`` samples of the highest scores, the highest first; of equal ones the first.

    Args:
        scores: (m,); of scores that are to be small first, their negative.
        ties: (m,) decides between equal scores, small first (:func:`~ntkcore.active.probabilities.raw_gap`).

    Raises:
        DataError: as for :func:`require_enough`.
    """
    values = np.asarray(scores, dtype=np.float64)
    second = np.zeros(len(values)) if ties is None else np.asarray(ties, dtype=np.float64)
    if values.ndim != 1 or second.shape != values.shape or np.isnan(values).any():
        raise ValueError(f"scores, ties: expected two vectors of one length, got shapes {values.shape} and {second.shape}")
    require_enough(len(values), count)
    return np.lexsort((np.arange(len(values)), second, -values))[:count]


def one_by_one(
    state: LookAhead, score: Callable[[LookAhead], Float], target: Callable[[int], ArrayLike], count: int
) -> tuple[Indices, LookAhead]:
    """``count`` candidates, each chosen when the labels of those before it are known (Thesis §2.2, sequential query strategy).

    Args:
        state: before the first.
        score: scores (u',) of the candidates that are left, the highest is asked for.
        target: the target (k,) of a candidate, by its number in ``state.pool``'s pool, coded as the state's targets are.
        count: how many.

    Returns:
        Their numbers in that pool, in the order asked, and the state after the last.

    Raises:
        DataError: as for :func:`require_enough`.
    """
    require_enough(len(state.pool), count)
    asked = np.empty(count, dtype=np.intp)
    for number in range(count):
        best = int(highest(score(state), 1)[0])
        asked[number] = state.pool[best]
        state = state.with_label(best, target(int(asked[number])))
    return asked, state


def require_enough(size: int, count: int) -> None:
    """Refuse to choose nothing, or more than there is.

    Raises:
        DataError: says how many there are.
    """
    if count < 1:
        raise DataError(f"{count} labels were asked for.", "Ask for at least 1.")
    if count > size:
        raise DataError(f"The pool has {size:,} samples left, fewer than the {count:,} asked for.", f"Ask for at most {size:,}.")
