"""The ranking of the galleries: by the score or another number, within the ranges of numbers that are chosen."""

import numpy as np

from ntkcore.analyses.information import views
from ntkcore.analyses.numbers import filters
from ntkcore.analyses.numbers.known import Known
from ntkcore.analyses.numbers.stored import stored_of
from ntkcore.errors import AtlasError
from ntkcore.specs.information import InformationView
from pages.information.choice import CHARTS, LINK
from pages.shared import frame
from pages.shared.brushes import filter_rows
from pages.shared.charts import forget_selection


def known_of(look: views.Look, view: InformationView) -> Known:
    """The numbers that are known of the images, at the view's λ."""
    return Known(stored_of(look.result.spec, look.ws), view.ridge, look.ws)


def ranked(look: views.Look, view: InformationView, values: np.ndarray, *, end: str = "") -> np.ndarray:
    """The images of a gallery in its order; a number that cannot be had is said, and left out.

    Args:
        end: of the ranking by ``values``, ``"most"`` or ``"least"``, whatever the view is sorted by; "": the view's order.
    """
    known = known_of(look, view)
    try:
        passing = filters.passing(view.filters, known.number, len(values))
        by = None if end else filters.order_by(view.by, known.titles, known.number)
    except AtlasError as error:
        frame.show_notice(error)
        passing = by = None
    chosen = view.model_copy(update={"show": end, "like": None}) if end else view
    return views.ranking(look.result, chosen, values, passing, by)


def show_filters(look: views.Look, view: InformationView, shown: bool) -> None:
    """The histograms of the numbers that are known, and what is filtered."""
    known = known_of(look, view)
    filter_rows(LINK, shown, known.titles, known.number, lambda: forget_selection(*CHARTS))
