"""What a click on the map does: look at an image closely, select some, sort by likeness, put some in the basket."""

import streamlit as st

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.map import MapSpec, MapView
from pages.shared.charts import forget_selection, selected
from pages.shared.choice import Choice, Link


def _same_images(held: Choice[MapSpec, MapView], spec: MapSpec) -> MapView:
    """How the map is drawn stays; chosen images belong to the data they were chosen on, and ranges of numbers to the kernel as well."""
    if spec.dataset == held.spec.dataset:
        return held.view.model_copy(update={"filters": ()})
    return MapView(plane=held.view.plane, colour=held.view.colour, ridge=held.view.ridge, kept=held.view.kept, held=held.view.held)


LINK: Link[MapSpec, MapView] = Link("map", ADDRESSES["map"], _same_images)
CHART = "map"
_MARKED, _LAST = "map.marked", "map.last"  # images: marked in the gallery, inspected last


def inspect(image: int) -> None:
    """Open the inspector on an image."""
    st.session_state[_LAST] = image
    LINK.look(image=image)


def close_inspector() -> None:
    """What it showed last is marked."""
    LINK.look(image=None)


def marked() -> int | None:
    """The image marked in the gallery; follows the inspector only once that is closed: browsing there resends nothing."""
    if LINK.current().view.image is None:
        st.session_state[_MARKED] = st.session_state.get(_LAST)
    found: int | None = st.session_state.get(_MARKED)
    return found


def brushed() -> None:
    """A lasso or a box selects; a double click selects all again."""
    points = selected(CHART).get("points") or []
    told = {int(point["customdata"]) for point in points if point.get("customdata") is not None}
    LINK.look(picked=tuple(sorted(image for image in told if image >= 0)))  # a held-out image's is below 0


def show_all() -> None:
    """All images again."""
    forget_selection(CHART)
    LINK.look(picked=(), elsewhere=True)


def undo() -> None:
    """Take back the last selection or filter."""
    forget_selection(CHART)
    LINK.undo()
