"""The map in a report: the plane with every image as a point, and the gallery as it stood."""

from ntkcore.analyses.map import drawn as drawing
from ntkcore.analyses.map import views
from ntkcore.analyses.map.analysis import MAP
from ntkcore.analyses.map.result import MapResult
from ntkcore.analyses.workspace import Workspace
from ntkcore.figures import map as figures
from ntkcore.report.exhibits.common import MODE, SEVERAL, rows_of
from ntkcore.report.parts import Chart, Exhibit, Gallery, LeftOut
from ntkcore.specs.map import MapView


def exhibit(result: MapResult, view: MapView, ws: Workspace) -> Exhibit:
    """What the page shows of a result."""
    look = views.Look.of(result, view, ws)
    picked = [image for image in view.picked if image < len(result.labels)]
    images = views.shown(look, view)
    table = MAP.table(result, view, ws)
    apart = table["same_label"].to_numpy().argsort(kind="stable")
    return Exhibit(
        charts=(
            Chart(
                "How the network sees them", figures.map_figure(drawing.drawn(look, view), picked, MODE), "Near is alike to this network."
            ),
        ),
        galleries=(
            Gallery(
                "Selected" if picked else "As shown",
                result.pack,
                rows_of(table, images),
                "same_label",
                note="Below each: the share of its 15 nearest that have its label.",
            ),
            Gallery(
                "Among another class",
                result.pack,
                rows_of(table, apart),
                "same_label",
                note="Fewest of the 15 nearest have their label: mislabelled, or hard.",
            ),
        ),
        left=(SEVERAL, LeftOut("Images on the map", "points stay points when zoomed in", "still")),
    )
