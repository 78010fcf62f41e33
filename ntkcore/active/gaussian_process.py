"""Look-ahead by a Gaussian process in place of the network (Käding et al. 2018, for classes; Thesis §2.4, "GP"; SCIENCE.md §8).

The process has the prior mean 0, the kernel that is given (the thesis: the infinite-width NTK) and noise of the variance λ; its posterior
mean stands for the network's outputs, in the label that a candidate is taken for, too. The look-ahead of a *network* by the infinite-width
NTK ("NN Inf NTK") is :class:`~ntkcore.active.lookahead.LookAhead` with that kernel and the network's outputs: nothing more is needed.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.active.lookahead import LookAhead, Tiles
from ntkcore.active.probabilities import Coding, predicted

Float = NDArray[np.float64]


def gaussian_process(
    k_labelled: ArrayLike,
    k_pool_labelled: ArrayLike,
    k_pool: ArrayLike | Tiles,
    targets: ArrayLike,
    noise: float,
    *,
    coding: Coding = "one-hot",
    waiting: Callable[[], None] | None = None,
) -> LookAhead:
    """The look-ahead whose ``outputs`` are the process's posterior mean ``k(x, X) (K + λ I)^-1 Y`` (u, k).

    Args:
        k_labelled, k_pool_labelled, k_pool, targets, coding, waiting: as for :class:`~ntkcore.active.lookahead.LookAhead`.
        noise: λ.

    Raises:
        ComputationError: as there.
    """
    y = np.asarray(targets, dtype=np.float64)
    nothing = np.zeros((len(np.asarray(k_pool_labelled)), *y.shape[1:]))
    return LookAhead(k_labelled, k_pool_labelled, k_pool, np.zeros_like(y), nothing, y, noise, coding=coding, waiting=waiting)


def process_change(process: LookAhead) -> Float:
    """MLMOC (u,) of each candidate with the label that the posterior mean takes it for, large first."""
    taken = predicted(process.outputs)
    return process.change(2 * taken - 1 if process.k == 1 else taken)
