"""Word vectors in GloVe's text format, of a file that may be larger than the memory: ``word v1 … vd`` in each line.

The first line of word2vec's and fastText's text format (``words dimension``) is understood too.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.filenames import shown
from ntkcore.data.text.words import spelled
from ntkcore.errors import DataError

MAX_DIMENSION = 4096
_LINE = 1 << 20  # bytes
_TOLD = 4096  # lines between two reports
_AGAIN = "Download the file again, or name one in GloVe's text format: a word and its numbers in each line."

Told = Callable[[float], None]


@dataclass(frozen=True, slots=True, eq=False)
class WordVectors:
    """The vectors of some words.

    Attributes:
        place: word to row.
        vectors: float32 ``(words, d)``.
        lines: how many words the file has.
    """

    place: dict[str, int]
    vectors: NDArray[np.float32]
    lines: int


def read_vectors(path: Path, needed: Collection[str], told: Told | None = None) -> WordVectors:
    """The vectors of the words needed. Every line's dimension is checked, and the numbers of the words that are kept.

    A word that stands there twice has the vector of its first line.

    Args:
        path: the file.
        needed: words, in the case they have in the file.
        told: called with the share of the file that was read; may raise Cancelled.

    Raises:
        DataError: a line of another dimension (naming it and both), numbers that are none or not finite, an empty file, no
            needed word in it, or a file that cannot be read.
    """
    wanted = {word.encode(): word for word in needed}
    place: dict[str, int] = {}
    rows: list[NDArray[np.float32]] = []
    dimension, count, read = 0, 0, 0
    try:
        size = max(path.stat().st_size, 1)
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_LINE + 1), b""), 1):
                read += len(line)
                if told is not None and number % _TOLD == 0:
                    told(read / size)
                if len(line) > _LINE:
                    raise DataError(f"Line {number:,} of the word vectors is longer than {_LINE >> 10:,} KiB.", _AGAIN)
                fields = line.rstrip().split(b" ")
                if fields == [b""]:
                    continue
                if not dimension:
                    header = len(fields) == 2 and all(field.isdigit() for field in fields)
                    dimension = _checked(int(fields[1]) if header else len(fields) - 1)
                    if header:
                        continue
                    _numbers(fields[1:], number)  # what is no such file at all is said of its first line
                if len(fields) != dimension + 1:
                    fields = _with_spaces(fields, dimension, number)
                count += 1
                word = wanted.get(fields[0]) if fields[0].isascii() else wanted.get(spelled(fields[0].decode("utf-8", "replace")).encode())
                if word is not None and word not in place:
                    place[word] = len(rows)
                    rows.append(_numbers(fields[1:], number))
    except OSError as error:
        raise DataError(f"The word vectors could not be read: {error.strerror}.", "Check the path and its permissions.") from error
    if not count:
        raise DataError("The file of word vectors is empty.", _AGAIN)
    if not rows:
        raise DataError(
            f"None of the {len(wanted):,} different words of the texts is among the {count:,} of the word vectors.",
            "Use vectors of the texts' language, of words in lower case.",
        )
    return WordVectors(place, np.stack(rows), count)


def _checked(dimension: int) -> int:
    if not 1 <= dimension <= MAX_DIMENSION:
        what = "no numbers after the word" if dimension < 1 else f"{dimension:,} numbers; at most {MAX_DIMENSION:,} are allowed"
        raise DataError(f"The first line of the word vectors has {what}.", _AGAIN)
    return dimension


def _numbers(fields: list[bytes], number: int) -> NDArray[np.float32]:
    try:
        values = np.array(fields).astype(np.float64)
    except ValueError as error:
        wrong = next(field for field in fields if not _is_number(field))
        text = shown(wrong.decode("utf-8", "replace"), 40)
        raise DataError(f"Line {number:,} of the word vectors has {text} where a number is expected.", _AGAIN) from error
    if not (np.abs(values) <= np.finfo(np.float32).max).all():
        raise DataError(f"Line {number:,} of the word vectors has a number that is not finite (NaN or infinite).", _AGAIN)
    return values.astype(np.float32)


def _with_spaces(fields: list[bytes], dimension: int, number: int) -> list[bytes]:
    """The fields of a line whose word has spaces in it (GloVe 840B has some): what stands before the numbers are no numbers."""
    extra = len(fields) - 1 - dimension
    if extra > 0 and not any(_is_number(field) for field in fields[1 : 1 + extra]):
        return [b" ".join(fields[: 1 + extra]), *fields[1 + extra :]]
    raise DataError(
        f"Line {number:,} of the word vectors has {max(len(fields) - 1, 0):,} numbers; those before it have {dimension:,}.",
        "The file may be cut off or damaged. " + _AGAIN,
    )


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
