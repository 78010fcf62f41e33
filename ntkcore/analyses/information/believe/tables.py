"""What the retraining study found: changes image by image, the network as a whole, and each method's agreement with retraining."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from ntkcore.analyses.information.believe.plan import METHODS, QUANTITIES, images_of, plan
from ntkcore.analyses.study import Pieces
from ntkcore.information.agreement import pearson_estimate
from ntkcore.information.detection import Estimate
from ntkcore.learnability import spearman_interval
from ntkcore.specs.believe import RetrainingStudySpec


class Row(NamedTuple):
    """One method beside retraining: at λ, of which quantity, its agreement over the r images, and its scale.

    ``factor`` is the median of estimate / retrained: 1 where the size is right as well.
    """

    ridge: float
    quantity: str
    method: str
    pearson: Estimate
    spearman: float
    factor: float


def changes(pieces: Pieces[RetrainingStudySpec], ridge: float, quantity: str) -> np.ndarray:
    """(1 + methods, r) squared changes of "weights" or "outputs" at one λ: by retraining, then by each of METHODS; NaN where it failed."""
    spec = pieces.spec
    chosen = [place for place, (at, _) in enumerate(plan(spec)) if at == ridge]
    return np.concatenate(list(pieces[quantity][chosen]), axis=1)[:, : spec.removals]


def whole(pieces: Pieces[RetrainingStudySpec], ridge: float) -> dict[str, float]:
    """The network trained on everything at one λ, beside its linearisation.

    ``gap`` is the root mean square of their difference on the held-out outputs, ``travelled`` that of how far the linearisation moved from
    θ0's outputs; ``accuracy`` and ``linear_accuracy`` are shares of right held-out images; ``steps`` those of gradient descent.
    """
    place = next(place for place, (at, _) in enumerate(plan(pieces.spec)) if at == ridge)
    (gap, travelled), (own, linear) = pieces["gap"][place], pieces["accuracy"][place]
    found = {"gap": gap, "travelled": travelled, "accuracy": own, "linear_accuracy": linear, "steps": pieces["steps"][place]}
    return {name: float(value) for name, value in found.items()}


def agreements(pieces: Pieces[RetrainingStudySpec]) -> Iterator[Row]:
    """Every method's agreement with retraining: λ by λ, of the weights and of the predictions."""
    for ridge in pieces.spec.ridges:
        for quantity in QUANTITIES:
            for method in METHODS:
                yield agreement(pieces, ridge, quantity, method)


def agreement(pieces: Pieces[RetrainingStudySpec], ridge: float, quantity: str = "outputs", method: str = "linear") -> Row:
    """One method's agreement with retraining."""
    found = changes(pieces, ridge, quantity)
    actual, values = found[0], found[1 + list(METHODS).index(method)]
    known, positive = bool(np.isfinite(values).all()), actual > 0
    rho = spearman_interval(values, actual, replicates=0).rho if known else np.nan
    factor = float(np.median(values[positive] / actual[positive])) if known and positive.any() else np.nan
    return Row(ridge, quantity, method, pearson_estimate(values, actual), rho, factor)


def table(pieces: Pieces[RetrainingStudySpec]) -> pd.DataFrame:
    """A row for each λ, quantity and method."""
    return pd.DataFrame(
        {
            "ridge": row.ridge,
            "of": QUANTITIES[row.quantity],
            "method": METHODS[row.method],
            "pearson": row.pearson.value,
            "low": row.pearson.low,
            "high": row.pearson.high,
            "spearman": row.spearman,
            "estimate_over_retrained": row.factor,
            "images": pieces.spec.removals,
        }
        for row in agreements(pieces)
    )


def change_table(pieces: Pieces[RetrainingStudySpec]) -> pd.DataFrame:
    """A row for each λ and image left out: the squared changes by retraining and by every method."""
    frames = []
    for ridge in pieces.spec.ridges:
        columns: dict[str, object] = {"ridge": ridge, "image": images_of(pieces.spec)}
        for quantity, word in QUANTITIES.items():
            for method, values in zip(("retrained", *METHODS), changes(pieces, ridge, quantity), strict=True):
                columns[f"{word}_{method}".replace("-", "_")] = values
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)
