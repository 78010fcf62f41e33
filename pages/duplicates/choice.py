"""What is chosen on the duplicates page, and what a click on an image does."""

import streamlit as st

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.duplicates import DuplicatesSpec, DuplicatesView
from pages.shared.choice import Choice, Link


def _same_demands(held: Choice[DuplicatesSpec, DuplicatesView], spec: DuplicatesSpec) -> DuplicatesView:
    """How alike copies are stays; a kernel and an image that is looked at belong to the images."""
    return held.view.model_copy(update={"kernel": "", "image": None})


LINK: Link[DuplicatesSpec, DuplicatesView] = Link("duplicates", ADDRESSES["duplicates"], _same_demands)
_LAST = "duplicates.last"  # the image inspected last


def inspect(image: int) -> None:
    """Open the inspector on an image."""
    st.session_state[_LAST] = image
    LINK.look(image=image)


def close_inspector() -> None:
    """What it showed last is marked."""
    LINK.look(image=None)


def marked() -> int | None:
    """The image marked in its group: the one inspected last."""
    found: int | None = st.session_state.get(_LAST)
    return found
