"""The study of detection: labels are flipped in several draws, and every score is judged by how well it finds them (Unique-info §6).

Each draw is an influence analysis of its own, stored under its own key, so that it can be opened and is not computed again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import inf
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.forecast import Forecast, sample_of
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.forecast import forecast_influence
from ntkcore.analyses.influence.views import classes, regression
from ntkcore.analyses.information.labels.views import METRICS, flipped, suspicions
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD
from ntkcore.analyses.materials.probes import product_rate
from ntkcore.analyses.study import PartReporter, Parts, Shapes, Study
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import SpecError
from ntkcore.information.detection import Estimate, detect, mean_interval
from ntkcore.regression.contour import NODES
from ntkcore.specs import faults
from ntkcore.specs.detection import SUSPICIONS, DetectionStudySpec, Suspicion
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

_KERNEL = 0.7  # share of a draw's time that is told when its kernel is there
_JUDGING = 1e-4  # seconds for an image’s place in the bootstrap samples of one score


def asked(spec: InfluenceSpec, view: InformationView) -> DetectionStudySpec:
    """The study that the information page's choice asks for: the same images and network, with the study's share flipped.

    Raises:
        SpecError: so small a share flips no label, or so large a share all.
    """
    noisy = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"label_noise": view.labels.share})})
    try:
        return DetectionStudySpec(influence=noisy, ridge=view.ridge, time=view.time, seeds=view.labels.seeds)
    except ValidationError as error:
        said = faults(error)[0].partition(": ")[2]
        raise SpecError(f"{said[0].upper()}{said[1:]}.", "Flip another share of the labels.") from error


class Measured(NamedTuple):
    """One metric of one score over the draws: each draw's, and the mean with its interval."""

    score: Suspicion
    metric: str
    draws: np.ndarray
    mean: Estimate


def measured(parts: Parts[DetectionStudySpec]) -> Iterator[Measured]:
    """Every metric of every score, score by score."""
    for place, score in enumerate(SUSPICIONS):
        for column, metric in enumerate(METRICS):
            values = parts["metrics"][:, place, column]
            yield Measured(score, metric, values, mean_interval(values))


def table(parts: Parts[DetectionStudySpec]) -> pd.DataFrame:
    """Every metric of every score: the mean over the draws, its 95 % interval, and each draw."""
    rows = []
    for score, metric, draws, mean in measured(parts):
        row: dict[str, object] = {
            "score": SUSPICIONS[score],
            "metric": METRICS[metric],
            "mean": mean.value,
            "low": mean.low,
            "high": mean.high,
        }
        first = parts.spec.influence.dataset.seed
        rows.append(row | {f"seed_{first + s}": value for s, value in enumerate(draws)})
    return pd.DataFrame(rows)


def _scoring(spec: DetectionStudySpec, ws: Workspace) -> float:
    """Seconds to score and judge one draw: F-SI's products with the eigenvectors, at a finite time two real ones for every node."""
    n, m = spec.influence.dataset.n, spec.influence.test
    side = sample_of(spec.influence.dataset, ws).outputs if spec.influence.kernel == "full" else 1
    products = 2 if spec.time is None else 1 + 2 * NODES
    return product_rate(ws) * products * m * n**2 * side**3 + _JUDGING * len(SUSPICIONS) * n


class Detection(Study[DetectionStudySpec, InformationView]):
    """How well does each score find flipped labels, over several draws?"""

    kind, version, uses = "detection", 1, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = DetectionStudySpec, InformationView
    word = "study: how well scores find flipped labels"

    def title(self, spec: DetectionStudySpec, ws: Workspace) -> str:
        """In words."""
        chosen = spec.influence.dataset
        of = f", {', '.join(chosen.classes)}" if chosen.classes else ""
        return f"Finding {100 * chosen.label_noise:g} % flipped labels: {chosen.name}{of}, {chosen.n:,} images, {spec.seeds} draws"

    def content(self, spec: DetectionStudySpec, ws: Workspace) -> Mapping[str, str]:
        """What it is made from."""
        return {f"draw {place}": INFLUENCE.key(draw, ws) for place, draw in enumerate(spec.draws)}

    def forecast(self, spec: DetectionStudySpec, ws: Workspace) -> Forecast:
        """All that is not stored yet."""
        one = forecast_influence(spec.influence, ws)
        if one.refusal:
            return one
        missing = sum(not INFLUENCE.ready(draw, ws) for draw in spec.draws)
        return replace(one, seconds=missing * one.seconds + spec.seeds * _scoring(spec, ws), disk=missing * one.disk)

    def asked(self, spec: InfluenceSpec, view: InformationView, ws: Workspace) -> DetectionStudySpec:
        """See :func:`asked`."""
        return asked(spec, view)

    def shown(self, spec: DetectionStudySpec) -> tuple[InfluenceSpec, InformationView]:
        """The information page's question that it answers."""
        clean = spec.influence.dataset.model_copy(update={"label_noise": 0.0})
        labels = {"share": spec.influence.dataset.label_noise, "seeds": spec.seeds}
        view = {"ask": "mislabelled", "ridge": spec.ridge, "time": spec.time, "labels": labels}
        return spec.influence.model_copy(update={"dataset": clean}), InformationView.model_validate(view)

    def count(self, spec: DetectionStudySpec) -> int:
        """One for each draw."""
        return spec.seeds

    def shapes(self, spec: DetectionStudySpec, ws: Workspace) -> Shapes:
        """The arrays of one piece."""
        return {"metrics": (len(SUSPICIONS), len(METRICS)), "flipped": (), "accuracy": ()}

    def piece(self, spec: DetectionStudySpec, number: int, ws: Workspace, reporter: PartReporter) -> Mapping[str, np.ndarray]:
        """One piece."""
        draw = spec.draws[number]
        INFLUENCE.run(draw, 0, ws, reporter)
        reporter.tell(_KERNEL)
        result, time = INFLUENCE.open(draw, ws), inf if spec.time is None else spec.time
        found = suspicions(result, spec.ridge, time, ws, reporter.share(_KERNEL, 1.0))
        truth = flipped(result)
        judged = [detect(found[score], truth) for score in SUSPICIONS]
        outputs = regression(result, spec.ridge, ws).predict(result.k_test, result.f_test, time)
        return {
            "metrics": np.array([[getattr(one, metric).value for metric in METRICS] for one in judged]),
            "flipped": np.asarray(truth.sum()),
            "accuracy": np.asarray((classes(outputs) == result.test_labels).mean()),
        }

    def answer(self, result: Parts[DetectionStudySpec], view: InformationView, ws: Workspace) -> tuple[str, ...]:
        """TODO."""
        return ()

    def table(self, result: Parts[DetectionStudySpec], view: InformationView, ws: Workspace) -> pd.DataFrame:
        """See :func:`table`."""
        return table(result)


DETECTION = Detection()
