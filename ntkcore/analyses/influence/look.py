"""A kernel regression looked at, at one λ and one training time: what every page on it asks, kept in memory (SCIENCE §3-5)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import Held, judged
from ntkcore.analyses.look import memoised
from ntkcore.analyses.materials.split import targets_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.influence import kernel_influence, shift_influence
from ntkcore.regression import KernelRegression, Steps

_SLICE = 64  # held-out images between two tellings of progress


@dataclass(frozen=True, slots=True)
class Look:
    """A result at λ (``ridge``) and τ (``time``; ∞ is the end of training), or after so many steps of ``descent``.

    Made once where a page shows a result, and handed down; its answers are shared by all sessions. The kernel is never decomposed here.
    At the end of training each of them may raise ComputationError: λ is too small for this kernel; it says which would do.
    """

    result: InfluenceResult
    ridge: float
    time: float
    ws: Workspace
    descent: float | None = None

    @classmethod
    def of(cls, result: InfluenceResult, ridge: float, time: float | None, ws: Workspace) -> "Look":
        """The look of a view, whose time None is the end of training."""
        return cls(result, ridge, inf if time is None else time, ws)

    def at(self, time: float) -> "Look":
        """The same at another τ."""
        return replace(self, time=time)

    @memoised("ridge", "descent", size=lambda made: 8 * len(made.eigen[0]) ** 2)
    def regression(self) -> KernelRegression:
        """The regression with this λ: its inverse is made once, when the end of training is asked for."""
        chosen = self.result.regression.with_ridge(self.ridge)
        return chosen if self.descent is None else chosen.with_descent(Steps(self.descent))

    @memoised()
    def outputs(self) -> np.ndarray:
        """(m, k) of the held-out images."""
        return self.regression().predict(self.result.k_test, self.result.f_test, self.time)

    @memoised()
    def fitted(self) -> np.ndarray:
        """(n, k) of the training images."""
        return self.regression().fitted(self.time)

    @memoised(size=lambda held: held.outputs.nbytes)
    def held(self) -> Held:
        """The held-out images: outputs, and what follows from them."""
        return judged(self.result, self.outputs())

    @memoised()
    def shift(self, target: int) -> np.ndarray:
        """(n, k) how the outputs of one held-out image move without each training image."""
        return self.regression().loo_shift(self.result.k_test[target : target + 1], self.time)[0]

    def without(self, target: int) -> np.ndarray:
        """(n, k) outputs of one held-out image without each training image."""
        return np.asarray(self.held().outputs[target] + self.shift(target))

    @memoised()
    def influence(self, target: int) -> np.ndarray:
        """(n,) how much the loss of one held-out image would rise without each training image."""
        result, one, chosen = self.result, slice(target, target + 1), self.regression()
        outputs = chosen.predict(result.k_test[one], result.f_test[one], self.time)
        return shift_influence(self.shift(target)[None], outputs - targets_of(result.test_labels[one], chosen.k))[0]

    @memoised()
    def effects(self, image: int) -> np.ndarray:
        """(m,) how much the loss of each held-out image would rise without one training image."""
        outputs = self.held().outputs
        shift = self.regression().group_shift([image], self.result.k_test, self.time)
        errors = outputs - targets_of(self.result.test_labels, outputs.shape[1])
        return shift_influence(shift[:, None], errors)[:, 0]

    @memoised()
    def mean(self, images: Sequence[int], *, progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        """(n,) how much the mean loss of some held-out images would rise without each training image: the mean of their influences.

        Args:
            images: the group, not empty.
            progress: called with (done, all) after each piece; may raise.
        """
        result, chosen = self.result, self.regression()
        total = np.zeros(chosen.n)
        for start in range(0, len(images), _SLICE):
            rows = list(images[start : start + _SLICE])
            y = targets_of(result.test_labels[rows], chosen.k)
            total += kernel_influence(chosen, result.k_test[rows], y, self.time, result.f_test[rows]).sum(1)
            if progress is not None:
                progress(start + len(rows), len(images))
        return total / len(images)
