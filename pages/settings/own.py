"""One's own data: taken away as a file, or deleted, once one has read what goes and what stays."""

import streamlit as st

from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library import asking, personal
from pages.shared import frame
from pages.shared.downloads import download
from pages.shared.gate.identity import login

_SURE = "own.sure"
_FAILED = "own.failed"
_KINDS = (("analysis", "analyses"), ("note", "notes"), ("tag of an image", "tags of images"), ("view", "views"))


def show() -> None:
    """A button for the file, and below it the deletion."""
    st.header("Your data", anchor=False)
    if (error := st.session_state.pop(_FAILED, None)) is not None:
        frame.show_error(error)
    library, asks = workspace().library, asking.person()
    st.caption("What you saved, wrote, tagged and collected, your logins’ record and your lines of the audit list, as JSON.")
    download("Take it away", lambda: personal.exported(library, asks), "atlas-my-data.zip", "application/zip", key="own_data")
    with st.expander("Delete it …"):
        held = personal.held(library, asks)
        st.markdown(
            f"**Goes, for good:** what only you see ({_counted(held.private)}) with the notes on it, what you collected, your tokens, "
            "your e-mail address, and your name beside what you shared. You are logged out everywhere.\n\n"
            f"**Stays:** what others see, too ({_counted(held.shared)}), as by “{personal.LEFT}”; labels with the name under which you "
            "gave them; sets that you imported; jobs in the list; the audit list; a role that an administrator gave you. Throw away before "
            "what of it shall go."
        )
        sure = st.checkbox("I have read this, and want it deleted", key=_SURE)
        st.button("Delete my data", key="delete_own", on_click=_delete, disabled=not sure)


def _counted(counts: tuple[int, int, int, int]) -> str:
    return ", ".join(f"{count} {one if count == 1 else many}" for count, (one, many) in zip(counts, _KINDS, strict=True))


def _delete() -> None:
    try:
        personal.delete(workspace().library, asking.person())
    except AtlasError as error:
        st.session_state[_FAILED] = error
        return
    st.session_state[_SURE] = False
    if login() == "provider":
        st.logout()
