"""The order in which images go, and the list to keep (Unique-info §6)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.look import memoised
from ntkcore.information.summary import Strategy, removal_order
from ntkcore.specs.summary import LARGEST_DROP


@dataclass(frozen=True, slots=True)
class Order:
    """How images go.

    Attributes:
        strategy, share, step, seed: as of :func:`~ntkcore.information.summary.removal_order`.
        validation: the first so many held-out images are those that F-SI is a mean over.
    """

    strategy: Strategy
    validation: int
    step: float
    share: float
    seed: int


@memoised()
def removal(look: Look, order: Order, *, progress: Callable[[int, int], None] | None = None) -> np.ndarray:
    """Training images (r,) in the order in which they go.

    Args:
        progress: called with (images removed, to remove); may raise ``Cancelled``.

    Raises:
        ComputationError: λ is too small for this kernel at the end of training; says which would do.
    """
    return removal_order(
        look.regression(),
        look.result.k_test[: order.validation],
        order.strategy,
        time=look.time,
        share=order.share,
        step=order.step,
        seed=order.seed,
        progress=progress,
    )


@dataclass(frozen=True, slots=True)
class Keep:
    """The list to keep.

    Attributes:
        gone: (g,) images dropped, the first to go first.
        kept: (n - g,) the others: those that would go next first, then those that stay to the last, as they were drawn.
        turn: (n,) place in the order of removal, from 1; 0: it stays to the last.
        counts: (classes, 2) images of each class that stay, and that go.
    """

    gone: np.ndarray
    kept: np.ndarray
    turn: np.ndarray
    counts: np.ndarray


def whole_order(look: Look, step: float, *, progress: Callable[[int, int], None] | None = None) -> np.ndarray:
    """The order of all images but the last few, the least informative first, scored anew after each ``step`` percent."""
    order = Order("iterative", len(look.result.test_labels), step / 100, LARGEST_DROP / 100, 0)
    return removal(look, order, progress=progress)


def keep_list(result: InfluenceResult, order: np.ndarray, percent: int) -> Keep:
    """The list when so many percent are dropped in this order."""
    n = len(result.labels)
    count = min(round(percent / 100 * n), len(order))
    turn = np.zeros(n, dtype=np.intp)
    turn[order] = np.arange(1, len(order) + 1)
    stays = [
        np.bincount(result.labels[images], minlength=len(result.class_names))
        for images in (np.delete(np.arange(n), order[:count]), order[:count])
    ]
    return Keep(order[:count], np.concatenate([order[count:], np.flatnonzero(turn == 0)]), turn, np.stack(stays, 1))


def keep_table(result: InfluenceResult, found: Keep, step: float) -> pd.DataFrame:
    """Every training image: whether it is kept, and before which score it goes (1: the first; empty: it stays to the last)."""
    n, size = len(result.labels), max(1, round(step / 100 * len(result.labels)))
    keep = np.ones(n, dtype=bool)
    keep[found.gone] = False
    steps = pd.array(np.where(found.turn > 0, (found.turn - 1) // size + 1, -1), dtype="Int64")
    steps[found.turn == 0] = pd.NA
    return pd.DataFrame(
        {
            "image": np.arange(n),
            "id": list(result.ids),
            "label": [result.class_names[label] for label in result.labels],
            "keep": keep.astype(int),
            "step": steps,
        }
    )
