"""What can be retrained of what a page looks at, and the tables beside it (IF-NTK Table 1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.influence import views
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.mean import picked_of
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.study import unasked
from ntkcore.analyses.verification.result import Verification
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.specs.influence import MOST_RETRAINED, InfluenceSpec, InfluenceView, VerificationSpec

WIDTHS = (512, 1024, 2048, 4096)
"""Widths that are verified one after another: agreement should rise from one to the next."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A column of Table 1: Pearson and Spearman by width, 5000 training images, the 40 most influential."""

    data: str
    figures: dict[int, tuple[float, float]]


PAPER = {
    "mnist": Paper(
        "MNIST 7 against 9", {10_000: (0.9766, 0.9341), 20_000: (0.9802, 0.9531), 40_000: (0.9866, 0.9565), 80_000: (0.9955, 0.9728)}
    ),
    "cifar10": Paper(
        "CIFAR-10 car against plane",
        {10_000: (0.9683, 0.8583), 20_000: (0.9808, 0.8672), 40_000: (0.9904, 0.9146), 80_000: (0.9960, 0.9606)},
    ),
}


def paper_of(spec: InfluenceSpec) -> Paper:
    """The column of Table 1 to hold a result against: that of its data set, or MNIST's."""
    return PAPER.get(spec.dataset.name, PAPER["mnist"])


def view_of(spec: VerificationSpec) -> InfluenceView:
    """The view of the influence page in which a verification stands."""
    values: dict[str, object] = {"ridge": spec.ridge, "time": spec.time, "target": spec.target}
    values |= {} if spec.width is None else {"verify": spec.width}
    if spec.added:
        values |= {"picked": spec.added, "check": "ticked", "deed": "add"}
    elif spec.target is not None:
        values["leading"] = len(spec.removed)
    else:
        values |= {"basket": spec.removed, "check": "ticked"}
    if spec.label is not None:
        values |= {"deed": "relabel", "label": spec.label}
    return InfluenceView.model_validate(values)


def leading(result: InfluenceResult, view: InfluenceView, target: int, ws: Workspace) -> VerificationSpec:
    """Retraining without each of the images that are most influential on a held-out one, as many as the view says or 40, at its λ and τ.

    Raises:
        SpecError: there is no network to retrain for this kernel; here and below.
    """
    values = Look(result, view.ridge, time_of(view), ws).influence(target)
    order = np.argsort(-np.abs(values), kind="stable")[: min(view.leading or views.INFLUENTIAL, len(values) - 1)]
    return _asked(result, view, order, target=target)


def ticked(result: InfluenceResult, view: InfluenceView) -> VerificationSpec:
    """Retraining without each of the basket's images."""
    basket = views.basket_of(result, view)
    if len(basket) > MOST_RETRAINED:
        raise SpecError(f"The basket holds {len(basket):,} images.", f"Each is a training of its own: tick at most {MOST_RETRAINED}.")
    return _asked(result, view, basket)


def whole_basket(result: InfluenceResult, view: InfluenceView) -> VerificationSpec:
    """Retraining once without the basket or with its new label, or with the ticked held-out images added."""
    if view.deed == "add":
        return _asked(result, view, (), together=True, added=tuple(sorted(picked_of(result, view))))
    label = views.new_label(result, view) if view.deed == "relabel" else None
    return _asked(result, view, views.basket_of(result, view), together=True, label=label)


def time_of(view: InfluenceView) -> float:
    """τ that retraining goes to: the view's, or the paper's where the view stands at the end of training."""
    return view.time or views.PAPER_TIME


def at_width(spec: VerificationSpec, width: int) -> VerificationSpec:
    """The same with another network.

    Raises:
        SpecError: no width of a network.
    """
    try:
        return VerificationSpec.model_validate(dict(spec) | {"width": width})
    except ValidationError as error:
        raise SpecError(f"There is no network of {width:,} units.", "Choose from 16 to 65,536.") from error


