"""Whether the IHVP method can be trusted on a held-out sample: its most influential training samples, ranked and sized (SCIENCE.md §4).

What a reader uses of an influence is the order of the most influential samples and their size, so these are what is judged: Spearman's
ρ of Î and I, and the median of ``|I - Î| / |I|``, over the samples of largest |I|. The thresholds are ours, not a source's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ntkcore.influence.bounds import IhvpError

LIGHTS = ("green", "amber", "red")

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rule:
    """Green: ρ at least ``green_rank`` and a median error rate of at most ``green_rate``. Red: ρ below ``red_rank`` or a rate above
    ``red_rate``. Amber otherwise."""

    green_rank: float = 0.95
    green_rate: float = 0.1
    red_rank: float = 0.8
    red_rate: float = 0.5


RULE = Rule()


@dataclass(frozen=True, slots=True)
class Trust:
    """The judgement of each held-out sample.

    Attributes:
        rank: (m,) Spearman's ρ between Î and I over the most influential training samples; NaN where one of them is constant.
        rate: (m,) median of ``|I - Î| / |I|`` over the same; NaN where every I is 0.
        light: (m,) position in LIGHTS; red where ρ or the rate is not defined.
        top: training samples judged.
    """

    rank: Float
    rate: Float
    light: NDArray[np.int64]
    top: int


def most_influential(exact: Float, top: int) -> NDArray[np.int64]:
    """(top, m) training samples of largest |I| for each held-out sample, in no order; fewer where there are fewer."""
    top = min(top, len(exact))
    return np.argpartition(-np.abs(exact), top - 1, axis=0)[:top]


def trust(error: IhvpError, top: int) -> Trust:
    """Judge every held-out sample of ``error`` by its ``top`` most influential training samples."""
    chosen = most_influential(error.exact, top)
    exact, estimate = (np.take_along_axis(values, chosen, axis=0) for values in (error.exact, error.estimate))
    a, b = (ranks - ranks.mean(0) for ranks in (rankdata(values, axis=0) for values in (exact, estimate)))
    scale = np.sqrt(np.square(a).sum(0) * np.square(b).sum(0))
    rank = np.divide((a * b).sum(0), scale, out=np.full(len(scale), np.nan), where=scale > 0)
    sizes = np.abs(exact)
    rate = centre(np.divide(np.abs(exact - estimate), sizes, out=np.full_like(exact, np.nan), where=sizes > 0), "median", axis=0)
    return Trust(rank, rate, lights(rank, rate), len(chosen))


def lights(rank: Float, rate: Float, rule: Rule = RULE) -> NDArray[np.int64]:
    """(m,) position in LIGHTS of each pair of ρ and median error rate; NaN is red."""
    green = (rank >= rule.green_rank) & (rate <= rule.green_rate)
    fair = (rank >= rule.red_rank) & (rate <= rule.red_rate)
    return np.where(green, 0, np.where(fair, 1, 2))


def centre(rates: Float, average: str, axis: int | None = None) -> Float:
    """Mean or median of error rates along ``axis`` (all of them by default), NaN (I = 0) left out; NaN where nothing is left.

    Args:
        rates: (n, m).
        average: ``"mean"`` or ``"median"``.
        axis: reduced; None: both.
    """
    values = np.asarray(rates.reshape(-1) if axis is None else np.moveaxis(rates, axis, -1))
    missing = np.isnan(values)
    if not missing.any():
        return np.asarray(values.mean(-1) if average == "mean" else np.median(values, axis=-1))
    count = (~missing).sum(-1)
    if average == "mean":
        total = np.where(missing, 0.0, values).sum(-1)
        return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
    ordered = np.sort(values, axis=-1)  # NaN come last
    low, high = (np.take_along_axis(ordered, np.maximum(at, 0)[..., None], axis=-1)[..., 0] for at in ((count - 1) // 2, count // 2))
    return np.where(count > 0, (low + high) / 2, np.nan)
