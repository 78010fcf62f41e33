"""Images by ranges of their numbers and by words: who passes, and each number's histogram to choose a range from."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ntkcore.analyses.numbers.columns import Words
from ntkcore.analyses.numbers.tagged import TAG, Tagged
from ntkcore.analyses.words import number
from ntkcore.errors import ComputationError, DataError
from ntkcore.specs.filters import chosen_words, range_of

BINS = 30
_LONG = 20  # times the median: a number with such a tail is binned by its logarithm


class Numbers(Protocol):
    """What is known of n images."""

    @property
    def titles(self) -> Mapping[str, str]:
        """What each number is, by its name."""

    @property
    def words(self) -> Mapping[str, Words]:
        """Columns of words, by their names."""

    @property
    def tags(self) -> Tagged | None:
        """Tags that people gave them; None where nobody asks for these images by their tags."""

    def number(self, name: str) -> np.ndarray:
        """(n,) one of the numbers; may raise AtlasError."""


class Filtered(Protocol):
    """A view that filters images."""

    @property
    def filters(self) -> tuple[str, ...]:
        """Ranges of numbers."""

    @property
    def among(self) -> tuple[str, ...]:
        """Words."""


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


def within(view: Filtered, numbers: Numbers, n: int) -> np.ndarray | None:
    """(n,) whether each image is in the ranges and has the words and tags that a view chose; None where it chose none.

    Raises:
        AtlasError: a number, a column or a tag is not known.
    """
    if not view.filters and not view.among:
        return None
    found = passing(view.filters, numbers.number, n)
    for name, words in chosen_words(view.among).items():
        if name == TAG and numbers.tags is not None:
            found &= numbers.tags.having(words)
            continue
        if name not in numbers.words:
            raise DataError(f"The column {name[:40]!r} is not known of these images.", "Take this filter off.")
        found &= np.isin(numbers.words[name].values, words)
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


def histograms(titles: Mapping[str, str], number_of: Callable[[str], np.ndarray]) -> dict[str, tuple[str, Histogram]]:
    """Of each number by its name: its title and histogram; without those that do not differ, or cannot be had at this λ."""
    found = {}
    for name, title in titles.items():
        with suppress(ComputationError):
            if (made := histogram(number_of(name))) is not None:
                found[name] = title, made
    return found


def order_by(by: str, titles: Mapping[str, str], number_of: Callable[[str], np.ndarray]) -> np.ndarray | None:
    """(n,) all images by a number, the largest first, or of ``-NAME`` the smallest; those without one last. None: no such number."""
    name = by.removeprefix("-")
    if name not in titles:
        return None
    values = np.asarray(number_of(name), dtype=np.float64)
    values = np.where(np.isnan(values), np.inf, values if by.startswith("-") else -values)
    return np.argsort(values, kind="stable")


def orders(titles: Mapping[str, str]) -> dict[str, str]:
    """What images can be sorted by, as :func:`order_by` reads it, and how that is called."""
    return {sign + name: order_words(sign + name, titles) for name in titles for sign in ("", "-")}


def order_words(by: str, titles: Mapping[str, str]) -> str:
    """What images are sorted by: "margin, smallest first"."""
    return f"{titles[by.removeprefix('-')]}, {'smallest' if by.startswith('-') else 'largest'} first"


def words(title: str, low: float, high: float) -> str:
    """A range as a chip says it: "k(x,x) 0.1 – 2", "loss ≥ 0.5"."""
    if np.isinf(high):
        return f"{title} ≥ {number(low)}"
    return f"{title} ≤ {number(high)}" if np.isinf(low) else f"{title} {number(low)} – {number(high)}"
