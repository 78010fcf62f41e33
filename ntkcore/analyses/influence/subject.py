"""Whose influences are looked at: one held-out image's, or the mean over a group."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ntkcore.analyses.influence import one
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.mean import group_of
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import SHOWN, Held, classes, ranking, target_of, tests_shown
from ntkcore.specs.influence import InfluenceView


@dataclass(frozen=True, eq=False)
class Subject:
    """What a view of a result asks of it.

    Attributes:
        look, view: the result at a λ and a time, and all else that is chosen.
        now: every held-out image there.
        shown: the held-out images of the gallery, in its order.
        target: the held-out image chosen.
        group: the held-out images whose mean is asked for; () where it is the target's own.
        passing: (n,) whether each training image passes the filters; None: there are none.
        by: (n,) the order in which training images are shown; None: by influence.
    """

    look: Look
    view: InfluenceView
    now: Held
    shown: np.ndarray
    target: int
    group: tuple[int, ...]
    passing: np.ndarray | None = None
    by: np.ndarray | None = None

    @classmethod
    def of(cls, look: Look, view: InfluenceView, passing: np.ndarray | None = None, by: np.ndarray | None = None) -> "Subject":
        """The subject of a view; the look is at its λ and time."""
        now = look.held()
        shown = tests_shown(look.result, view, now)
        target, group = target_of(look.result, view, shown, now), group_of(look.result, view, shown)
        return cls(look, view, now, shown, target, group, passing, by)

    @property
    def result(self) -> InfluenceResult:
        """What is looked at."""
        return self.look.result

    @cached_property
    def values(self) -> np.ndarray:
        """(n,) influences; a large group's take a moment, unless :meth:`Look.mean` was asked for them before."""
        return self.look.mean(self.group) if self.group else self.look.influence(self.target)

    @cached_property
    def training(self) -> np.ndarray:
        """The training images of the gallery, in its order: an end of the ranking by influence, or those most like one."""
        like = self.view.like
        if like is not None and like < len(self.values):
            order = one.alike_first(self.result, like)
            return (order if self.passing is None else order[self.passing[order]])[:SHOWN]
        return ranking(self.values, self.view.show, self.passing, self.by)

    @cached_property
    def left_out(self) -> np.ndarray | None:
        """(n, k) the target's outputs without each training image; None for a group."""
        return None if self.group else self.look.without(self.target)

    @cached_property
    def turned(self) -> np.ndarray:
        """(n,) class that the target is taken for without each training image; -1 where that is the class it is taken for now."""
        if self.left_out is None:
            return np.full(len(self.values), -1)
        without = classes(self.left_out)
        return np.where(without == self.now.predicted[self.target], -1, without)
