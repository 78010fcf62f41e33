"""Which classes images are taken for: a confusion matrix, whose cells are sets of images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.learnability import confusion

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many images of each label, a row each, are predicted as each class.

    Attributes:
        counts: (k, k).
        names: of the classes.
        chosen: the cell whose images are shown; None: all are.
    """

    counts: np.ndarray
    names: Sequence[str]
    chosen: Cell | None

    @classmethod
    def of(cls, labels: np.ndarray, predicted: np.ndarray, names: Sequence[str], chosen: Cell | None) -> "Confusion":
        """Of images (n,); a chosen cell that does not exist is none."""
        there = chosen is not None and max(chosen) < len(names)
        return cls(confusion(labels, predicted, len(names)), names, chosen if there else None)

    def cell(self, number: int) -> Cell:
        """The cell of a number, row by row from 0."""
        row, column = divmod(number, len(self.names))
        return row, column

    def table(self) -> pd.DataFrame:
        """A row for each label."""
        return pd.DataFrame(self.counts, columns=list(self.names)).assign(label=list(self.names))[["label", *self.names]]


def within(cell: Cell | None, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(n,) whether images are of a cell; None: all are."""
    if cell is None:
        return np.ones(len(labels), dtype=bool)
    return np.asarray((labels == cell[0]) & (predicted == cell[1]))


def missing(cell: Cell | None, names: Sequence[str]) -> str:
    """What a cell names that is not there, a sentence; "" when nothing."""
    if cell is None or max(cell) < len(names):
        return ""
    return f"There is no class {max(cell)}: they are 0 to {len(names) - 1}."


def words(cell: Cell, names: Sequence[str]) -> str:
    """A cell's images in a few words: "3 taken for 8", "3 taken for 3"."""
    label, predicted = (names[place] if place < len(names) else f"class {place}" for place in cell)
    return f"{label} taken for {predicted}"
