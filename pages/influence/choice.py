"""What a click on the influence page does, from wherever it comes: choose an image, look at one closely, stop playing."""

import streamlit as st

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec, InfluenceView
from pages.shared.charts import clicked
from pages.shared.choice import Choice, Link
from pages.shared.controls import Controls
from pages.shared.regression.moment import Moment


def _same_pairs(held: Choice[InfluenceSpec, InfluenceView], spec: InfluenceSpec) -> InfluenceView:
    """λ and the gallery stay; chosen images, ranges and a training time belong to the data and the kernel they were chosen on."""
    view = held.view
    if (spec.dataset, spec.test) == (held.spec.dataset, held.spec.test):
        return view.model_copy(update={"time": None, "filters": ()})
    return InfluenceView(ridge=view.ridge, tests=view.tests, show=view.show, by=view.by)


LINK: Link[InfluenceSpec, InfluenceView] = Link("influence", ADDRESSES["influence"], _same_pairs)

WHOSE = Controls("influence.whose", LINK)
"""The widget that says whose influences are shown; a click in a gallery changes it."""
TARGET = "influence.target"  # the held-out image that is chosen, of those that are there
MOMENT = Moment("influence", LINK, lambda: {"target": st.session_state.get(TARGET)})  # the image being watched stays
_MARKED, _LAST = "influence.marked", "influence.last"  # training images: marked in the gallery, inspected last


def choose(image: int) -> None:
    """A held-out image: its influences, instead of a group's."""
    WHOSE.fields.change(mean="no")
    LINK.look(target=image, mean="no")


def tick(images: tuple[int, ...]) -> None:
    """Some held-out images: the mean over them."""
    mean = "ticked" if images else "no"
    WHOSE.fields.change(mean=mean)
    LINK.look(picked=images, mean=mean)


def inspect_training(image: int) -> None:
    """Open the inspector on a training image."""
    MOMENT.stop()
    st.session_state[_LAST] = image
    LINK.look(image=image, held=None)


def inspect_held(image: int) -> None:
    """Open the inspector on a held-out image, which it then is about."""
    MOMENT.stop()
    LINK.look(held=image, image=None, target=image)


def close_inspector() -> None:
    """What it showed last is marked."""
    LINK.look(image=None, held=None)


def marked() -> int | None:
    """The training image marked in the gallery; follows the inspector only once that is closed: browsing there resends nothing."""
    if LINK.current().view.image is None:
        st.session_state[_MARKED] = st.session_state.get(_LAST)
    found: int | None = st.session_state.get(_MARKED)
    return found


def inspect_clicked(chart: str) -> None:
    """A click in a chart whose points are training images."""
    if (image := clicked(chart)) is not None:
        inspect_training(image)
