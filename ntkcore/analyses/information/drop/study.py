"""The study of summarisation: what dropping images costs on test images that no score has seen (Unique-info §6 Fig. 2c, A.4 Fig. 7b).

A piece is one draw, one order of removal and one share removed. Each draw's kernel is an influence analysis of its own, stored under its
own key; a regression on the images kept takes its sub-kernel, and no kernel is computed anew. Differs from the paper by test images that
follow the ones F-SI is a mean over, and by a τ of the summed loss that stays when images go.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import nan
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.defaults import affordable, room_of_choice
from ntkcore.analyses.forecast import Forecast, sample_of
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.forecast import forecast_influence
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import classes
from ntkcore.analyses.information.drop.answer import answer
from ntkcore.analyses.information.drop.keep import Order, removal
from ntkcore.analyses.information.drop.views import table
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD, network
from ntkcore.analyses.materials.probes import decomposition_rate, product_rate, training_rate
from ntkcore.analyses.materials.split import load_split
from ntkcore.analyses.progress import PieceReporter
from ntkcore.analyses.study import Pieces, Shapes, Study, unasked
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import DataError
from ntkcore.information.summary import Strategy
from ntkcore.models import describe_model, evaluate, train, weights_content
from ntkcore.specs import title_of
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView
from ntkcore.specs.summary import MOST_HELD_OUT, SummaryStudySpec

DRAWS = (5, 3, 2)
"""Draws, where nobody says how many: the usual number, and fewer where those take long."""
_ORDERED = 0.6  # share of a piece's time that is told when the images to drop are known
_STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)


class Piece(NamedTuple):
    """One piece: a draw, an order (None: nothing is dropped, whatever the order), the percent dropped."""

    draw: int
    strategy: Strategy | None
    percent: int


def pieces(spec: SummaryStudySpec) -> tuple[Piece, ...]:
    """The pieces, draw by draw, order by order."""
    return tuple(
        piece
        for draw in range(spec.seeds)
        for piece in (Piece(draw, None, 0), *(Piece(draw, way, percent) for way in _STRATEGIES for percent in spec.points[1:]))
    )


def judges(spec: InfluenceSpec, view: InformationView, ws: Workspace) -> int:
    """Images that accuracy is judged by: as many as are chosen, else as are held out, or what the set has left.

    Raises:
        DataError: nothing is left; says what to choose. AtlasError: the set cannot be opened.
    """
    if view.drop.test is not None:
        return view.drop.test
    n, m, room = spec.dataset.n, spec.test, room_of_choice(spec.dataset, ws)
    found = min(m, room.left(n, m), MOST_HELD_OUT - m)
    if found < 1:
        have = f"{room.title} has {room.images + (room.held or 0):,}{' of these classes' if spec.dataset.classes else ''}"
        raise DataError(
            f"{have}, and {n:,} are trained on and {m:,} held out: none is left that no score has seen, to judge by.",
            "Draw fewer, or hold out fewer.",
        )
    return found


def asked(spec: InfluenceSpec, view: InformationView, test: int, seeds: int) -> SummaryStudySpec:
    """The study that the information page's choice asks for.

    Args:
        test: images that accuracy is judged by.
        seeds: draws.

    Raises:
        SpecError: the settings do not go together; says which, and what to choose.
    """
    drop = view.drop
    network_of = {} if drop.model is None else {"model": drop.model, "training": drop.training, "retrained": drop.retrained}
    try:
        return SummaryStudySpec.model_validate(
            {"influence": spec, "test": test, "ridge": view.ridge, "time": view.flow_time}
            | {"step": drop.step, "seeds": seeds, "shares": drop.shares}
            | network_of
        )
    except ValidationError as error:
        raise unasked(error, "Choose other settings of the study.", "The study cannot be made so: {}.") from error


def _draw_seconds(spec: SummaryStudySpec, ws: Workspace) -> float:
    """Seconds of a draw beside its kernel: the scores before each step, a regression and perhaps a training for each piece."""
    sample = sample_of(spec.influence.dataset, ws)
    n, m, k = spec.influence.dataset.n, spec.influence.test, sample.outputs
    r = k if spec.influence.kernel == "full" else 1
    steps = np.arange(0.0, spec.points[-1], spec.step) / 100
    left = np.concatenate([1 - steps, *[1 - np.array(spec.points[1:]) / 100] * len(_STRATEGIES)])  # systems solved, as shares of n
    solved = (decomposition_rate(ws) if spec.time is not None else product_rate(ws)) * float((left**3).sum()) * (n * r) ** 3
    scored = product_rate(ws) * float(((1 - steps) ** 2).sum() + 2) * (1 + k) * m * r * (n * r) ** 2
    seconds = solved + scored + 0.005 * (1 + len(_STRATEGIES) * (len(spec.points) - 1))
    if spec.model is not None and spec.training is not None:
        images = n * (1 + len(_STRATEGIES) * sum(1 - percent / 100 for percent in spec.retrained))
        seconds += training_rate(spec.training, spec.model, n, sample, ws) * images * spec.training.epochs
    return seconds


def _retrained(
    spec: SummaryStudySpec, piece: Piece, result: InfluenceResult, kept: np.ndarray, ws: Workspace, reporter: PieceReporter
) -> np.ndarray:
    """Test accuracy of a network trained on the images kept alone; they are normalised as all of the draw are."""
    assert spec.model is not None and spec.training is not None
    draw = spec.draws[piece.draw]
    split = load_split(draw.dataset, draw.test, ws)
    model = network(spec.model.model_copy(update={"seed": spec.model.seed + piece.draw}), split.train, ws)
    training = spec.training.model_copy(update={"seed": spec.training.seed + piece.draw})
    train_on = split.train.inputs[kept], split.train.targets[kept]
    for _ in train(model, *train_on, training, device=reporter.device, progress=reporter.share(_ORDERED, 1.0)):
        pass
    m = spec.influence.test
    return _right(evaluate(model, split.test_inputs[m:], device=reporter.device), split.test_labels[m:])


def _right(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Share of images that are right ()."""
    return np.asarray((classes(outputs) == labels).mean())


