"""What a click on the influence page does, from wherever it comes: choose an image, look at one closely, stop playing."""

import streamlit as st

from pages.parts import links
from pages.parts.charts import clicked
from pages.parts.fields import Fields
from pages.parts.moment import Moment

WHOSE = Fields("influence.whose")
"""The widget that says whose influences are shown; a click in a gallery changes it."""
TARGET = "influence.target"  # the held-out image that is chosen, of those that are there
MOMENT = Moment("influence", links.influence, lambda: {"target": st.session_state.get(TARGET)})  # the image being watched stays
_MARKED, _LAST = "influence.marked", "influence.last"  # training images: marked in the gallery, inspected last


def choose(image: int) -> None:
    """A held-out image: its influences, instead of a group's."""
    WHOSE.change(mean="no")
    links.influence.look(target=image, mean="no")


def tick(images: tuple[int, ...]) -> None:
    """Some held-out images: the mean over them."""
    mean = "ticked" if images else "no"
    WHOSE.change(mean=mean)
    links.influence.look(picked=images, mean=mean)


def inspect_training(image: int) -> None:
    """Open the inspector on a training image."""
    MOMENT.stop()
    st.session_state[_LAST] = image
    links.influence.look(image=image, held=None)


def inspect_held(image: int) -> None:
    """Open the inspector on a held-out image, which it then is about."""
    MOMENT.stop()
    links.influence.look(held=image, image=None, target=image)


def close_inspector() -> None:
    """What it showed last is marked."""
    links.influence.look(image=None, held=None)


def marked() -> int | None:
    """The training image marked in the gallery; follows the inspector only once that is closed: browsing there resends nothing."""
    if links.influence.current().view.image is None:
        st.session_state[_MARKED] = st.session_state.get(_LAST)
    found: int | None = st.session_state.get(_MARKED)
    return found


def inspect_clicked(chart: str) -> None:
    """A click in a chart whose points are training images."""
    if (image := clicked(chart)) is not None:
        inspect_training(image)
