"""A comparison of kernels in a report: every chart of its page."""

from ntkcore.analyses.convergence import views
from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.analyses.workspace import Workspace
from ntkcore.figures.convergence import charts as figures
from ntkcore.report.exhibits.common import MODE
from ntkcore.report.parts import Chart, Exhibit, LeftOut
from ntkcore.specs.convergence import ConvergenceView


def exhibit(result: ConvergenceResult, view: ConvergenceView, ws: Workspace) -> Exhibit:
    """What the page shows of a result."""
    names = [name for _, section in figures.SECTIONS for name in figures.shown(result, section)]
    drawings = [_drawing(result, view, name) for name in names]
    return Exhibit(
        charts=tuple(Chart(one.title, one.figure, one.note) for one in drawings),
        left=(LeftOut("The kernel of each dot", "as a picture with its numbers, on the page"),),
    )


def _drawing(result: ConvergenceResult, view: ConvergenceView, name: str) -> figures.Drawing:
    if name in views.QUANTITIES:
        return figures.quantity(result, view, views.QUANTITIES[name], MODE)[0]
    if name == "spectra":
        return figures.spectra(result, view, MODE)[0]
    return figures.timing(result, name, MODE)[0]
