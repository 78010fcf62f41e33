"""Influence on several held-out images at once: the mean over a group, at any λ and time (SCIENCE §4).

A mean of influences is the influence on the group's mean loss: how much that would rise without a training image.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import regression, time_of
from ntkcore.analyses.materials.split import targets_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.influence import kernel_influence
from ntkcore.specs.influence import InfluenceView

_SLICE = 64  # held-out images between two tellings of progress


def group_of(result: InfluenceResult, view: InfluenceView, shown: np.ndarray) -> tuple[int, ...]:
    """The held-out images whose mean is asked for, in the order of the draw; () where one image is, or the group is empty."""
    if view.mean == "shown":
        return tuple(sorted(int(image) for image in shown))
    return picked_of(result, view) if view.mean == "ticked" else ()


def picked_of(result: InfluenceResult, view: InfluenceView) -> tuple[int, ...]:
    """The ticked held-out images that exist."""
    return tuple(image for image in view.picked if image < len(result.test_labels))


def mean_influence(
    result: InfluenceResult,
    view: InfluenceView,
    images: Sequence[int],
    ws: Workspace,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """(n,) how much the mean loss of some held-out images would rise without each training image, at the view's λ and time.

    Args:
        images: the group, not empty.
        progress: called with (done, all) after each piece; may raise.
    """

    def make() -> np.ndarray:
        chosen, time = regression(result, view.ridge, ws), time_of(view)
        total = np.zeros(chosen.n)
        for start in range(0, len(images), _SLICE):
            rows = list(images[start : start + _SLICE])
            y = targets_of(result.test_labels[rows], chosen.k)
            total += kernel_influence(chosen, result.k_test[rows], y, time, result.f_test[rows]).sum(1)
            if progress is not None:
                progress(start + len(rows), len(images))
        return total / len(images)

    return ws.hot.get(("influence.mean", result.key, result.created, view.ridge, view.time, tuple(images)), make)
