"""The result of the verification analysis."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ntkcore.short import short
from ntkcore.specs.influence import VerificationSpec


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """Retrained networks beside the kernel's prediction, for each of the r changes: an image left out, the whole basket, or images added.

    Attributes:
        spec, key: what was asked for, and its key.
        actual, predicted: (r, m) rise of every held-out image's loss, by retraining and by the kernel, at the same λ and τ.
        outputs: (m, k) of the network trained on everything; ``expected`` (m, k) the kernel's.
        after, expected_after: (r, m, k) those after each change.
        targets: (m, k) of the held-out images.
        rate, steps: of gradient descent.
        seconds, device, created: how long, on what and when (UTC, ISO 8601).
    """

    spec: VerificationSpec
    key: str
    actual: np.ndarray
    predicted: np.ndarray
    outputs: np.ndarray
    expected: np.ndarray
    after: np.ndarray
    expected_after: np.ndarray
    targets: np.ndarray
    rate: float
    steps: int
    seconds: float
    device: str
    created: str

    __repr__ = short

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, roughly."""
        return 4 * self.after.nbytes

    @property
    def judged(self) -> np.ndarray:
        """The held-out images that one change is judged by: those that were not added."""
        return np.setdiff1d(np.arange(self.actual.shape[1]), self.spec.added)

    def pairs(self, target: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Predicted and actual: of one held-out image over the changes, or (None) of all :attr:`judged` after the first change."""
        at = (0, self.judged) if target is None else (slice(None), target)
        return self.predicted[at], self.actual[at]

    def correlations(self, target: int | None) -> tuple[float, float]:
        """Pearson and Spearman of :meth:`pairs`; NaN where there are fewer than three or one of them does not vary."""
        x, y = self.pairs(target)
        if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
            return float("nan"), float("nan")
        return float(stats.pearsonr(x, y).statistic), float(stats.spearmanr(x, y).statistic)

    def error(self, target: int | None) -> float:
        """Median of |predicted - actual| / |actual| over :meth:`pairs`; NaN where nothing changed."""
        x, y = self.pairs(target)
        rates = np.abs(x - y)[y != 0] / np.abs(y)[y != 0]
        return float(np.median(rates)) if len(rates) else float("nan")

    def accuracies(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Share of the :attr:`judged` images that are right before and after the first change: predicted, then actual."""
        return (
            (self._right(self.expected), self._right(self.expected_after[0])),
            (self._right(self.outputs), self._right(self.after[0])),
        )

    def _right(self, outputs: np.ndarray) -> float:
        said, true = outputs[self.judged], self.targets[self.judged]
        if outputs.shape[1] == 1:
            return float(((said > 0) == (true > 0)).mean())
        return float((said.argmax(1) == true.argmax(1)).mean())
