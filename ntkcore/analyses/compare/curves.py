"""Curves of A and B over each other: held-out images through the kernel's training time, and the networks' own epochs where stored."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.compare.look import Look
from ntkcore.analyses.influence.look import Look as SideLook
from ntkcore.analyses.influence.views import judged, times
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.look import memoised
from ntkcore.learnability import correctness

_TIMES = 20


@dataclass(frozen=True, slots=True)
class Curve:
    """Of one side: moments (T,), τ or epochs; the share of images that are right (T,), and the mean loss (T,), NaN where not known."""

    moments: np.ndarray
    accuracy: np.ndarray
    loss: np.ndarray


def through_time(look: Look) -> tuple[Curve, Curve]:
    """The held-out images over τ of gradient flow, of both sides at their λ."""
    first, second = (_held(side) for side in look.sides)
    return first, second


@memoised("ridge")
def _held(side: SideLook) -> Curve:
    result, chosen, axis = side.result, side.regression(), np.asarray(times(side.result))
    moments = axis[np.unique(np.linspace(0, len(axis) - 1, _TIMES).round().astype(int))]
    found = [judged(result, chosen.predict(result.k_test, result.f_test, float(time))) for time in moments]
    return Curve(moments, np.array([one.correct.mean() for one in found]), np.array([one.loss.mean() for one in found]))


def through_epochs(look: Look) -> tuple[Curve, Curve] | None:
    """The training images over the epochs of both networks' trainings; None where the learnability of one of them is not stored."""
    specs = [known.stored.learnability for known in look.known]
    if any(spec is None for spec in specs):
        return None
    found = []
    for spec in specs:
        assert spec is not None
        result = LEARNABILITY.open(spec, look.ws)
        right = correctness(result.outputs, result.labels).mean(1)
        loss = np.square(result.outputs.astype(np.float64) - result.targets).sum(2).mean(1) / 2
        found.append(Curve(np.arange(len(right)), right, loss))
    return found[0], found[1]


def curve_table(curves: Mapping[str, Curve]) -> pd.DataFrame:
    """A row for each moment of each side."""
    rows = [
        pd.DataFrame({"side": side, "moment": curve.moments, "accuracy": curve.accuracy, "loss": curve.loss})
        for side, curve in curves.items()
    ]
    return pd.concat(rows, ignore_index=True)
