"""How fast an error falls with the width: a fitted power law, and the theory's n^(-1/2) beside it (Thesis Theorem 3.3.1, Fig. A.10)."""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

LEVEL = 0.95
THEORY = -0.5  # the slope of the theorem, up to a logarithm


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """``error = exp(intercept) width^slope``, least squares on logarithms.

    Attributes:
        slope: the exponent; NaN if it is not defined.
        low, high: 95 % interval of the slope (Student's t with n - 2 degrees of freedom); NaN if there is none.
        intercept: logarithm of the error at width 1.
        n: points fitted.
        defined: whether there is a slope.
        reason: why there is no slope, or no interval; empty if both are there.
    """

    slope: float
    low: float
    high: float
    intercept: float
    n: int
    defined: bool
    reason: str = ""


def power_law(widths: ArrayLike, errors: ArrayLike) -> PowerLaw:
    """The power law through all points (width, error), one per network: seeds of one width are points of their own.

    Networks of different seeds are independent, so each counts. The interval takes the law for true: a curve on the log axes widens it
    but does not show in it.

    Args:
        widths: (n,), positive.
        errors: (n,); points whose error is NaN (not computed, or diverged) are left out.
    """
    width, error = _points(widths, errors)
    n = len(width)
    reason = _undefined(width, error)
    if reason:
        return PowerLaw(nan, nan, nan, nan, n, False, reason)
    x, y = np.log(width), np.log(error)
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ (y - y.mean())) / spread
    intercept = float(y.mean() - slope * x.mean())
    if n < 3:
        return PowerLaw(slope, nan, nan, intercept, n, True, "two points fit any law exactly: no interval")
    rest = y - y.mean() - slope * centred
    half = float(stdtrit(n - 2, (1 + LEVEL) / 2)) * float(np.sqrt(rest @ rest / (n - 2) / spread))
    return PowerLaw(slope, slope - half, slope + half, intercept, n, True)


def guide(widths: ArrayLike, errors: ArrayLike) -> NDArray[np.float64]:
    """(n,) the line ``c width^(-1/2)`` at ``widths``, through the geometric means of the widths and errors (Fig. A.10).

    Arguments as for :func:`power_law`; all NaN where an error is not positive or none is there.
    """
    width, error = _points(widths, errors)
    everywhere = np.asarray(widths, dtype=np.float64)
    if not len(width) or not (np.isfinite(error) & (error > 0)).all():
        return np.full(everywhere.shape, nan)
    return np.asarray(np.exp(np.log(error).mean() + THEORY * (np.log(everywhere) - np.log(width).mean())))


def _points(widths: ArrayLike, errors: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    width, error = np.asarray(widths, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if width.ndim != 1 or width.shape != error.shape:
        raise ValueError(f"widths, errors: expected two vectors of one length, got shapes {width.shape} and {error.shape}")
    if not (np.isfinite(width) & (width > 0)).all():
        raise ValueError("widths: expected positive numbers")
    known = ~np.isnan(error)
    return width[known], error[known]


def _undefined(width: NDArray[np.float64], error: NDArray[np.float64]) -> str:
    if len(np.unique(width)) < 2:
        return "fewer than two widths"
    if not (error > 0).all():
        return "some errors are zero, which no power law reaches"
    if not np.isfinite(error).all():
        return "some errors are infinite"
    return ""
