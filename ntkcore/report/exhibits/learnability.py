"""Learnability in a report: both ends of the ranking, and the four charts of the evidence."""

import numpy as np

from ntkcore.analyses.learnability import views
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.learnability.look import Look
from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.analyses.workspace import Workspace
from ntkcore.figures import learnability as figures
from ntkcore.report.exhibits.common import MODE, SEVERAL, rows_of
from ntkcore.report.parts import Chart, Exhibit, Gallery, LeftOut
from ntkcore.specs.learnability import LearnabilityView

_VALUE = "k(x,x)"


def exhibit(result: LearnabilityResult, view: LearnabilityView, ws: Workspace) -> Exhibit:
    """What the page shows of a result."""
    look = Look(result, view)
    table = LEARNABILITY.table(result, view, ws).rename(columns={"k_xx": _VALUE})
    curves = views.group_curves(look)
    chosen = look.groups
    cuts = (
        float(result.score[chosen.hard].max()) if len(chosen.hard) else np.nan,
        float(result.score[chosen.easy].min()) if len(chosen.easy) else np.nan,
    )
    ends = {"Hardest": look.hardest_first, "Easiest": look.hardest_first[::-1]}
    if view.picked or view.only or view.judged != "any" or (view.low, view.high) != (0.0, 100.0):
        ends = {"As filtered": look.shown, **ends}
    return Exhibit(
        charts=(
            Chart(
                "How k(x,x) is distributed", figures.score_histogram(result, cuts, look.marked, MODE), "Lines: hard and easy begin here."
            ),
            Chart(
                "Accuracy of the three groups while training",
                figures.accuracy_curves(curves, MODE),
                "The paper’s Fig. 3: easy images should be learned in fewer epochs.",
            ),
            Chart(
                "k(x,x) against the epoch each image is learned",
                figures.learned_scatter(result, views.jitter(result), look.marked, MODE),
                "Points are shifted a little up or down so that they do not hide each other.",
            ),
            Chart(
                "Mean error: measured and predicted",
                figures.error_curves(curves, view.errors, MODE, log=view.log),
                "Solid: the real network. Dotted: each image on its own (eq. 16). Dashed: all images coupled (eq. 17).",
            ),
        ),
        galleries=tuple(
            Gallery(title, result.pack, rows_of(table, images), _VALUE, note="Below each: k(x,x). A small one predicts late learning.")
            for title, images in ends.items()
        ),
        left=(SEVERAL, LeftOut("The curve of each image", "on the page, in the inspector")),
    )
