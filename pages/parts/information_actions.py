"""What a click on the information page does: look at an image closely, select some, put some in the basket."""

import streamlit as st

from pages.parts import links
from pages.parts.charts import clicked, forget_selection, selected

CHARTS = ("information_histogram", "information_against")
"""Charts in which images are selected."""
_MARKED, _LAST = "information.marked", "information.last"  # training images: marked in the gallery, inspected last


def inspect(image: int) -> None:
    """Open the inspector on a training image."""
    st.session_state[_LAST] = image
    links.information.look(image=image)


def close_inspector() -> None:
    """What it showed last is marked."""
    links.information.look(image=None)


def inspect_clicked(chart: str) -> None:
    """A click in a chart whose points are training images."""
    if (image := clicked(chart)) is not None:
        inspect(image)


def inspect_opened(key: str) -> None:
    """An image of a gallery was opened."""
    if said := st.session_state[key].get("opened"):
        inspect(said["id"])


def marked() -> int | None:
    """The image marked in the galleries; follows the inspector only once that is closed: browsing there resends nothing."""
    if links.information.current().view.image is None:
        st.session_state[_MARKED] = st.session_state.get(_LAST)
    found: int | None = st.session_state.get(_MARKED)
    return found


def pick(images: tuple[int, ...], chart: str) -> None:
    """Some images were selected in a chart: the galleries show these, and the other charts' selections are forgotten."""
    forget_selection(*(other for other in CHARTS if other != chart))
    links.information.look(picked=images)


def brushed(chart: str) -> None:
    """Points of a scatter were selected, or the selection was cleared."""
    points = selected(chart).get("points") or []
    pick(tuple(sorted({int(point["customdata"]) for point in points if point.get("customdata") is not None})), chart)


def clear_selection() -> None:
    """All images again."""
    forget_selection(*CHARTS)
    links.information.look(picked=(), elsewhere=True)
