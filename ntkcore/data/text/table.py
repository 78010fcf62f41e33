"""What every file of texts has in common: its columns, and the limits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntkcore.data.filenames import escaped, shown
from ntkcore.errors import DataError

TEXT_NAMES = ("text", "review", "sentence", "content")
LABEL_NAMES = ("label", "sentiment", "class", "category")
MAX_TEXT = 131_072  # characters; also the longest field that Python's csv reads
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns wanted; "" takes the first of the usual names that is there."""

    text: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class TextTable:
    """Texts with labels, as they stand in a file.

    Attributes:
        texts: n texts; "" for an empty one.
        labels: int64 ``(n,)``.
        class_names: the classes in label order.
        notes: what else to say, in sentences.
        columns: the names of the file's columns.
    """

    texts: tuple[str, ...]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def find_columns(header: Sequence[str], wanted: Columns, where: str) -> tuple[int, int]:
    """Positions of the texts and of the labels among a file's columns; upper and lower case are one.

    Raises:
        DataError: a column is not there, is there twice, or is asked for as both.
    """
    text = _find(header, wanted.text, TEXT_NAMES, "texts", where)
    label = _find(header, wanted.label, LABEL_NAMES, "labels", where)
    if text == label:
        raise DataError(f"The column {shown(header[text])} was named for both texts and labels.", "Name two different columns.")
    return text, label


def too_large(where: str, limit: int) -> DataError:
    """The error for more bytes of text than allowed."""
    return DataError(f"{where} is larger than the {limit / 2**20:,.0f} MiB allowed.", "Split it, or import a part of it.")


def require_length(text: str, place: str) -> None:
    """Refuse a text that is a book; ``place`` says where it is, e.g. ``"Row 3 of the Parquet file"``."""
    if len(text) > MAX_TEXT:
        raise DataError(f"{place} has a text of {len(text):,} characters; {MAX_TEXT:,} are allowed.", "Cut it into several texts.")


def _find(header: Sequence[str], wanted: str, usual: Sequence[str], what: str, where: str) -> int:
    names = [name.strip().casefold() for name in header]
    sought = [wanted.strip().casefold()] if wanted.strip() else list(usual)
    found = next((name for name in sought if name in names), None)
    if found is None:
        has = ", ".join(shown(name, 40) for name in header[:_LISTED]) + (" …" if len(header) > _LISTED else "")
        missing = f"no column {shown(wanted)}" if wanted.strip() else f"no column of {what} that is called {' or '.join(usual)}"
        raise DataError(f"{where} has {missing} (its columns: {has}).", f"Say which column holds the {what}, or rename it.")
    if names.count(found) > 1:
        raise DataError(f"{where} has {names.count(found)} columns {escaped(found)}.", "Give every column a name of its own.")
    return names.index(found)
