"""What can be dropped: training images in the order in which they are removed (Unique-info §6, Fig. 2c)."""

from collections.abc import Callable, Iterator
from math import inf
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ntkcore.information.functions import functional_information
from ntkcore.regression import KernelRegression

Strategy = Literal["iterative", "once", "top", "random"]

STEP = 0.05
"""Share of all images removed between two computations of the scores."""


def removal_order(
    regression: KernelRegression,
    k_val_train: NDArray,
    strategy: Strategy,
    *,
    time: float = inf,
    share: float = 0.9,
    step: float = STEP,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.intp]:
    """Training images (r,) in the order in which they are removed, ``share`` of them.

    Args:
        regression: fitted to the n training samples.
        k_val_train: (m, n) or (m, n, k, k), of the validation samples that F-SI is a mean over.
        strategy: "iterative": the least informative, ``step`` of all at a time, scored anew on what is left; "once": the least
            informative by one score; "top": the most informative by one score; "random".
        time: τ of gradient flow; inf is the end of training.
        share: of the n images, above 0 and below 1; at least one image stays.
        step: share removed between two scores, above 0.
        seed: of "random".
        progress: called with (images removed, images to remove) between the steps; may raise ``Cancelled``.
    """
    if strategy not in get_args(Strategy):
        raise ValueError(f"strategy: expected one of {', '.join(get_args(Strategy))}, got {strategy!r}")
    if not (0 < share < 1 and 0 < step <= 1):
        raise ValueError(f"share, step: expected above 0 and at most 1 (share: below), got {share} and {step}")
    count = min(regression.n - 1, max(1, round(share * regression.n)))
    if strategy == "random":
        return np.random.default_rng(seed).permutation(regression.n)[:count]
    if strategy != "iterative":
        score = functional_information(regression, k_val_train, time)
        return np.argsort(score if strategy == "once" else -score, kind="stable")[:count]
    found: list[NDArray[np.intp]] = []
    for removed in _least_informative(regression, k_val_train, time, max(1, round(step * regression.n)), count):
        found.append(removed)
        if progress is not None:
            progress(sum(map(len, found)), count)
    return np.concatenate(found)


def _least_informative(
    regression: KernelRegression, k_val_train: NDArray, time: float, step: int, count: int
) -> Iterator[NDArray[np.intp]]:
    """The least informative of what is left, ``step`` at a time, until ``count`` are gone. The kernel is never computed anew, and at
    τ = ∞ its inverse is downdated."""
    kept, rest, done = np.arange(regression.n), regression, 0
    while done < count:
        score = functional_information(rest, k_val_train[:, kept], time)
        gone = np.argsort(score, kind="stable")[: min(step, count - done)]
        yield kept[gone]
        done += len(gone)
        if done < count:
            rest, kept = rest.without([int(i) for i in gone]), np.delete(kept, gone)
