"""The order in which images go, and the list to keep (Unique-info §6)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import regression
from ntkcore.analyses.workspace import Workspace
from ntkcore.information.summary import Strategy, removal_order
from ntkcore.specs.summary import LARGEST_DROP


def removal(
    result: InfluenceResult,
    ridge: float,
    time: float,
    strategy: Strategy,
    ws: Workspace,
    *,
    validation: int,
    step: float,
    share: float,
    seed: int,
    tell: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Training images (r,) in the order in which they go, hot.

    Args:
        validation: the first so many held-out images are those that F-SI is a mean over.
        step, share, seed: as of :func:`~ntkcore.information.summary.removal_order`.
        tell: hears of the progress; may raise ``Cancelled``.

    Raises:
        ComputationError: λ is too small for this kernel at the end of training; says which would do.
    """
    chosen = regression(result, ridge, ws)
    key = ("summary.removal", result.key, result.created, ridge, time, strategy, validation, step, share, seed)
    return ws.hot.get(
        key,
        lambda: removal_order(chosen, result.k_test[:validation], strategy, time=time, share=share, step=step, seed=seed, progress=tell),
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


def whole_order(
    result: InfluenceResult, ridge: float, time: float, step: float, ws: Workspace, tell: Callable[[int, int], None] | None = None
) -> np.ndarray:
    """The order of all images but the last few, the least informative first, scored anew after each ``step`` percent."""
    m, share = len(result.test_labels), LARGEST_DROP / 100
    return removal(result, ridge, time, "iterative", ws, validation=m, step=step / 100, share=share, seed=0, tell=tell)


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
