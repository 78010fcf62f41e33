"""Hard, medium and easy samples by their rank in k(x,x) (Learnability §3): the bottom, the rest, the top."""

from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from ntkcore.errors import DataError, SpecError

GROUP_NAMES = ("hard", "medium", "easy")


@dataclass(frozen=True, slots=True)
class Groups:
    """Indices of the samples of each group, by rising score (equal scores: by index). Together they are all samples."""

    hard: NDArray[np.intp]
    medium: NDArray[np.intp]
    easy: NDArray[np.intp]

    def members(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """The groups in the order of ``GROUP_NAMES``."""
        return self.hard, self.medium, self.easy

    def labels(self) -> NDArray[np.int8]:
        """``(n,)`` index into ``GROUP_NAMES`` of each sample's group."""
        labels = np.empty(sum(map(len, self.members())), dtype=np.int8)
        for number, members in enumerate(self.members()):
            labels[members] = number
        return labels


def split_groups(score: ArrayLike, hard_percent: float = 10.0, easy_percent: float = 10.0) -> Groups:
    """Groups by rank: the lowest ``hard_percent`` of the scores are hard, the highest ``easy_percent`` easy.

    Shares are rounded down, but a percentage above 0 takes at least one sample. Equal scores are ranked by index.

    Args:
        score: ``(n,)`` k(x,x), finite.
        hard_percent: 0 to 100.
        easy_percent: 0 to 100; the two together at most 100.

    Raises:
        SpecError: percentages out of range.
        DataError: scores that are not finite, or fewer samples than groups asked for.
    """
    values = finite_scores(score)
    if not (hard_percent >= 0 and easy_percent >= 0 and hard_percent + easy_percent <= 100):
        raise SpecError(
            f"The easy and the hard share cannot be {easy_percent:g} % and {hard_percent:g} %.",
            "Choose percentages of at least 0 that together are at most 100.",
        )
    hard, easy = _count(len(values), hard_percent), _count(len(values), easy_percent)
    if hard + easy > len(values) >= 2:  # the one is as good as all, and the other takes its least sample from it
        hard, easy = min(hard, len(values) - 1), min(easy, len(values) - 1)
    if hard + easy > len(values):
        raise DataError(f"{len(values)} image cannot be split into easy and hard.", "Take at least two images.")
    order = np.argsort(values, kind="stable")
    return Groups(*np.split(order, [hard, len(values) - easy]))


def percentile(score: ArrayLike) -> NDArray[np.float64]:
    """``(n,)`` rank of each score from 0 (lowest) to 100 (highest); equal scores share their mean rank; one alone has 50.

    Raises:
        DataError: scores that are not finite.
    """
    values = finite_scores(score)
    if len(values) < 2:
        return np.full(len(values), 50.0)
    return (rankdata(values) - 1.0) * (100.0 / (len(values) - 1))


def finite_scores(score: ArrayLike) -> NDArray[np.float64]:
    """``score`` as a float64 vector.

    Raises:
        ValueError: not one-dimensional.
        DataError: a value is not finite.
    """
    values = np.asarray(score, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"score: expected shape (n,), got {values.shape}")
    bad = np.count_nonzero(~np.isfinite(values))
    if bad:
        raise DataError(f"k(x,x) is not a finite number for {bad} of {len(values)} images.", "Check the images and the network's weights.")
    return values


def _count(n: int, percent: float) -> int:
    exact = n * percent / 100
    return max(floor(exact + 1e-9), 1 if percent > 0 and n > 0 else 0)  # 1e-9: 7 % of 100 is 7, also in binary
