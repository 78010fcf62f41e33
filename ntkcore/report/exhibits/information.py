"""Information in a report: both ends of the ranking, its distribution, what it is held against, and its way through training."""

import numpy as np

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information import views
from ntkcore.analyses.words import signed
from ntkcore.analyses.workspace import Workspace
from ntkcore.figures.information import informative as figures
from ntkcore.report.exhibits.common import MODE, SEVERAL, rows_of
from ntkcore.report.parts import Chart, Exhibit, Gallery, LeftOut
from ntkcore.specs.information import MEASURES, SCORES, InformationView

_LINES = 6  # images followed through training
_OTHERS = {
    "labels": "Mislabelled images",
    "drop": "Images to drop",
    "groups": "Groups, sources, attacks",
    "believe": "Can I believe the number?",
}


def exhibit(result: InfluenceResult, view: InformationView, ws: Workspace) -> Exhibit:
    """What the page shows of a result."""
    look = views.look_of(result, view, ws)
    values, against = views.scores(look), views.held_against(look, view.against)
    other = views.measured(look, against)
    table = views.table(look)
    order, score = np.argsort(-values, kind="stable"), SCORES[look.score]
    over, steps = views.through_training(look), look.descent is not None
    leading = [int(image) for image in order[:_LINES]]
    names = [f"{image}: {result.class_names[result.labels[image]]}" for image in leading]
    note = f"Below each: {score[0].lower()}{score[1:]}."
    rho = views.spearman(values, other)
    agreed = f"Spearman’s ρ = {signed(rho)}." if np.isfinite(rho) else ""
    return Exhibit(
        charts=(
            Chart(
                "How it is distributed",
                figures.information_histogram(values, result.labels, result.class_names, None, MODE, what=score),
                f"{int((values <= 0).sum()):,} images of 0 or less are not drawn." if (values <= 0).any() else "",
            ),
            Chart(
                "Against what else is known",
                figures.against_figure(
                    values,
                    other,
                    MEASURES[against],
                    result.labels,
                    result.class_names,
                    view.picked,
                    MODE,
                    log=against in figures.LOGARITHMIC,
                    score=score,
                ),
                agreed,
            ),
            Chart(
                "The most informative images",
                figures.course_figure(over, leading, names, view.time, MODE, score=score, steps=steps),
                "Those of the moment shown, through training.",
            ),
            Chart(
                "Does the ranking stay?",
                figures.agreement_figure(over, view.time, MODE, steps=steps),
                "1: images rank there as they do here.",
            ),
        ),
        galleries=(
            Gallery("Most informative", result.pack, rows_of(table, order), "information", note=note),
            Gallery("Least informative", result.pack, rows_of(table, order[::-1]), "information", note=note),
        ),
        left=(
            SEVERAL,
            *(LeftOut(title, "its answer is above; its charts are on the page") for ask, title in _OTHERS.items() if view.ask == ask),
            *(LeftOut(title, "another question, on the page") for ask, title in _OTHERS.items() if view.ask != ask),
        ),
    )
