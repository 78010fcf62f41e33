"""The study of detection: labels are flipped in several draws, and every score is judged by how well it finds them (Unique-info §6).

Each draw is an influence analysis of its own, stored under its own key, so that it can be opened and is not computed again.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.defaults import affordable
from ntkcore.analyses.forecast import Forecast, sample_of
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.forecast import forecast_influence
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.views import classes
from ntkcore.analyses.information.labels import answer
from ntkcore.analyses.information.labels.views import FIRST, METRICS, flipped, measured, study_table, suspicions
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD
from ntkcore.analyses.materials.probes import product_rate
from ntkcore.analyses.progress import PieceReporter
from ntkcore.analyses.study import Pieces, Shapes, Study, unasked
from ntkcore.analyses.workspace import Workspace
from ntkcore.information.detection import detect
from ntkcore.regression.contour import NODES
from ntkcore.specs.detection import SUSPICIONS, DetectionStudySpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView
from ntkcore.store import Artifact

DRAWS = (5, 3, 2)
"""Draws, where nobody says how many: the usual number, and fewer where those take long."""
_KERNEL = 0.7  # share of a draw's time that is told when its kernel is there
_JUDGING = 2e-5  # seconds for an image’s place in the bootstrap samples of one score


def asked(spec: InfluenceSpec, view: InformationView, seeds: int) -> DetectionStudySpec:
    """The study that the information page's choice asks for: the same images and network, with the study's share flipped.

    Args:
        seeds: draws.

    Raises:
        SpecError: so small a share flips no label, or so large a share all.
    """
    noisy = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"label_noise": view.labels.share})})
    try:
        return DetectionStudySpec(influence=noisy, ridge=view.ridge, time=view.flow_time, seeds=seeds)
    except ValidationError as error:
        raise unasked(error, "Flip another share of the labels.") from error


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
        """How many labels are flipped, of which images, in how many draws."""
        chosen = spec.influence.dataset
        of = f", {', '.join(chosen.classes)}" if chosen.classes else ""
        return f"Finding {100 * chosen.label_noise:g} % flipped labels: {chosen.name}{of}, {chosen.n:,} images, {spec.seeds} draws"

    def content(self, spec: DetectionStudySpec, ws: Workspace) -> Mapping[str, str]:
        """Every draw's analysis."""
        return {f"draw {place}": INFLUENCE.key(draw, ws) for place, draw in enumerate(spec.draws)}

    def forecast(self, spec: DetectionStudySpec, ws: Workspace) -> Forecast:
        """The draws' analyses that are not stored, then scores and bootstrap samples of each."""
        one = forecast_influence(spec.influence, ws)
        if one.refusal:
            return one
        missing = sum(not INFLUENCE.ready(draw, ws) for draw in spec.draws)
        return replace(one, seconds=missing * one.seconds + spec.seeds * _scoring(spec, ws), disk=missing * one.disk)

    def asked(self, spec: InfluenceSpec, view: InformationView, ws: Workspace) -> DetectionStudySpec:
        """What the page's choice asks for; see :func:`asked`."""
        draws = DRAWS if view.labels.seeds is None else (view.labels.seeds,)
        return affordable(self, [asked(spec, view, seeds) for seeds in draws], ws)

    def shown(self, spec: DetectionStudySpec) -> tuple[InfluenceSpec, InformationView]:
        """The information page's question that it answers."""
        clean = spec.influence.dataset.model_copy(update={"label_noise": 0.0})
        labels = {"share": spec.influence.dataset.label_noise, "seeds": spec.seeds}
        view = {"ask": "mislabelled", "ridge": spec.ridge, "time": spec.time, "labels": labels}
        return spec.influence.model_copy(update={"dataset": clean}), InformationView.model_validate(view)

    def pieces(self, spec: DetectionStudySpec) -> int:
        """One for each draw."""
        return spec.seeds

    def shapes(self, spec: DetectionStudySpec, ws: Workspace) -> Shapes:
        """``metrics`` of the first scores, and of each that came later by its name; how many labels are ``flipped``; ``accuracy``: share of
        held-out images that are right."""
        later = {score: (len(METRICS),) for score in SUSPICIONS if score not in FIRST}
        return {"metrics": (len(FIRST), len(METRICS)), "flipped": (), "accuracy": ()} | later

    def load(self, artifact: Artifact, spec: DetectionStudySpec, ws: Workspace) -> Pieces[DetectionStudySpec]:
        """The stored study; one of an earlier version lacks the scores that came later."""
        info = artifact.info
        arrays = {name: artifact.read(name) for name in self.shapes(spec, ws) if name in artifact.names}
        return Pieces(spec, artifact.key, arrays, info["created"], info["seconds"], info["device"])

    def piece(self, spec: DetectionStudySpec, number: int, ws: Workspace, reporter: PieceReporter) -> Mapping[str, np.ndarray]:
        """A draw's analysis, stored as its own, and every score judged by its flips."""
        draw = spec.draws[number]
        INFLUENCE.run(draw, 0, ws, reporter)
        reporter.tell(_KERNEL)
        look = Look.of(INFLUENCE.open(draw, ws), spec.ridge, spec.time, ws)
        found, truth = suspicions(look, progress=reporter.share(_KERNEL, 1.0)), flipped(look.result)
        judged = {score: detect(found[score], truth) for score in SUSPICIONS}
        metrics = {score: np.array([getattr(one, metric).value for metric in METRICS]) for score, one in judged.items()}
        return {
            "metrics": np.stack([metrics[score] for score in FIRST]),
            **{score: values for score, values in metrics.items() if score not in FIRST},
            "flipped": np.asarray(truth.sum()),
            "accuracy": np.asarray((classes(look.outputs()) == look.result.test_labels).mean()),
        }

    def answer(self, result: Pieces[DetectionStudySpec], view: InformationView, ws: Workspace) -> tuple[str, ...]:
        """How well F-SI finds the flipped labels, and which score finds them better."""
        return answer.study(list(measured(result)), result.spec.seeds)

    def table(self, result: Pieces[DetectionStudySpec], view: InformationView, ws: Workspace) -> pd.DataFrame:
        """Every metric of every score: the mean over the draws, its 95 % interval, and each draw."""
        return study_table(result)


DETECTION = Detection()
