"""The ranking of the galleries: by the score or another number, within the ranges of numbers that are chosen."""

import numpy as np

from ntkcore.analyses.information import views
from ntkcore.analyses.numbers.known import Known
from ntkcore.specs.information import InformationView
from pages.information.choice import CHARTS, LINK
from pages.shared.brushes import filter_rows
from pages.shared.charts import forget_selection
from pages.shared.narrowed import narrowed


def ranked(look: views.Look, view: InformationView, values: np.ndarray, *, end: str = "") -> np.ndarray:
    """The images of a gallery in its order; a number that cannot be had is said, and left out.

    Args:
        end: of the ranking by ``values``, ``"most"`` or ``"least"``, whatever the view is sorted by; "": the view's order.
    """
    passing, by = narrowed(Known.of(look), view, "" if end else view.by, len(values))
    chosen = view.model_copy(update={"show": end, "like": None}) if end else view
    return views.ranking(look.result, chosen, values, passing, by)


def show_filters(look: views.Look, shown: bool) -> None:
    """The histograms of the numbers that are known, and what is filtered."""
    filter_rows(LINK, shown, Known.of(look), lambda: forget_selection(*CHARTS))
