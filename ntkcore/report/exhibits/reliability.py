"""Reliability in a report: the error over λ, the lights of the held-out images, and the evidence for the one that is chosen."""

import numpy as np

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.reliability import tables, views
from ntkcore.analyses.workspace import Workspace
from ntkcore.figures.reliability import errors as figures
from ntkcore.report.exhibits.common import MODE, rows_of
from ntkcore.report.parts import Chart, Exhibit, Gallery, LeftOut
from ntkcore.specs.reliability import ReliabilityView


def exhibit(result: InfluenceResult, view: ReliabilityView, ws: Workspace) -> Exhibit:
    """What the page shows of a result."""
    look = Look.of(result, view.ridge, None, ws)
    now = views.summary(look)
    lit = views.lit(view, now)
    target = views.target_of(view, now, lit)
    found = views.evidence(look, target)
    lights = tables.light_table(result, now)
    missed = tables.image_table(result, now, np.empty(0)).drop(columns="log_density")
    rate = f"{view.average}_rate"
    return Exhibit(
        charts=(
            Chart(
                "Error rate over λ",
                figures.sweep_figure(views.sweep(look), now, MODE),
                "Over all pairs (Fig. 2). Bound: λ<sub>min</sub> / (λ<sub>min</sub> + λ). Grey line: the λ chosen.",
            ),
            Chart(
                f"Estimated against true influence on held-out image {target}",
                figures.evidence_figure(found, result.labels, result.class_names, MODE),
                "Its most influential training images. On the line IHVP is right; nearer to 0 than the line, it understates.",
            ),
        ),
        galleries=(
            Gallery(
                "Can it be explained?", result.test_pack, rows_of(lights, lit), "light", note="Held-out images. Below each: its light."
            ),
            Gallery(
                "Where IHVP is most wrong",
                result.pack,
                rows_of(missed, views.unreliable(view, now)),
                rate,
                note=f"Training images. Below each: the {view.average} error rate |I − Î| / |I| of its influences.",
            ),
        ),
        tables={"Lights of all held-out images": lights},
        left=(
            LeftOut("Density, clusters", "charts with controls of their own, on the page"),
            LeftOut("On a real network", "a study of its own: network-ihvp on the command line"),
        ),
    )
