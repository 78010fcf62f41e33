"""What of an influence result is shown: the axis of training times, the galleries and their order, what a link names in vain, the table.

The numbers at a λ and a time are answers of :class:`~ntkcore.analyses.influence.look.Look`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses import confusion
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.materials.split import targets_of
from ntkcore.specs.influence import InfluenceView

SHOWN = 60
"""Training images in a gallery."""
INFLUENTIAL = 40
"""Training images called the most influential of a held-out image."""
GROUPS = 10
"""Groups of training images by their mean influence."""
PAPER_TIME = 5.0
"""τ of the paper's training, 5000 epochs at rate 0.001: where the end of training is shown, retraining goes so far."""
STEPS = 40  # training times on the axis
_DECADES = 8.0


@dataclass(frozen=True, slots=True)
class Held:
    """The held-out images at one λ and time: outputs (m, k), loss ½‖f - y‖² (m,), predicted class (m,), whether right (m,)."""

    outputs: np.ndarray
    loss: np.ndarray
    predicted: np.ndarray
    correct: np.ndarray


def times(result: InfluenceResult) -> tuple[float, ...]:
    """The axis of training times: from where the fastest direction begins to move to where the slowest has been learned."""
    values = result.regression.eigen[0]
    slowest = max(float(values[0]), float(values[-1]) * 10**-_DECADES)
    return tuple(float(f"{time:.3g}") for time in np.geomspace(0.1 / values[-1], 5 / slowest, STEPS))


def judged(result: InfluenceResult, outputs: np.ndarray) -> Held:
    """Outputs (m, k) of the held-out images, with what follows from them."""
    loss = np.square(outputs - targets_of(result.test_labels, outputs.shape[1])).sum(1) / 2
    predicted = classes(outputs)
    return Held(outputs, loss, predicted, predicted == result.test_labels)


def classes(outputs: np.ndarray) -> np.ndarray:
    """The class that outputs (m, k) speak for: by sign for one output, else the largest."""
    return (outputs[:, 0] > 0).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(1)


def tests_shown(result: InfluenceResult, view: InfluenceView, now: Held) -> np.ndarray:
    """The held-out images of the gallery, in its order: the largest loss first, or as drawn; of some classes, or of all."""
    order = np.arange(len(now.loss)) if view.tests == "all" else np.argsort(-now.loss, kind="stable")
    kept = np.isin(result.test_labels, [place for place, name in enumerate(result.class_names) if name in view.only or not view.only])
    if view.tests == "wrong":
        kept &= ~now.correct
    kept &= confusion.within(view.cell, result.test_labels, now.predicted)
    return order[kept[order]]


def target_of(result: InfluenceResult, view: InfluenceView, shown: np.ndarray, now: Held) -> int:
    """The held-out image chosen, or the first that is shown, or that of the largest loss."""
    if view.target is not None and view.target < len(now.loss):
        return view.target
    return int(shown[0]) if len(shown) else int(now.loss.argmax())


def ranking(values: np.ndarray, show: str, passing: np.ndarray | None = None, by: np.ndarray | None = None) -> np.ndarray:
    """The training images of a gallery: the most helpful, the most harmful, or the least influential first; at most ``SHOWN``.

    Args:
        values: (n,) influences.
        passing: (n,) whether each passes the filters; None: there are none.
        by: (n,) another order, of all that help or harm; None: by influence.
    """
    order = np.argsort({"helpful": -values, "harmful": values, "idle": np.abs(values)}[show], kind="stable") if by is None else by
    kept = {"helpful": values > 0, "harmful": values < 0, "idle": np.ones(len(values), dtype=bool)}[show]
    if passing is not None:
        kept &= passing
    return order[kept[order]][:SHOWN]


def basket_of(result: InfluenceResult, view: InfluenceView) -> list[int]:
    """The ticked images that exist."""
    return [image for image in view.basket if image < len(result.labels)]


def new_label(result: InfluenceResult, view: InfluenceView) -> int:
    """The class that the basket is given: the one chosen, else the one that fewest of its images have."""
    if view.label is not None:
        return min(view.label, len(result.class_names) - 1)
    return int(np.bincount(result.labels[basket_of(result, view)], minlength=len(result.class_names)).argmin())


def missing_from(result: InfluenceResult, view: InfluenceView) -> str:
    """What a link names that this result does not have, or ""."""
    n, m = len(result.labels), len(result.test_labels)
    said = [
        f"There is no held-out image {image:,}: they are 0 to {m - 1:,}."
        for image in dict.fromkeys((view.target, view.held))
        if image is not None and image >= m
    ]
    said += [
        f"There is no training image {image:,}: they are 0 to {n - 1:,}."
        for image in dict.fromkeys((view.image, view.like))
        if image is not None and image >= n
    ]
    if any(image >= m for image in view.picked):
        said.append("Some of the ticked held-out images do not exist here.")
    if unknown := [name for name in view.only if name not in result.class_names]:
        said.append(f"There is no class {unknown[0]}.")
    if absent := confusion.missing(view.cell, result.class_names):
        said.append(absent)
    if view.group is not None and view.group >= (count := min(GROUPS, n - 1)):
        said.append(f"There is no group {view.group}: they are 0 to {count - 1}.")
    if view.label is not None and view.label >= len(result.class_names):
        said.append(f"There is no class {view.label}.")
    if len(basket_of(result, view)) < len(view.basket):
        said.append("Some images of the basket do not exist here.")
    return " ".join(said)


def table(result: InfluenceResult, values: np.ndarray, left_out: np.ndarray | None = None) -> pd.DataFrame:
    """All training images with their influence, the most helpful first.

    Args:
        values: (n,) influences on one held-out image, or their mean over a group.
        left_out: (n, k) outputs of the one image without each of them (:meth:`~ntkcore.analyses.influence.look.Look.without`).
    """
    order = np.argsort(-values, kind="stable")
    columns = {
        "image": order,
        "id": [result.ids[i] for i in order],
        "label": [result.class_names[label] for label in result.labels[order]],
        "flipped": (result.labels != result.true_labels)[order],
        "influence": values[order],
    }
    if left_out is not None:
        columns["predicted_without"] = [result.class_names[place] for place in classes(left_out[order])]
        names = ("output",) if left_out.shape[1] == 1 else tuple(f"output_{name}" for name in result.class_names)
        columns |= {f"{name}_without": left_out[order, place] for place, name in enumerate(names)}
    return pd.DataFrame(columns)
