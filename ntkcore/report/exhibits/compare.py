"""A comparison in a report: A against B, the images that moved most, and the fields that differ (with its tables)."""

from ntkcore.analyses.compare.analysis import COMPARE
from ntkcore.analyses.compare.look import Look
from ntkcore.analyses.compare.result import CompareResult
from ntkcore.analyses.materials.thumbnails import noun, thumbnails
from ntkcore.analyses.workspace import Workspace
from ntkcore.figures import compare as figures
from ntkcore.report.exhibits.common import MODE, SEVERAL, rows_of
from ntkcore.report.parts import Chart, Exhibit, Gallery, LeftOut
from ntkcore.specs.compare import CompareView


def exhibit(result: CompareResult, view: CompareView, ws: Workspace) -> Exhibit:
    """What the page shows of a result."""
    look = Look(result, view, ws)
    one, title = look.one, look.titles[view.score]
    thumbnails(one.pack, result.spec.dataset, ws)  # encoded again here if the stored ones are gone
    drawn, what = (look.ranks, f"rank by {title.partition(', ')[0]}") if view.ranks else (look.values, title)
    picked = [image for image in view.picked if image < len(one.labels)]
    names = one.labels, one.class_names
    figure = figures.scatter_figure(drawn, what, *names, picked, MODE, ranks=view.ranks, noun=noun(one.pack, ws))
    table = COMPARE.table(result, view, ws)
    return Exhibit(
        charts=(Chart("A against B", figure, "Dotted: the same in both."),),
        galleries=tuple(
            Gallery(f"Moved {way} most", one.pack, rows_of(table, look.movers(way == "up")), "rank_b", note="Below each: its rank in B.")
            for way in ("up", "down")
        ),
        left=(SEVERAL, LeftOut("Curves of both over each other", "on the page")),
    )
