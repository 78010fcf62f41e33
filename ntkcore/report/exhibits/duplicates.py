"""Duplicates in a report: every group with its images."""

from ntkcore.analyses.duplicates import views
from ntkcore.analyses.duplicates.analysis import DUPLICATES
from ntkcore.analyses.duplicates.result import DuplicatesResult
from ntkcore.analyses.workspace import Workspace
from ntkcore.report.exhibits.common import rows_of
from ntkcore.report.parts import Exhibit, Gallery, LeftOut
from ntkcore.specs.duplicates import DuplicatesView


def exhibit(result: DuplicatesResult, view: DuplicatesView, ws: Workspace) -> Exhibit:
    """What the page shows of a result."""
    groups = views.shown(views.copies(result, view, ws), view)
    images = [image for group in groups for image in group.images]
    rows = rows_of(DUPLICATES.table(result, view, ws), images)
    note = "Below each: the number of its group. Contradictory groups come first, then leaks, then the largest."
    return Exhibit(
        galleries=(Gallery("Groups", result.pack, rows, "group", note=note),),
        left=(LeftOut("Leaving copies out", "a choice on the page"),),
    )