def _asked(result: InfluenceResult, view: InfluenceView, images: Sequence[int] | np.ndarray, **how: object) -> VerificationSpec:
    asked = {
        "influence": result.spec,
        "removed": tuple(sorted(int(i) for i in images)),
        "ridge": view.ridge,
        "time": time_of(view),
        "width": view.verify if result.spec.kernel == "two-layer" else None,
    }
    try:
        return VerificationSpec.model_validate(asked | how)
    except ValidationError as error:
        raise unasked(
            error, "Choose the two-layer kernel, or a network's own at initialisation.", "This cannot be retrained: {}."
        ) from error


def of_all_widths(found: Sequence[Verification], spec: VerificationSpec) -> list[Verification]:
    """Those that differ from ``spec`` in the width of the network at most, the narrowest first and each width once."""
    same = {one.spec.width: one for one in reversed(found) if at_width(one.spec, 16) == at_width(spec, 16)}
    return [same[width] for width in sorted(same, key=lambda width: width or 0)]


def width_table(found: Sequence[Verification], target: int) -> pd.DataFrame:
    """A row for each verified width: agreement and error on one held-out image."""
    rows = []
    for one in found:
        pearson, spearman = one.correlations(target)
        row = {"width": one.spec.width, "images": len(one.spec.removed), "pearson": pearson, "spearman": spearman}
        rows.append(row | {"median_relative_error": one.error(target), "rate": one.rate, "steps": one.steps, "seconds": one.seconds})
    return pd.DataFrame(rows)


def removal_table(found: Sequence[Verification]) -> pd.DataFrame:
    """A row for each verified width of a change: accuracy before and after, mean change of loss, agreement over the held-out images."""
    rows = []
    for one in found:
        (predicted, actual), (pearson, spearman) = one.accuracies(), one.correlations(None)
        row: dict[str, float | int | None] = {"width": one.spec.width}
        for name, (before, after), moved in zip(("", "retrained_"), (predicted, actual), one.pairs(None), strict=True):
            row |= {f"{name}accuracy": before, f"{name}accuracy_after": after, f"{name}loss_change": float(moved.mean())}
        rows.append(row | {"pearson": pearson, "spearman": spearman, "median_relative_error": one.error(None), "seconds": one.seconds})
    return pd.DataFrame(rows)


def change_table(found: Verification, target: int) -> pd.DataFrame:
    """A row for each image left out: predicted and actual influence on one held-out image."""
    predicted, actual = found.pairs(target)
    return pd.DataFrame({"image": found.spec.removed, "predicted": predicted, "retrained": actual})


def held_out_table(result: InfluenceResult, found: Verification) -> pd.DataFrame:
    """A row for each held-out image that was not added: predicted and actual change of its loss by what was changed."""
    predicted, actual = found.pairs(None)
    judged = found.judged
    labels = [result.class_names[label] for label in result.test_labels[judged]]
    ids = [result.test_ids[image] for image in judged]
    return pd.DataFrame({"image": judged, "id": ids, "label": labels, "predicted": predicted, "retrained": actual})


def target_shown(found: Verification, view: InfluenceView) -> int | None:
    """The held-out image that a verification is told of; None: all of them, after one change.

    Its own, else the view's, else that of the largest changes.
    """
    if found.spec.together:
        return None
    if found.spec.target is not None:
        return found.spec.target
    if view.target is not None and view.target < found.actual.shape[1]:
        return view.target
    return int(np.abs(found.actual).max(0).argmax())


def table(found: Verification, view: InfluenceView, ws: Workspace) -> pd.DataFrame:
    """Predicted and retrained: a row for each image left out, or for each held-out image where all were left out together."""
    target = target_shown(found, view)
    if target is not None:
        return change_table(found, target)
    return held_out_table(INFLUENCE.open(found.spec.influence, ws), found)
