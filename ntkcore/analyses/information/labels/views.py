"""How suspicious each label is by several scores, at any λ and training time, and how well the scores find labels known to be flipped.

Unique-info §6: a mislabelled image is fitted by what is unique to it. Of every score a higher value is more suspicious; none of them knows
which labels are flipped.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information import views as information
from ntkcore.analyses.look import memoised
from ntkcore.analyses.study import Pieces
from ntkcore.influence.self_influence import self_influence
from ntkcore.information.detection import RESAMPLES as RESAMPLES  # said on the page
from ntkcore.information.detection import Detection as Detection
from ntkcore.information.detection import Estimate as Estimate
from ntkcore.information.detection import detect, mean_interval
from ntkcore.information.functions import squared_shifts
from ntkcore.specs.detection import SUSPICIONS, DetectionStudySpec, Suspicion

BINS = 40
_PIECE = 128  # held-out images between two tellings of progress
SHORT: dict[Suspicion, str] = {
    "information": "F-SI",
    "residual": "leave-one-out residual",
    "loss": "loss",
    "margin": "margin",
    "k_xx": "k(x, x)",
    "self": "self-influence",
}
"""The scores in a word or two each."""
FIRST: tuple[Suspicion, ...] = ("information", "loss", "margin", "k_xx", "self")
"""The scores of a study's ``metrics``, in their order there; those that came later have arrays of their own."""
METRICS = {"auc": "ROC-AUC", "average_precision": "average precision", "precision": "precision at the noise rate"}


def flipped(result: InfluenceResult) -> np.ndarray:
    """(n,) whether the label is known to be flipped."""
    return np.asarray(result.labels != result.true_labels)


@memoised()
def suspicions(look: Look, *, progress: Callable[[int, int], None] | None = None) -> Mapping[Suspicion, np.ndarray]:
    """Every score (n,); a higher one is more suspicious.

    Args:
        progress: called with (held-out images done, all); may raise.

    Raises:
        ComputationError: λ is too small for this kernel at the end of training; says which would do.
    """
    chosen = look.regression()
    own = self_influence(chosen, look.time)
    errors = chosen.own_errors(look.time)
    return {
        "information": _information(look, progress),
        "residual": information.residuals(look),
        "loss": np.square(errors).sum(1) / 2,  # exact where the network has learned everything, and every loss is almost 0
        "margin": -information.judgement(chosen.targets + errors, look.result.labels).margin,
        "k_xx": information.diagonal(look.result),
        "self": own,
    }


def _information(look: Look, progress: Callable[[int, int], None] | None) -> np.ndarray:
    """F-SI (n,), piece by piece where progress is asked for."""
    if progress is None:
        return information.scores(look)
    chosen, k_test = look.regression(), look.result.k_test
    m = len(k_test)
    total = np.zeros(chosen.n)
    for start in range(0, m, _PIECE):
        progress(start, m)
        total += squared_shifts(chosen, k_test[start : start + _PIECE], [look.time])[0]
    return total / (2 * m)


@memoised()
def detections(look: Look) -> Mapping[Suspicion, Detection]:
    """How well every score finds the flipped labels, with bootstrap intervals.

    Raises:
        DataError: no label is flipped; ComputationError as :func:`suspicions`.
    """
    return {name: detect(values, flipped(look.result)) for name, values in suspicions(look).items()}


@dataclass(frozen=True, slots=True)
class Histogram:
    """Two histograms over one axis.

    Attributes:
        edges: (bins + 1,) of equal width in the logarithm.
        flipped, others: (bins,) share of the images of each kind; each sums to 1, but for images without any information.
        none: images without any information, which a logarithm has no place for.
    """

    edges: np.ndarray
    flipped: np.ndarray
    others: np.ndarray
    none: int


def histogram(values: np.ndarray, truth: np.ndarray) -> Histogram:
    """Values (n,), at least 0, of flipped images (n,) and of the others."""
    some = values[values > 0]
    low, high = (float(some.min()), float(some.max())) if len(some) else (1.0, 1.0)
    edges = np.geomspace(low / 1.001, high * 1.001, BINS + 1)
    counts = [np.histogram(values[kind], edges)[0] / max(1, int(kind.sum())) for kind in (truth, ~truth)]
    return Histogram(edges, counts[0], counts[1], len(values) - len(some))


def histogram_table(found: Histogram) -> pd.DataFrame:
    """The numbers behind the histograms."""
    columns = {"from": found.edges[:-1], "to": found.edges[1:], "flipped_share": found.flipped, "others_share": found.others}
    return pd.DataFrame(columns)


def curve_table(found: Mapping[Suspicion, Detection], kind: str) -> pd.DataFrame:
    """Points of the ROC (``"roc"``) or precision-recall (``"curve"``) curves, score by score."""
    names = ("false_positive_rate", "true_positive_rate") if kind == "roc" else ("recall", "precision")
    frames = [pd.DataFrame({"score": SUSPICIONS[name], **dict(zip(names, getattr(one, kind), strict=True))}) for name, one in found.items()]
    return pd.concat(frames, ignore_index=True)


def best(found: Mapping[Suspicion, Detection]) -> Suspicion:
    """The score whose ROC-AUC is largest."""
    return max(found, key=lambda name: found[name].auc.value)


class Measured(NamedTuple):
    """One metric of one score over the draws: each draw's, and the mean with its interval."""

    score: Suspicion
    metric: str
    draws: np.ndarray
    mean: Estimate


def measured(pieces: Pieces[DetectionStudySpec]) -> Iterator[Measured]:
    """Every metric of every score, score by score; without those that a study of an earlier version did not know."""
    for score in SUSPICIONS:
        if score not in FIRST and score not in pieces.arrays:
            continue
        of = pieces["metrics"][:, FIRST.index(score)] if score in FIRST else pieces[score]
        for column, metric in enumerate(METRICS):
            yield Measured(score, metric, of[:, column], mean_interval(of[:, column]))


def study_table(pieces: Pieces[DetectionStudySpec]) -> pd.DataFrame:
    """Every metric of every score: the mean over the draws, its 95 % interval, and each draw."""
    rows = []
    for score, metric, draws, mean in measured(pieces):
        row: dict[str, object] = {
            "score": SUSPICIONS[score],
            "metric": METRICS[metric],
            "mean": mean.value,
            "low": mean.low,
            "high": mean.high,
        }
        first = pieces.spec.influence.dataset.seed
        rows.append(row | {f"seed_{first + s}": value for s, value in enumerate(draws)})
    return pd.DataFrame(rows)
