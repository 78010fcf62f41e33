"""Influence through training: every training image's influence on a held-out one, or its mean over a group, at every τ (SCIENCE §5)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.views import classes, times
from ntkcore.analyses.look import memoised
from ntkcore.analyses.materials.split import targets_of
from ntkcore.influence import shift_influence
from ntkcore.regression.contour import windows

_WORK, _LEAST = 4e9, 10
"""Nodes times images times N² that a group's chart may take, about a second on two cores, and images it has whatever they take."""
_SLICE = 16  # held-out images between two tellings of progress


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One held-out image through training: times (T,); outputs (T, k); loss (T,); influence (T, n)."""

    times: np.ndarray
    outputs: np.ndarray
    loss: np.ndarray
    influence: np.ndarray


@dataclass(frozen=True, slots=True)
class MeanTrajectory:
    """A group of held-out images through training.

    Attributes:
        times: (T,) τ.
        loss, error: (T,) mean loss and share misclassified, over the whole group.
        influence: (T, n) mean over ``images`` of the group's ``size``, evenly spread, where all would take too long.
    """

    times: np.ndarray
    loss: np.ndarray
    error: np.ndarray
    influence: np.ndarray
    images: int
    size: int


@memoised("ridge")
def trajectory(look: Look, target: int) -> Trajectory:
    """One held-out image through training at the look's λ."""
    outputs, loss = _judged(look, [target])
    return Trajectory(np.asarray(times(look.result)), outputs[:, 0], loss[:, 0], _influences(look, [target], outputs, None))


@memoised("ridge")
def mean_trajectory(look: Look, images: Sequence[int], *, progress: Callable[[int, int], None] | None = None) -> MeanTrajectory:
    """A group of held-out images through training at the look's λ.

    Args:
        images: the group, not empty.
        progress: called with (done, all) now and then; may raise.
    """
    result = look.result
    outputs, loss = _judged(look, images)
    wrong = np.stack([classes(values) != result.test_labels[list(images)] for values in outputs])
    nodes = sum(len(window.nodes) for window in windows(times(result)))
    most = max(_LEAST, int(_WORK / (nodes * len(result.regression.eigen[0]) ** 2)))
    some = np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).round().astype(int))
    values = _influences(look, [images[i] for i in some], outputs[:, some], progress)
    return MeanTrajectory(np.asarray(times(result)), loss.mean(1), wrong.mean(1), values, len(some), len(images))


def _judged(look: Look, images: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Outputs (T, g, k) and loss (T, g) of some held-out images at every time."""
    result, chosen, rows = look.result, look.regression(), list(images)
    kernel, start = result.k_test[rows], result.f_test[rows]
    outputs = np.stack([chosen.predict(kernel, start, time) for time in times(result)])
    return outputs, np.square(outputs - targets_of(result.test_labels[rows], chosen.k)).sum(2) / 2


def _influences(look: Look, images: Sequence[int], outputs: np.ndarray, progress: Callable[[int, int], None] | None) -> np.ndarray:
    """(T, n) influence at every time, mean over some held-out images, of ``outputs`` (T, g, k)."""
    result, chosen, rows = look.result, look.regression(), list(images)
    axis = times(result)
    errors = outputs - targets_of(result.test_labels[rows], chosen.k)
    place = {time: at for at, time in enumerate(axis)}
    values, done, of = np.zeros((len(axis), chosen.n)), 0, len(axis) * len(rows)
    for start in range(0, len(rows), _SLICE):
        for time, some, shift in chosen.shifts(result.k_test[rows[start : start + _SLICE]], axis):
            values[place[time]] += shift_influence(shift, errors[place[time], start:][some]).sum(0)
            done += len(shift)
            if progress is not None:
                progress(done, of)
    return values / len(rows)


def leading(path: Trajectory | MeanTrajectory, now: np.ndarray, count: int = 8) -> np.ndarray:
    """The images whose ranks are followed: the most influential ones now, and at the beginning and the end of training."""
    found: dict[int, None] = {}
    for values in (now, path.influence[-1], path.influence[0]):
        found |= dict.fromkeys(
            int(i) for i in np.argsort(-np.abs(values), kind="stable")[: count // 2 + (count // 4 if values is now else 0)]
        )
    return np.asarray(list(found)[:count])


def ranks(path: Trajectory | MeanTrajectory) -> np.ndarray:
    """(T, n) rank of every training image by |influence|, 1 the most influential."""
    order = np.argsort(-np.abs(path.influence), axis=1, kind="stable")
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.arange(1, order.shape[1] + 1)[None, :], axis=1)
    return found


def path_table(path: Trajectory | MeanTrajectory, images: Sequence[int]) -> pd.DataFrame:
    """Loss and some images' influence over training time."""
    columns = {"tau": path.times, "loss": path.loss} | {f"influence_{image}": path.influence[:, image] for image in images}
    return pd.DataFrame(columns)