class Summary(Study[SummaryStudySpec, InformationView]):
    """What does dropping images cost on test images that no score has seen?"""

    kind, version, uses = "summary", 1, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = SummaryStudySpec, InformationView
    word = "study: what dropping images costs"

    def title(self, spec: SummaryStudySpec, ws: Workspace) -> str:
        """Of which images, in how many draws, and which network is trained anew."""
        chosen = spec.influence.dataset
        of = f" {' | '.join(chosen.classes)}" if chosen.classes else ""
        trained = "" if spec.model is None else f", {title_of(spec.model.architecture)} retrained"
        return f"What can be dropped of {chosen.name}{of}, {chosen.n:,} images, {spec.seeds} draws{trained}"

    def content(self, spec: SummaryStudySpec, ws: Workspace) -> Mapping[str, str]:
        """Every draw's analysis, and the weights of a network that is trained anew."""
        found = {f"draw {place}": INFLUENCE.key(draw, ws) for place, draw in enumerate(spec.draws)}
        if spec.model is not None:
            found |= {"weights": weights_content(spec.model, ws.settings.weights_paths)}
        return found

    def forecast(self, spec: SummaryStudySpec, ws: Workspace) -> Forecast:
        """The draws' analyses that are not stored, then the scores before each step, the regressions and the trainings.

        Raises:
            DataError: there are not as many images as the study needs; says how many of each kind.
        """
        try:
            one = forecast_influence(spec.draws[0], ws)
        except DataError as error:
            n, m = spec.influence.dataset.n, spec.influence.test
            raise DataError(
                f"The study needs {n:,} images to train on, {m:,} that F-SI is a mean over and {spec.test:,} others to judge by. "
                f"{error.message}",
                f"Choose fewer images to judge by. {error.remedy}",
            ) from error
        if one.refusal:
            return one
        sample = sample_of(spec.influence.dataset, ws)
        parameters = 0
        if spec.model is not None:
            shape = sample.inputs.shape[1:]
            parameters = describe_model(spec.model, input_shape=shape, outputs=sample.outputs, class_names=sample.class_names).parameters
        missing = sum(not INFLUENCE.ready(draw, ws) for draw in spec.draws)
        disk, refusal = missing * one.disk, ""
        if disk > one.disk_free:
            refusal = (
                f"The {missing} draws need about {disk / 1e9:.1f} GB on disk, and {one.disk_free / 1e9:.1f} GB are free: "
                f"{one.disk_free // one.disk:,} would fit."
            )
        seconds = missing * one.seconds + spec.seeds * _draw_seconds(spec, ws)
        return replace(one, seconds=seconds, memory=one.memory + 24 * parameters, disk=disk, refusal=refusal)

    def asked(self, spec: InfluenceSpec, view: InformationView, ws: Workspace) -> SummaryStudySpec:
        """What the page's choice asks for; see :func:`judges` and :func:`asked`."""
        test, draws = judges(spec, view, ws), DRAWS if view.drop.seeds is None else (view.drop.seeds,)
        return affordable(self, [asked(spec, view, test, seeds) for seeds in draws], ws)

    def shown(self, spec: SummaryStudySpec) -> tuple[InfluenceSpec, InformationView]:
        """The information page's question that it answers."""
        drop: dict[str, object] = {name: getattr(spec, name) for name in ("test", "step", "seeds", "shares")}
        if spec.model is not None:
            drop |= {name: getattr(spec, name) for name in ("model", "training", "retrained")}
        view = {"ask": "drop", "ridge": spec.ridge, "time": spec.time, "drop": drop}
        return spec.influence, InformationView.model_validate(view)

    def pieces(self, spec: SummaryStudySpec) -> int:
        """One for each draw, order and share."""
        return len(pieces(spec))

    def shapes(self, spec: SummaryStudySpec, ws: Workspace) -> Shapes:
        """``kernel`` and ``network``: test accuracy, NaN where there is none; ``counts`` (classes,): images kept of each class."""
        return {"kernel": (), "network": (), "counts": (len(sample_of(spec.influence.dataset, ws).class_names),)}

    def piece(self, spec: SummaryStudySpec, number: int, ws: Workspace, reporter: PieceReporter) -> Mapping[str, np.ndarray]:
        """A draw's analysis, the order of removal, and what the images kept tell of the test images."""
        piece = pieces(spec)[number]
        draw = spec.draws[piece.draw]
        INFLUENCE.run(draw, 0, ws, reporter)
        look = Look.of(INFLUENCE.open(draw, ws), spec.ridge, spec.time, ws)
        result = look.result
        n, m = len(result.labels), spec.influence.test
        gone = np.zeros(0, dtype=np.intp)
        if piece.strategy is not None:
            chosen = Order(piece.strategy, m, spec.step / 100, spec.points[-1] / 100, draw.dataset.seed)
            order = removal(look, chosen, progress=reporter.share(0.0, _ORDERED))
            gone = order[: round(piece.percent / 100 * n)]
        kept = np.delete(np.arange(n), gone)
        known, counts = (np.bincount(labels, minlength=len(result.class_names)) for labels in (result.labels, result.labels[kept]))
        found = {"kernel": np.asarray(nan), "network": np.asarray(nan), "counts": counts}
        if not counts[known > 0].all():
            return found  # a class that nothing is left of cannot be learned
        rest = look.regression()
        rest = rest.without([int(i) for i in gone]) if len(gone) else rest
        found["kernel"] = _right(rest.predict(result.k_test[m:][:, kept], result.f_test[m:], look.time), result.test_labels[m:])
        if spec.model is not None and piece.percent in (0, *spec.retrained):
            found["network"] = _retrained(spec, piece, result, kept, ws, reporter)
        return found

    def answer(self, result: Pieces[SummaryStudySpec], view: InformationView, ws: Workspace) -> tuple[str, ...]:
        """What the view's share costs, by its judge, and up to which share it costs next to nothing."""
        return answer(result, view.drop)

    def table(self, result: Pieces[SummaryStudySpec], view: InformationView, ws: Workspace) -> pd.DataFrame:
        """A row for each order and percent dropped: mean test accuracy, and how far the least informative are ahead."""
        return table(result)


SUMMARY = Summary()
