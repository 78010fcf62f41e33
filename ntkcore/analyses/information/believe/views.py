"""The paper's figures beside ours; what stored studies warn of; agreement of the scores over training time."""

from contextlib import suppress

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.information.believe.answer import verdict
from ntkcore.analyses.information.believe.retraining import RETRAINING
from ntkcore.analyses.information.believe.tables import Row
from ntkcore.analyses.information.views import course
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import CorruptArtifact, StoreError
from ntkcore.information.agreement import correlation_matrix
from ntkcore.specs.believe import RetrainingStudySpec
from ntkcore.specs.influence import InfluenceSpec

PAPER_COLUMNS = {"mlp": "MLP from scratch", "cnn": "CNN from scratch", "cnn-pretrained": "CNN pretrained"}
_COLUMN = {("fcn", "random"): "mlp", ("cnn4", "random"): "cnn", ("cnn4", "pretrained"): "cnn-pretrained"}

PAPER: dict[tuple[str, float, str], tuple[float, float, float]] = {
    ("weights", 0.0, "linear"): (0.987, 0.193, 0.870),
    ("weights", 0.0, "lissa"): (0.935, 0.319, 0.736),
    ("weights", 1e3, "linear"): (0.977, -0.012, 0.964),
    ("weights", 1e3, "lissa"): (0.978, 0.069, 0.979),
    ("outputs", 0.0, "linear"): (0.993, 0.033, 0.875),
    ("outputs", 0.0, "lissa"): (0.920, 0.647, 0.770),
    ("outputs", 1e3, "linear"): (0.993, 0.070, 0.974),
    ("outputs", 1e3, "lissa"): (0.990, 0.407, 0.954),
}
"""Unique-info Table 1, MNIST 4 against 9, 1000 training and 1000 validation images: Pearson's r by quantity, λ and method, of the MLP, the
CNN from scratch and the CNN pretrained on EMNIST letters. Its influence functions are LiSSA's."""


def paper_column(spec: InfluenceSpec) -> str | None:
    """The paper's column of a network's architecture and weights; None: it has none."""
    return None if spec.model is None else _COLUMN.get((spec.model.architecture, spec.model.weights))


def paper_figure(spec: InfluenceSpec, row: Row) -> float | None:
    """The paper's Pearson for a row of our table; at any λ above 0 that of its λ = 10³. None where it has none."""
    column = paper_column(spec)
    figures = PAPER.get((row.quantity, 0.0 if row.ridge == 0 else 1e3, row.method))
    return None if column is None or figures is None else figures[tuple(PAPER_COLUMNS).index(column)]


def warning_of(spec: InfluenceSpec, ws: Workspace) -> str:
    """What a reader of the scores should know from retraining: "" where no study is stored, or where the newest says that they hold.

    Of the λ that were studied the smallest speaks, as the scores are then furthest from a network that hardly moves.
    """
    found = measured(spec, ws)
    if not found:
        return ""
    pieces = found[0]
    judged = verdict(pieces, pieces.spec.ridges[0])
    return judged.said if judged.kind in ("roughly", "fails") else ""


def measured(spec: InfluenceSpec, ws: Workspace) -> tuple[Pieces[RetrainingStudySpec], ...]:
    """Every stored retraining study of an analysis, that of most images first, then the newest; kept until one is added or removed."""
    key = ("retraining.measured", INFLUENCE.key(spec, ws), ws.store.stamp(RETRAINING.kind))
    return ws.hot.get(key, lambda: _measured(spec, ws), lambda found: 1 + sum(a.nbytes for one in found for a in one.arrays.values()))


def _measured(spec: InfluenceSpec, ws: Workspace) -> tuple[Pieces[RetrainingStudySpec], ...]:
    found = []
    for entry in ws.store.entries(RETRAINING.kind):
        with suppress(ValidationError, CorruptArtifact, StoreError, TypeError):  # of an older version, damaged, just removed
            one = RetrainingStudySpec.model_validate(entry.spec)
            if one.influence == spec and RETRAINING.key(one, ws) == entry.key:
                found.append(RETRAINING.open(one, ws))
    return tuple(sorted(found, key=lambda one: (one.spec.removals, one.created), reverse=True))


def over_times(look: Look, ranks: bool = False) -> tuple[tuple[float, ...], np.ndarray]:
    """Training times (T,) and correlations (T, T) of the scores at each with those at every other, at the look's λ (Fig. 5b)."""
    times, scores = course(look)
    return times, correlation_matrix(scores, ranks)


def time_table(look: Look) -> pd.DataFrame:
    """A row for each pair of training times: Pearson and Spearman of the scores."""
    (times, pearson), (_, spearman) = over_times(look), over_times(look, ranks=True)
    pairs = [(a, b) for a in range(len(times)) for b in range(a + 1, len(times))]
    return pd.DataFrame({"time": times[a], "with": times[b], "pearson": pearson[a, b], "spearman": spearman[a, b]} for a, b in pairs)
