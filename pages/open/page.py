"""Open: a short address leads to what somebody saved."""

import streamlit as st

from ntkcore.analyses.sharing import saving
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library.codes import SAVED_AS
from pages import entry
from pages.shared import frame, person
from pages.shared.choice import open_saved
from pages.shared.page import heading


def page() -> None:
    """Go there, or say why not and where to look."""
    asked = st.query_params.get(SAVED_AS, "")
    try:
        found = saving.opened(asked, person.who(), workspace()) if asked else None
    except AtlasError as error:
        heading("open")
        frame.show_error(error)
    else:
        if found is not None:
            open_saved(found.version)
        heading("open")
        st.markdown("Such an address ends in four letters or digits, as `/open?a=7Q2M`.")
    st.page_link(entry("library").file, label="Look for it in the library", icon=":material/bookmarks:")


page()
