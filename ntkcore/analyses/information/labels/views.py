"""How suspicious each label is by several scores, at any λ and training time, and how well the scores find labels known to be flipped.

Unique-info §6: a mislabelled image is fitted by what is unique to it. Of every score a higher value is more suspicious; none of them knows
which labels are flipped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import regression
from ntkcore.analyses.information import views as information
from ntkcore.analyses.workspace import Workspace
from ntkcore.influence.own import self_influence
from ntkcore.information.detection import RESAMPLES as RESAMPLES  # said on the page
from ntkcore.information.detection import Detection as Detection
from ntkcore.information.detection import Estimate as Estimate
from ntkcore.information.detection import detect
from ntkcore.information.functions import squared_shifts
from ntkcore.specs.detection import SUSPICIONS, Suspicion

BINS = 40
_PIECE = 128  # held-out images between two tellings of progress
METRICS = {"auc": "ROC-AUC", "average_precision": "average precision", "precision": "precision at the noise rate"}


def flipped(result: InfluenceResult) -> np.ndarray:
    """(n,) whether the label is known to be flipped."""
    return np.asarray(result.labels != result.true_labels)


def suspicions(
    result: InfluenceResult, ridge: float, time: float, ws: Workspace, progress: Callable[[int, int], None] | None = None
) -> Mapping[Suspicion, np.ndarray]:
    """Every score (n,) at a λ and τ (inf: the end of training); a higher one is more suspicious.

    Args:
        progress: called with (held-out images done, all); may raise.

    Raises:
        ComputationError: λ is too small for this kernel at the end of training; says which would do.
    """

    def make() -> Mapping[Suspicion, np.ndarray]:
        chosen = regression(result, ridge, ws)
        own = self_influence(chosen, time)
        errors = chosen.own_errors(time)
        return {
            "information": _information(result, ridge, time, ws, progress),
            "loss": np.square(errors).sum(1) / 2,  # exact where the network has learned everything, and every loss is almost 0
            "margin": -information.judgement(chosen.targets + errors, result.labels).margin,
            "k_xx": information.diagonal(result),
            "self": own,
        }

    key = ("detection.suspicions", result.key, result.created, ridge, time)
    return ws.hot.get(key, make, lambda found: sum(values.nbytes for values in found.values()))


def _information(
    result: InfluenceResult, ridge: float, time: float, ws: Workspace, progress: Callable[[int, int], None] | None
) -> np.ndarray:
    """F-SI (n,), piece by piece where progress is asked for."""
    if progress is None:
        return information.scores(result, ridge, time, ws)
    chosen, m = regression(result, ridge, ws), len(result.k_test)
    total = np.zeros(chosen.n)
    for start in range(0, m, _PIECE):
        progress(start, m)
        total += squared_shifts(chosen, result.k_test[start : start + _PIECE], [time])[0]
    return total / (2 * m)


def detections(result: InfluenceResult, ridge: float, time: float, ws: Workspace) -> Mapping[Suspicion, Detection]:
    """How well every score finds the flipped labels, with bootstrap intervals.

    Raises:
        DataError: no label is flipped; ComputationError as :func:`suspicions`.
    """
    key = ("detection.detections", result.key, result.created, ridge, time)
    return ws.hot.get(
        key,
        lambda: {name: detect(values, flipped(result)) for name, values in suspicions(result, ridge, time, ws).items()},
        lambda _: 2**20,
    )


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


def metric_table(found: Mapping[Suspicion, Detection]) -> pd.DataFrame:
    """Every metric of every score with its 95 % interval."""
    rows = []
    for name, one in found.items():
        row: dict[str, object] = {"score": SUSPICIONS[name]}
        for metric in METRICS:
            estimate = getattr(one, metric)
            row |= {metric: estimate.value, f"{metric}_low": estimate.low, f"{metric}_high": estimate.high}
        rows.append(row)
    return pd.DataFrame(rows)


def curve_table(found: Mapping[Suspicion, Detection], kind: str) -> pd.DataFrame:
    """Points of the ROC (``"roc"``) or precision-recall (``"curve"``) curves, score by score."""
    names = ("false_positive_rate", "true_positive_rate") if kind == "roc" else ("recall", "precision")
    frames = [pd.DataFrame({"score": SUSPICIONS[name], **dict(zip(names, getattr(one, kind), strict=True))}) for name, one in found.items()]
    return pd.concat(frames, ignore_index=True)


def best(found: Mapping[Suspicion, Detection]) -> Suspicion:
    """The score whose ROC-AUC is largest."""
    return max(found, key=lambda name: found[name].auc.value)
