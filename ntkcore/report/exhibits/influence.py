"""Influence in a report: who helped and who harmed, and their ranks and the prediction through training."""

import numpy as np

from ntkcore.analyses.influence import paths
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.workspace import Workspace
from ntkcore.figures import influence as figures
from ntkcore.report.exhibits.common import MODE, SEVERAL, held_out, rows_of
from ntkcore.report.parts import Chart, Exhibit, Gallery, LeftOut
from ntkcore.specs.influence import InfluenceView

_NOTE = "Below each: how much the loss would rise without it (+ helpful, − harmful)."


def exhibit(result: InfluenceResult, view: InfluenceView, ws: Workspace) -> Exhibit:
    """What the page shows of a result."""
    subject = Subject.of(Look.of(result, view.ridge, view.time, ws), view)
    table = INFLUENCE.table(result, view, ws)
    values = subject.values
    order = np.argsort(-values, kind="stable")
    held = held_out(result, subject.group or (subject.target,), subject.now.outputs)
    return Exhibit(
        charts=_charts(subject),
        galleries=(
            Gallery("Asked of", result.test_pack, held, note="The held-out image, or those of the group."),
            Gallery("Helpful", result.pack, rows_of(table, order[values[order] > 0]), "influence", note=_NOTE),
            Gallery("Harmful", result.pack, rows_of(table, order[::-1][values[order[::-1]] < 0]), "influence", note=_NOTE),
        ),
        left=(
            SEVERAL,
            LeftOut("Every other held-out image", "each has influences of its own; the link opens them"),
            LeftOut("Groups, what if, retraining", "studies of their own, on the page"),
        ),
    )


def _charts(subject: Subject) -> tuple[Chart, ...]:
    if subject.group:
        return ()  # a group's way through training takes minutes
    result, now = subject.result, subject.view.time
    path = paths.trajectory(subject.look, subject.target)
    images = [int(image) for image in paths.leading(path, subject.values)]
    names = [f"{image}: {result.class_names[result.labels[image]]}" for image in images]
    truth = int(result.test_labels[subject.target])
    return (
        Chart(
            "The most influential images, by rank",
            figures.bump_figure(path, paths.ranks(path), images, names, now, MODE),
            f"Among all {len(subject.values):,} training images; 1 matters most.",
        ),
        Chart(
            "This image’s prediction and loss",
            figures.loss_figure(path, result.class_names, truth, now, MODE),
            "Solid: outputs, its own class in full strength. Dotted: the loss ½‖f − y‖².",
        ),
    )
