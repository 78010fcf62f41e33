"""A learnability result looked at in one view: what most of the page asks first, computed once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ntkcore.analyses import confusion
from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.learnability import Groups, error_norms, percentile, predictions, split_groups
from ntkcore.specs.learnability import LearnabilityView


@dataclass(frozen=True, slots=True)
class Outcome:
    """Each image at the end of training: predicted class, whether right, error norm ‖f - y‖, percentile of k(x,x); each (n,)."""

    predicted: np.ndarray
    correct: np.ndarray
    error: np.ndarray
    percentile: np.ndarray


@dataclass(frozen=True)
class Look:
    """A result and a view of it; made once where a page shows a result, and handed down.

    Attributes:
        by: (n,) the order in which images are shown instead of the view's: those most like one first, or by another number.
        passing: (n,) whether each passes the filters; None: there are none.
    """

    result: LearnabilityResult
    view: LearnabilityView
    by: np.ndarray | None = None
    passing: np.ndarray | None = None

    @cached_property
    def outcome(self) -> Outcome:
        """What became of each image."""
        result = self.result
        predicted = predictions(result.outputs[-1])
        error = error_norms(result.outputs[-1], result.targets)
        return Outcome(predicted, predicted == result.labels, error, percentile(result.score))

    @cached_property
    def groups(self) -> Groups:
        """Hard, medium and easy images by k(x,x)."""
        return split_groups(self.result.score, self.view.hard, self.view.easy)

    @cached_property
    def shown(self) -> np.ndarray:
        """Indices of the images the view shows, in its order."""
        result, view, outcome = self.result, self.view, self.outcome
        if view.gallery == "all" or view.like is not None or view.cell is not None:
            shown = np.ones(len(result.score), dtype=bool)
        else:
            shown = np.zeros(len(result.score), dtype=bool)
            shown[getattr(self.groups, view.gallery)] = True
        wanted = [i for i, name in enumerate(result.class_names) if name in view.only]
        if wanted:
            shown &= np.isin(result.labels, wanted)
        if view.judged == "correct":
            shown &= outcome.correct
        elif view.judged == "wrong":
            shown &= ~outcome.correct
        elif view.judged == "flipped":
            shown &= result.labels != result.true_labels
        shown &= confusion.within(view.cell, result.labels, outcome.predicted)
        shown &= (outcome.percentile >= view.low) & (outcome.percentile <= view.high)
        if view.picked:
            picked = np.zeros(len(shown), dtype=bool)
            picked[[i for i in view.picked if i < len(shown)]] = True
            shown &= picked
        if self.passing is not None:
            shown &= self.passing
        if self.by is not None:
            return self.by[shown[self.by]]
        values = {"score": result.score, "learned": result.learned, "error": outcome.error}[view.order.removesuffix("-down")]
        chosen = np.flatnonzero(shown)
        keys = values[chosen]
        down = view.order.endswith("-down")
        if view.gallery == "easy" and view.order.startswith("score"):
            down = not down  # the easiest gallery is ranked from its own end
        return chosen[np.lexsort((result.score[chosen], -keys if down else keys))]

    @cached_property
    def hardest_first(self) -> np.ndarray:
        """All images by k(x,x), the smallest first; equal ones by index."""
        return np.lexsort((np.arange(len(self.result.score)), self.result.score))

    @property
    def marked(self) -> int | None:
        """The image to mark in the charts, if there is one of that number."""
        marked = self.view.marked
        return marked if marked is not None and marked < len(self.result.score) else None
