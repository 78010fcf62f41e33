"""How much of the disk one fills, said before a limit is met."""

import streamlit as st

from ntkcore.analyses.sharing import fair
from ntkcore.analyses.workspace import workspace
from ntkcore.library import asking
from pages.shared import words


def filled() -> str:
    """What one fills, of how much; "" where there is no limit."""
    ws, asks = workspace(), asking.person()
    limit = fair.limit_of(asks, ws)
    return f"{words.size(fair.used_by(asks, ws))} of {words.size(limit)}" if limit else ""


def show() -> None:
    """A line of it, where there is a limit."""
    if said := filled():
        st.caption(f"Your saved results, sets and uploads take {said} that one person may fill.")
