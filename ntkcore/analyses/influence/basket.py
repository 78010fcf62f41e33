"""What if: the ticked images deleted or given another class, predicted at once by a block downdate (SCIENCE §4)."""

from dataclasses import dataclass
from math import inf

import numpy as np

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.views import basket_of, judged, new_label
from ntkcore.analyses.materials.split import targets_of
from ntkcore.specs.influence import InfluenceView


@dataclass(frozen=True, slots=True)
class Effect:
    """What deleting or relabelling the basket would do.

    Attributes:
        accuracy, after: share of held-out images that are right, before and after.
        loss, loss_after: (m,).
        predicted: (m,) classes after.
        changed: held-out images whose predicted class changes.
    """

    accuracy: float
    after: float
    loss: np.ndarray
    loss_after: np.ndarray
    predicted: np.ndarray
    changed: int


def effect(look: Look, view: InfluenceView) -> Effect:
    """What becomes of the held-out images at the look's λ and the end of training when the view's basket is deleted, or given a class.

    Raises:
        ComputationError: λ is too small for this kernel, or nothing would be left.
    """
    result, now, chosen = look.result, look.at(inf).held(), look.regression()
    basket = basket_of(result, view)
    if not basket:
        shift = np.zeros_like(now.outputs)
    elif view.deed == "delete":
        shift = chosen.group_shift(basket, result.k_test)
    else:
        label = np.full(len(basket), new_label(result, view))
        shift = chosen.relabel_shift(basket, targets_of(label, chosen.k), result.k_test)
    after = judged(result, now.outputs + shift)
    changed = int((after.predicted != now.predicted).sum())
    return Effect(float(now.correct.mean()), float(after.correct.mean()), now.loss, after.loss, after.predicted, changed)
