"""An active learning study in a report: the curves, what each strategy needs and costs, and what their choices have in common."""

from ntkcore.analyses.active import views
from ntkcore.analyses.active.answer import named
from ntkcore.analyses.active.views import Study
from ntkcore.analyses.workspace import Workspace
from ntkcore.figures import active as figures
from ntkcore.report.exhibits.common import MODE
from ntkcore.report.parts import Chart, Exhibit, LeftOut
from ntkcore.specs.active import ActiveView


def exhibit(result: Study, view: ActiveView, ws: Workspace) -> Exhibit:
    """What the page shows of a study."""
    spec, cycle, level = result.spec, views.cycle_of(result, view), views.level_of(result, view)
    at, base, names = spec.protocol.labels[cycle], named(views.reference(spec)), views.shown(result, view)
    curves, ahead, seconds = (
        [curve for curve in found if curve.name in names]
        for found in (views.curves(result), views.differences(result), views.query_seconds(result))
    )
    rows = [row for row in views.rows(result, level) if row.name in names]
    lead = [
        Chart(
            f"Ahead of {base}",
            figures.curves_figure(ahead, MODE, what=f"accuracy less that of {base}", at=at),
            "Repeat by repeat, on the same start and the same draws.",
        )
    ]
    return Exhibit(
        charts=(
            Chart(
                "Accuracy over labels",
                figures.curves_figure(curves, MODE, what="held-out images right", at=at, level=level),
                f"{figures.means(spec.seeds, len(curves))}.",
            ),
            *(lead if ahead else ()),
            Chart(f"Labels for {100 * level:g} %", figures.dots_figure(rows, MODE, of="needed"), "Dots: repeats that reach it."),
            Chart("Mean accuracy on the way", figures.dots_figure(rows, MODE, of="area"), "The area under accuracy over labels."),
            Chart("Seconds of a choice", figures.seconds_figure(seconds, MODE), "On the machine that computed it."),
        ),
        left=(LeftOut("What they picked", "galleries of every cycle and repeat, on the page"),),
    )
