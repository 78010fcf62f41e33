"""Curves of A and B over each other: held-out images through the kernel's training time, and the networks' own epochs where stored."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.compare.forecast import SIDES
from ntkcore.analyses.compare.look import Look
from ntkcore.analyses.influence.look import Look as SideLook
from ntkcore.analyses.influence.views import judged, times
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.look import memoised
from ntkcore.analyses.workspace import Workspace
from ntkcore.learnability import correctness
from ntkcore.specs.learnability import LearnabilitySpec

_TIMES = 20


@dataclass(frozen=True, slots=True)
class Curve:
    """Of one side: moments (T,), τ or epochs; the share of images that are right (T,), and the mean loss (T,), NaN where not known."""

    moments: np.ndarray
    accuracy: np.ndarray
    loss: np.ndarray


def through_time(look: Look) -> dict[str, Curve]:
    """The held-out images over τ of gradient flow, of both sides at their λ."""
    return {name: _held(side) for name, side in zip(SIDES, look.sides, strict=True)}


@memoised("ridge")
def _held(side: SideLook) -> Curve:
    result, chosen, axis = side.result, side.regression(), np.asarray(times(side.result))
    moments = axis[np.unique(np.linspace(0, len(axis) - 1, _TIMES).round().astype(int))]
    found = [judged(result, chosen.predict(result.k_test, result.f_test, float(time))) for time in moments]
    return Curve(moments, np.array([one.correct.mean() for one in found]), np.array([one.loss.mean() for one in found]))


def through_epochs(look: Look) -> dict[str, Curve]:
    """The training images over the epochs of both networks' trainings; one where that is the same.

    Empty where the learnability of one of them is not stored.
    """
    first, second = (known.stored.learnability for known in look.known)
    if first is None or second is None:
        return {}
    if first == second:
        return {" and ".join(SIDES): _trained(first, look.ws)}
    return {name: _trained(spec, look.ws) for name, spec in zip(SIDES, (first, second), strict=True)}


def _trained(spec: LearnabilitySpec, ws: Workspace) -> Curve:
    result = LEARNABILITY.open(spec, ws)
    right = correctness(result.outputs, result.labels).mean(1)
    loss = np.square(result.outputs.astype(np.float64) - result.targets).sum(2).mean(1) / 2
    return Curve(np.arange(len(right)), right, loss)


def curve_table(curves: Mapping[str, Curve]) -> pd.DataFrame:
    """A row for each moment of each side."""
    rows = [
        pd.DataFrame({"side": side, "moment": curve.moments, "accuracy": curve.accuracy, "loss": curve.loss})
        for side, curve in curves.items()
    ]
    return pd.concat(rows, ignore_index=True)
