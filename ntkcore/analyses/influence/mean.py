"""A group of held-out images, whose mean influence is asked for (SCIENCE §4).

A mean of influences is the influence on the group's mean loss: how much that would rise without a training image.
"""

import numpy as np

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.specs.influence import InfluenceView


def group_of(result: InfluenceResult, view: InfluenceView, shown: np.ndarray) -> tuple[int, ...]:
    """The held-out images whose mean is asked for, in the order of the draw; () where one image is, or the group is empty."""
    if view.mean == "shown":
        return tuple(sorted(int(image) for image in shown))
    return picked_of(result, view) if view.mean == "ticked" else ()


def picked_of(result: InfluenceResult, view: InfluenceView) -> tuple[int, ...]:
    """The ticked held-out images that exist."""
    return tuple(image for image in view.picked if image < len(result.test_labels))
