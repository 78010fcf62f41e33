"""A kernel regression looked at, at one λ and one training time: what every page on it asks first, kept in memory (SCIENCE §3-5)."""

from dataclasses import dataclass
from math import inf

import numpy as np

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.look import memoised
from ntkcore.analyses.workspace import Workspace
from ntkcore.regression import KernelRegression


@dataclass(frozen=True, slots=True)
class Look:
    """A result at λ (``ridge``) and τ (``time``; ∞ is the end of training).

    Made once where a page shows a result, and handed down. The kernel is never decomposed here.
    """

    result: InfluenceResult
    ridge: float
    time: float
    ws: Workspace

    @classmethod
    def of(cls, result: InfluenceResult, ridge: float, time: float | None, ws: Workspace) -> "Look":
        """The look of a view, whose time None is the end of training."""
        return cls(result, ridge, inf if time is None else time, ws)

    @memoised("ridge", size=lambda made: 8 * len(made.eigen[0]) ** 2)
    def regression(self) -> KernelRegression:
        """The regression with this λ: its inverse is made once, when the end of training is asked for."""
        return self.result.regression.with_ridge(self.ridge)

    @memoised()
    def outputs(self) -> np.ndarray:
        """(m, k) of the held-out images."""
        return self.regression().predict(self.result.k_test, self.result.f_test, self.time)

    @memoised()
    def fitted(self) -> np.ndarray:
        """(n, k) of the training images."""
        return self.regression().fitted(self.time)
