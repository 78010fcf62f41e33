"""What a click on the information page does: look at an image closely, select some, put some in the basket."""

import streamlit as st

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView
from pages.shared.charts import clicked, forget_selection, selected
from pages.shared.choice import Choice, Link


def _same_question(held: Choice[InfluenceSpec, InformationView], spec: InfluenceSpec) -> InformationView:
    """The question, λ and the studies' settings stay; chosen images, ranges and a time belong to the data and the kernel they are of."""
    if (spec.dataset, spec.test) == (held.spec.dataset, held.spec.test):
        return held.view.model_copy(update={"time": None, "filters": ()})
    labels = held.view.labels if spec.dataset == held.spec.dataset else held.view.labels.undecided()
    none = dict.fromkeys(("only", "filters", "among", "picked", "basket"), ())
    return held.view.model_copy(update=none | {"time": None, "like": None, "image": None, "labels": labels})


Chosen = Choice[InfluenceSpec, InformationView]
LINK: Link[InfluenceSpec, InformationView] = Link("information", ADDRESSES["information"], _same_question)

CHARTS = ("information_histogram", "information_against")
"""Charts in which images are selected."""
_MARKED, _LAST = "information.marked", "information.last"  # training images: marked in the gallery, inspected last


def inspect(image: int) -> None:
    """Open the inspector on a training image."""
    st.session_state[_LAST] = image
    LINK.look(image=image)


def close_inspector() -> None:
    """What it showed last is marked."""
    LINK.look(image=None)


def inspect_clicked(chart: str) -> None:
    """A click in a chart whose points are training images."""
    if (image := clicked(chart)) is not None:
        inspect(image)


def marked() -> int | None:
    """The image marked in the galleries; follows the inspector only once that is closed: browsing there resends nothing."""
    if LINK.current().view.image is None:
        st.session_state[_MARKED] = st.session_state.get(_LAST)
    found: int | None = st.session_state.get(_MARKED)
    return found


def pick(images: tuple[int, ...], chart: str) -> None:
    """Some images were selected in a chart: the galleries show these, and the other charts' selections are forgotten."""
    forget_selection(*(other for other in CHARTS if other != chart))
    LINK.look(picked=images)


def brushed(chart: str) -> None:
    """Points of a scatter were selected, or the selection was cleared."""
    points = selected(chart).get("points") or []
    pick(tuple(sorted({int(point["customdata"]) for point in points if point.get("customdata") is not None})), chart)


def clear_selection() -> None:
    """All images again."""
    forget_selection(*CHARTS)
    LINK.look(picked=(), elsewhere=True)
