"""What if: ticked training images deleted or given another class, or ticked held-out images learned, too; predicted at once (SCIENCE §4).

Deleting is a block downdate of the regression, relabelling a change of its targets, adding a block update.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.mean import picked_of
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import basket_of, judged, new_label
from ntkcore.analyses.materials.split import targets_of
from ntkcore.errors import SpecError
from ntkcore.regression import Added
from ntkcore.specs.influence import InfluenceView


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change of the training set would do.

    Attributes:
        images: the held-out images that it is judged by: all, but for those that are learned now.
        accuracy, after: share of these that are right, before and after.
        loss, loss_after: (m,) of all held-out images.
        predicted: (m,) classes after.
        changed: how many of ``images`` are taken for another class.
    """

    images: np.ndarray
    accuracy: float
    after: float
    loss: np.ndarray
    loss_after: np.ndarray
    predicted: np.ndarray
    changed: int

    @property
    def moved(self) -> np.ndarray:
        """How the loss of each of ``images`` changes."""
        return self.loss_after[self.images] - self.loss[self.images]


def effect(look: Look, view: InfluenceView) -> Effect:
    """What becomes of the held-out images at the look's λ and the end of training when the view's basket is deleted, or given a class.

    Raises:
        ComputationError: λ is too small for this kernel, or nothing would be left.
    """
    result, chosen = look.result, look.regression()
    basket = basket_of(result, view)
    if not basket:
        shift = np.zeros_like(result.f_test)
    elif view.deed == "delete":
        shift = chosen.group_shift(basket, result.k_test)
    else:
        label = np.full(len(basket), new_label(result, view))
        shift = chosen.relabel_shift(basket, targets_of(label, chosen.k), result.k_test)
    return _judged(look, shift, np.arange(len(result.test_labels)))


def addition(look: Look, view: InfluenceView, k_held: np.ndarray) -> Effect:
    """What becomes of the others at the look's λ and the end of training when the view's ticked held-out images are learned, too.

    Args:
        look, view: what is looked at.
        k_held: (m, m) or (m, m, k, k) kernel of the held-out images with each other.

    Raises:
        SpecError: none would be left to judge by.
        ComputationError: λ is too small for this kernel.
    """
    result, chosen = look.result, look.regression()
    images = list(picked_of(result, view))
    if len(images) == len(result.test_labels):
        raise SpecError("With all held-out images added there is none left to judge by.", "Leave at least one of them unticked.")
    shift = np.zeros_like(result.f_test)
    if images:
        shift = chosen.addition_shift(added(result, images, k_held), result.k_test, k_held[:, images])
    return _judged(look, shift, np.setdiff1d(np.arange(len(result.test_labels)), images))


def added(result: InfluenceResult, images: Sequence[int], k_held: np.ndarray) -> Added:
    """Held-out images with their labels, as a regression takes them."""
    own = list(images)
    y = targets_of(result.test_labels[own], result.regression.k)
    return Added(k_held[np.ix_(own, own)], result.k_test[own], y, result.f_test[own])


def _judged(look: Look, shift: np.ndarray, images: np.ndarray) -> Effect:
    now = look.at(inf).held()
    after = judged(look.result, now.outputs + shift)
    changed = int((after.predicted != now.predicted)[images].sum())
    right, right_after = (float(held.correct[images].mean()) for held in (now, after))
    return Effect(images, right, right_after, now.loss, after.loss, after.predicted, changed)
