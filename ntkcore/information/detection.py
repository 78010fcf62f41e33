"""How well a score finds the images whose labels are wrong (Unique-info §6): a ranking, judged by what is known to be flipped."""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student_t

from ntkcore.errors import DataError

Float = NDArray[np.float64]

RESAMPLES = 1000
_ENTRIES = 2**17  # numbers of bootstrap samples held at a time


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval: of :func:`detect` from stratified bootstrap samples, of :func:`mean_interval` Student's."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Detection:
    """A detector's quality.

    Attributes:
        n, flipped: images, and how many of them are to be found.
        auc: area under the ROC curve: the chance that a flipped image scores higher than another one. Chance level 0.5.
        average_precision: area under the precision-recall curve, by steps. Chance level flipped / n.
        precision: share of flipped images among the ``flipped`` highest scores. Chance level flipped / n.
        roc: (2, points) false positive and true positive rates.
        curve: (2, points) recall and precision.
    """

    n: int
    flipped: int
    auc: Estimate
    average_precision: Estimate
    precision: Estimate
    roc: Float
    curve: Float


def detect(score: ArrayLike, flipped: ArrayLike, seed: int = 0) -> Detection:
    """Judge ``score`` (n,), higher meaning more suspicious, by the truth ``flipped`` (n,) of booleans.

    Raises:
        DataError: scores that are not finite; nothing flipped, or everything.
    """
    values, truth = np.asarray(score, dtype=np.float64), np.asarray(flipped, dtype=bool)
    if values.ndim != 1 or values.shape != truth.shape:
        raise ValueError(f"score, flipped: expected (n,) of one length, got {values.shape} and {truth.shape}")
    if not np.isfinite(values).all():
        raise DataError("Some scores are NaN or infinite.", "Choose λ above 0, or another training time.")
    if not truth.any() or truth.all():
        raise DataError("There is nothing to tell apart: no label is flipped, or all are.", "Flip a share of the labels between 0 and 1.")
    levels, level = np.unique(-values, return_inverse=True)  # the most suspicious first; equal scores together
    hits, others = (np.bincount(level[kind], minlength=len(levels)).astype(np.float64) for kind in (truth, ~truth))
    drawn = _drawn(hits, others, np.random.default_rng(seed))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
    exact = _measures(hits[None], others[None])[:, 0]
    area, average, top = (Estimate(*map(float, row)) for row in zip(exact, low, high, strict=True))
    positive, negative = np.append(0, hits.cumsum()), np.append(0, others.cumsum())
    roc = np.stack([negative / negative[-1], positive / positive[-1]])
    curve = np.stack([positive[1:] / positive[-1], positive[1:] / (positive[1:] + negative[1:])])
    return Detection(len(values), int(truth.sum()), area, average, top, roc, curve)


def mean_interval(values: ArrayLike) -> Estimate:
    """The mean of independent ``values`` (s,) and Student's 95 % interval for what it estimates; of one value the interval is NaN."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not len(found):
        raise ValueError(f"values: expected (s,), got {found.shape}")
    mean, count = float(found.mean()), len(found)
    half = float(student_t.ppf(0.975, count - 1) * found.std(ddof=1) / np.sqrt(count)) if count > 1 else nan
    return Estimate(mean, mean - half, mean + half)


def _drawn(hits: Float, others: Float, generator: np.random.Generator) -> Float:
    """:func:`_measures` (3, R) of samples drawn again, with replacement, within both kinds; a few at a time, to stay in the cache."""
    step = max(1, _ENTRIES // len(hits))
    sizes = [min(step, RESAMPLES - start) for start in range(0, RESAMPLES, step)]
    return np.concatenate([_measures(_resampled(hits, size, generator), _resampled(others, size, generator)) for size in sizes], axis=1)


def _resampled(counts: Float, size: int, generator: np.random.Generator) -> Float:
    """Counts (size, L) of samples as large as the one with ``counts`` (L,), drawn from it image by image: sooner than as multinomials."""
    levels = np.repeat(np.arange(len(counts)), counts.astype(np.int64))
    picked = levels[generator.integers(0, len(levels), (size, len(levels)))]
    picked += np.arange(size)[:, None] * len(counts)
    return np.bincount(picked.ravel(), minlength=size * len(counts)).reshape(size, len(counts)).astype(np.float64)


def _measures(hits: Float, others: Float) -> Float:
    """Area, average precision and precision (3, R) of samples with so many flipped and other images (R, L) on each level of scores."""
    positive, negative = hits.cumsum(1), others.cumsum(1)
    count = positive[:, -1:]
    area = (others * (positive - hits / 2)).sum(1) / (count[:, 0] * negative[:, -1])
    together = positive + negative
    share = np.divide(positive, together, out=np.zeros_like(positive), where=together > 0)
    average = (hits * share).sum(1) / count[:, 0]
    # the highest scores, as many as there are flipped images: of the level on which they end, a part
    rows, last = np.arange(len(hits)), (together < count).sum(1)
    before = together[rows, last] - hits[rows, last] - others[rows, last]
    part = (count[:, 0] - before) / (together[rows, last] - before)
    precision = (positive[rows, last] - (1 - part) * hits[rows, last]) / count[:, 0]
    return np.stack([area, average, precision])
