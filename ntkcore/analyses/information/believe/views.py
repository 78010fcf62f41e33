"""What the retraining study says of a network, in sentences; the paper's figures beside it; agreement over training times."""

from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.believe.agreement import TOP, between_networks, networks, shared_top
from ntkcore.analyses.information.believe.plan import METHODS, QUANTITIES
from ntkcore.analyses.information.believe.retraining import RETRAINING
from ntkcore.analyses.information.believe.tables import Row, agreement, agreements
from ntkcore.analyses.information.views import course
from ntkcore.analyses.study import Parts
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import CorruptArtifact, StoreError
from ntkcore.information.agreement import correlation_matrix
from ntkcore.specs.believe import AgreementStudySpec, RetrainingStudySpec
from ntkcore.specs.influence import InfluenceSpec

FOLLOWS, ROUGHLY = 0.9, 0.6
"""Pearson's r of the predictions from which a network is said to follow its linearisation, and to follow it roughly; ours."""
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


class Verdict(NamedTuple):
    """What a study says at one λ: "follows", "roughly", "fails" or "unknown", and the sentence for it."""

    kind: str
    said: str


def paper_column(spec: InfluenceSpec) -> str | None:
    """The paper's column of a network's architecture and weights; None: it has none."""
    return None if spec.model is None else _COLUMN.get((spec.model.architecture, spec.model.weights))


def paper_figure(spec: InfluenceSpec, row: Row) -> float | None:
    """The paper's Pearson for a row of our table; at any λ above 0 that of its λ = 10³. None where it has none."""
    column = paper_column(spec)
    figures = PAPER.get((row.quantity, 0.0 if row.ridge == 0 else 1e3, row.method))
    return None if column is None or figures is None else figures[tuple(PAPER_COLUMNS).index(column)]


def verdict(parts: Parts[RetrainingStudySpec], ridge: float) -> Verdict:
    """Whether the network follows its linearisation at one λ, by Pearson's r of the predictions' changes."""
    outputs, weights = agreement(parts, ridge).pearson, agreement(parts, ridge, "weights").pearson
    spec = parts.spec
    if np.isnan(outputs.value):
        return Verdict("unknown", f"{spec.removals} retrained images are too few, or too much alike, to correlate: leave out more.")
    figures = (
        f"without each of {spec.removals} images, its predictions really change as the scores say with Pearson {_r(outputs.value)} "
        f"(95 % interval {_r(outputs.low)} to {_r(outputs.high)}), its weights with {_r(weights.value)}"
    )
    where = f"At λ = {ridge:g}" if ridge else "Without regularisation"
    if outputs.value >= FOLLOWS:
        return Verdict("follows", f"{where} this network follows its linearisation: {figures}. The scores can be believed.")
    if outputs.value >= ROUGHLY:
        return Verdict("roughly", f"{where} this network follows its linearisation roughly: {figures}. Take the scores as a hint.")
    return Verdict("fails", f"{where} this network does not follow its linearisation: {figures}. The scores say little about this network.")


def warning_of(spec: InfluenceSpec, ws: Workspace) -> str:
    """What a reader of the scores should know from retraining: "" where no study is stored, or where the newest says that they hold.

    Of the λ that were studied the smallest speaks, as the scores are then furthest from a network that hardly moves.
    """
    found = measured(spec, ws)
    if not found:
        return ""
    parts = found[0]
    judged = verdict(parts, parts.spec.ridges[0])
    return judged.said if judged.kind in ("roughly", "fails") else ""


def measured(spec: InfluenceSpec, ws: Workspace) -> tuple[Parts[RetrainingStudySpec], ...]:
    """Every stored retraining study of an analysis, that of most images first, then the newest; kept until one is added or removed."""
    key = ("retraining.measured", INFLUENCE.key(spec, ws), ws.store.stamp(RETRAINING.kind))
    return ws.hot.get(key, lambda: _measured(spec, ws), lambda found: 1 + sum(a.nbytes for one in found for a in one.arrays.values()))


def _measured(spec: InfluenceSpec, ws: Workspace) -> tuple[Parts[RetrainingStudySpec], ...]:
    found = []
    for entry in ws.store.entries(RETRAINING.kind):
        with suppress(ValidationError, CorruptArtifact, StoreError, KeyError, TypeError):  # of an older version, damaged, just removed
            one = RetrainingStudySpec.model_validate(entry.info["identity"]["spec"])
            if one.influence == spec and RETRAINING.key(one, ws) == entry.key:
                found.append(RETRAINING.open(one, ws))
    return tuple(sorted(found, key=lambda one: (one.spec.removals, one.created), reverse=True))


def agreement_table(parts: Parts[RetrainingStudySpec]) -> pd.DataFrame:
    """The study's table with the paper's Pearson beside ours."""
    rows = []
    for row in agreements(parts):
        own = row.pearson
        line = {"ridge": row.ridge, "of": QUANTITIES[row.quantity], "method": METHODS[row.method], "images": parts.spec.removals}
        line |= {"pearson": own.value, "low": own.low, "high": own.high, "spearman": row.spearman, "size": row.factor}
        rows.append(line | {"pearson_in_paper": paper_figure(parts.spec.influence, row)})
    return pd.DataFrame(rows)


def over_times(result: InfluenceResult, ridge: float, ws: Workspace, ranks: bool = False) -> tuple[tuple[float, ...], np.ndarray]:
    """Training times (T,) and correlations (T, T) of the scores at each with those at every other (Fig. 5b)."""
    times, scores = course(result, ridge, ws)
    return times, correlation_matrix(scores, ranks)


def _r(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def time_table(result: InfluenceResult, ridge: float, ws: Workspace) -> pd.DataFrame:
    """A row for each pair of training times: Pearson and Spearman of the scores."""
    (times, pearson), (_, spearman) = over_times(result, ridge, ws), over_times(result, ridge, ws, ranks=True)
    pairs = [(a, b) for a in range(len(times)) for b in range(a + 1, len(times))]
    return pd.DataFrame({"time": times[a], "with": times[b], "pearson": pearson[a, b], "spearman": spearman[a, b]} for a, b in pairs)


def agreement_said(parts: Parts[AgreementStudySpec]) -> str:
    """The agreement study in one sentence."""
    mean, deviation = between_networks(parts)
    shared, names = shared_top(parts), networks(parts.spec)
    said = []
    if len(names) > 1:
        apart = ~np.eye(len(names), dtype=bool)
        low, high = float(mean[apart].min()), float(mean[apart].max())
        of = f"with Pearson {_r(low)}" if len(names) == 2 else f"with Pearson {_r(low)} to {_r(high)}"
        top = int(shared[apart].min()), int(shared[apart].max())
        many = f"{top[0]}" if top[0] == top[1] else f"{top[0]} to {top[1]}"
        said.append(f"Different networks agree on the scores {of}, and share {many} of their {TOP} most informative images")
    if not np.isnan(mean[0, 0]):
        said.append(f"this network from different initialisations agrees with itself with {_r(mean[0, 0])} ± {_r(deviation[0, 0])}")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def times_said(times: tuple[float, ...], values: np.ndarray) -> str:
    """Agreement over training time (T, T) in one sentence."""
    if len(times) < 2 or np.isnan(values).any():
        return "At some of these times no image tells the network anything, so that there is nothing to correlate."
    early, next_to = float(values[0, -1]), float(np.diagonal(values, 1).min())
    return (
        f"The scores at the first time at which anything is learned agree with those at the last with Pearson {_r(early)}; one time agrees "
        f"with the next with {_r(next_to)} or more."
    )
