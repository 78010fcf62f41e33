"""Images by ranges of their numbers: who passes, and each number's histogram to choose a range from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ntkcore.analyses.words import number
from ntkcore.specs.filters import range_of

BINS = 30
_LONG = 20  # times the median: a number with such a tail is binned by its logarithm


@dataclass(frozen=True, slots=True)
class Histogram:
    """How a number is distributed: edges (b + 1,), ascending, and counts (b,) of the images that have one."""

    edges: np.ndarray
    counts: np.ndarray


def passing(filters: Iterable[str], number_of: Callable[[str], np.ndarray], n: int) -> np.ndarray:
    """(n,) whether each image is within all ranges; one without a number is within none of that number.

    Args:
        filters: as :func:`~ntkcore.specs.filters.range_of` reads them.
        number_of: gives a number (n,) by its name; may raise AtlasError.
    """
    found = np.ones(n, dtype=bool)
    for text in filters:
        name, low, high = range_of(text)
        values = number_of(name)
        found &= (values >= low) & (values <= high)
    return found


def histogram(values: np.ndarray) -> Histogram | None:
    """Of the finite ones; None where these do not differ."""
    finite = values[np.isfinite(values)]
    if not len(finite) or np.ptp(finite) <= 1e-12 * np.abs(finite).max():
        return None
    low, high = float(finite.min()), float(finite.max())
    long = low > 0 and high > _LONG * float(np.median(finite))
    edges = np.geomspace(low, high, BINS + 1) if long else np.linspace(low, high, BINS + 1)
    edges[0], edges[-1] = low, high
    return Histogram(edges, np.histogram(finite, edges)[0])


def words(title: str, low: float, high: float) -> str:
    """A range as a chip says it: "k(x,x) 0.1 – 2", "loss ≥ 0.5"."""
    if np.isinf(high):
        return f"{title} ≥ {number(low)}"
    return f"{title} ≤ {number(high)}" if np.isinf(low) else f"{title} {number(low)} – {number(high)}"
