"""Filters of images, as views and addresses have them: by numbers ``NAME~LOW~HIGH``, by words ``NAME~WORD``."""

from math import isinf
from typing import Annotated

from pydantic import AfterValidator, Field

from ntkcore.specs.base import Written

_LONGEST = 40  # characters of a name


def range_of(text: str) -> tuple[str, float, float]:
    """Name, smallest and largest value of a filter; an end that is not said is infinite.

    Raises:
        ValueError: it is none.
    """
    name, low, high = text.split("~") if text.count("~") == 2 else ("", "", "")
    try:
        ends = float(low or "-inf"), float(high or "inf")
    except ValueError:
        ends = (1.0, 0.0)
    if not name or len(name) > _LONGEST or not ends[0] <= ends[1]:
        raise ValueError(f"filters: expected NAME~LOW~HIGH, got {text[:_LONGEST]!r}")
    return name, *ends


def filter_text(name: str, low: float, high: float) -> str:
    """The inverse of :func:`range_of`."""
    return "~".join((name, *("" if isinf(end) else repr(float(end)) for end in (low, high))))


def changed(filters: tuple[str, ...], name: str, low: float, high: float) -> tuple[str, ...]:
    """Some filters with this one in place of the one on the same number; without it where both its ends are infinite."""
    others = tuple(text for text in filters if range_of(text)[0] != name)
    return others if isinf(low) and isinf(high) else (*others, filter_text(name, low, high))


Cell = Annotated[
    tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] | None,
    Written("point"),
    Field(description="cell of the confusion matrix whose images are shown: the label's class and the one predicted, from 0"),
]


def _checked(filters: tuple[str, ...]) -> tuple[str, ...]:
    names = [range_of(text)[0] for text in filters]
    if len(set(names)) < len(names):
        raise ValueError("filters: name each number once")
    return filters


def word_of(text: str) -> tuple[str, str]:
    """Name and word of a filter by words.

    Raises:
        ValueError: it is none.
    """
    name, _, word = text.partition("~")
    if not name or not word or len(name) > _LONGEST:
        raise ValueError(f"among: expected NAME~WORD, got {text[:_LONGEST]!r}")
    return name, word


def chosen_words(among: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The words that are chosen of each column, by its name."""
    found: dict[str, tuple[str, ...]] = {}
    for name, word in map(word_of, among):
        found[name] = (*found.get(name, ()), word)
    return found


def changed_words(among: tuple[str, ...], name: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Some filters with these words of a column in place of those it had; () takes it off."""
    return (*(text for text in among if word_of(text)[0] != name), *(f"{name}~{word}" for word in words))


def _words_checked(among: tuple[str, ...]) -> tuple[str, ...]:
    for text in among:
        word_of(text)
    return tuple(dict.fromkeys(among))


Filters = Annotated[
    tuple[str, ...],
    AfterValidator(_checked),
    Field(max_length=20, description="numbers and their range, NAME~LOW~HIGH; one of the ends may be empty"),
]
Among = Annotated[
    tuple[str, ...],
    AfterValidator(_words_checked),
    Field(
        max_length=200,
        description="words of a set's further columns, @NAME~WORD, and tags, tag~TAG; any of those named of one column",
    ),
]
