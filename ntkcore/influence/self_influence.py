"""What each training sample does to its own loss: self-influence, exactly, at any training time (SCIENCE.md §3-5).

A sample that only itself supports, such as one with a wrong label, is fitted because it is there: without it, its loss rises much.
"""

from math import inf

import numpy as np
from numpy.typing import NDArray

from ntkcore.regression import KernelRegression

Float = NDArray[np.float64]


def self_influence(regression: KernelRegression, time: float = inf) -> Float:
    """``½‖f_τ^(without i)(x_i) - y_i‖² - ½‖f_τ(x_i) - y_i‖²`` (n,): how much each sample's own loss rises without it.

    The leave-one-out influence (IF-NTK eq. 8) of a sample on itself; positive as a rule.

    Args:
        regression: fitted to the n training samples, k outputs.
        time: τ of gradient flow; inf is the end of training.

    Raises:
        ComputationError: K + λ I is singular to rounding at the end of training; says which λ would do.
    """
    shift = regression.own_shift(time)
    return np.asarray((shift * (regression.own_errors(time) + shift / 2)).sum(1))


def held_out_residuals(regression: KernelRegression, time: float = inf) -> Float:
    """``r_i = f_τ^(without i)(x_i) - y_i`` (n, k): how far off its target each training sample is where it has not been seen.

    At the end of training ``-β_i / G_ii`` (SCIENCE.md §3); at a finite τ the error and what the removal moves it by.

    Args:
        regression, time: as for :func:`self_influence`.
    """
    if time == inf:
        return regression.loo_residuals()
    return np.asarray(regression.own_errors(time) + regression.own_shift(time))


def held_out_outputs(regression: KernelRegression, time: float = inf) -> Float:
    """``f_τ^(without i)(x_i)`` (n, k): the outputs on each training sample of the regression that has not seen it.

    Args:
        regression, time: as for :func:`self_influence`.
    """
    return np.asarray(regression.targets + held_out_residuals(regression, time))
