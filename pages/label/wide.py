"""What a window of a labelling session remembers besides the library: the item before the person, the view, whether suggestions show."""

from typing import Any

import streamlit as st

from ntkcore.analyses.label import sitting as sittings
from ntkcore.analyses.label.sitting import Sitting
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library import Labels, Taken
from pages.shared import notice
from pages.shared.person import current

PART = "label"
"""Of the page's line for what an action came to."""
_AT = "label.at"  # the item before the person, and whether they went back to it


def opened(session: str) -> Sitting:
    """The session as it stands now."""
    ws = workspace()
    return sittings.sit(Labels(ws.library).session(session), ws)


def at(sitting: Sitting) -> tuple[int | None, bool]:
    """The item before the person, and whether it is one that they went back to; None: nothing is left for them."""
    held: tuple[str, int, bool] | None = st.session_state.get(_AT)
    if held is not None and held[0] == sitting.session.id and held[2] and held[1] < sitting.network.n:
        return held[1], True
    wished = held[1] if held is not None and held[0] == sitting.session.id else None
    found = sittings.claim(sitting, wished, current().token, current().name, workspace())
    if found is None:
        st.session_state.pop(_AT, None)
    else:
        st.session_state[_AT] = (sitting.session.id, found, False)
    return found, False


def go(session: str, item: int | None) -> None:
    """Go back to an item; None: on to the one that is asked for."""
    if item is None:
        st.session_state.pop(_AT, None)
    else:
        st.session_state[_AT] = (session, item, True)


def forget() -> None:
    """Nothing is before the person."""
    st.session_state.pop(_AT, None)


def keep(session: str, item: int, deed: Any, seen: int | None, label: int | None = None, shown: bool = True) -> None:
    """Keep what was decided, and go on; what somebody else decided meanwhile is said, and stays."""
    ws, me = workspace(), current()
    try:
        if deed == "label":
            assert label is not None
            sittings.answer(opened(session), item, label, me.name, ws, seen=seen, shown=shown)
        else:
            Labels(ws.library).decide(session, item, deed, me.name, seen=seen)
    except Taken as taken:
        if taken.decision is None or taken.decision.author != me.name:  # else a key that was pressed twice, or too soon for the next item
            notice.tell(PART, taken)
    except AtlasError as error:
        notice.tell(PART, error)
        return
    forget()


def note(session: str, item: int, key: str) -> None:
    """Keep a note on an item; ``key``: of the field that it was written in."""
    try:
        Labels(workspace().library).decide(session, item, "note", current().name, seen=None, note=st.session_state[key])
    except AtlasError as error:
        notice.tell(PART, error)


def undo(session: str) -> None:
    """Take back this person's last decision, and show its item again."""
    try:
        gone = Labels(workspace().library).undo(session, current().name)
    except AtlasError as error:
        notice.tell(PART, error)
        return
    if gone is None:
        notice.tell(PART, "You have nothing left to undo.")
    elif gone.deed != "note":
        st.session_state[_AT] = (session, gone.item, False)
