"""What can be taken away: the labels as a table, and as a data set of one's own."""

import streamlit as st

from ntkcore.analyses.csv_text import csv_of
from ntkcore.analyses.label import export
from ntkcore.analyses.label.sitting import Sitting
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library import Session
from pages.shared import frame, words
from pages.shared.choice import go_to


def show(sitting: Sitting) -> None:
    """Labels out, a set made of them, and what the numbers mean."""
    st.header("Take the labels with you", anchor=False)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="label_take"):
        st.download_button(
            "Labels (CSV)",
            lambda: csv_of(export.labels_table(sitting.session.id, workspace(), sitting.network)),
            "labels.csv",
            "text/csv",
            icon=":material/download:",
            key="label_csv",
            on_click="ignore",
        )
        with st.popover("Use this as a data set", icon=":material/photo_library:", key="label_set"):
            name = st.text_input("Name", value=f"{sitting.session.title}, labelled", max_chars=80, key="label_set_name")
            st.caption("All that has a label by now becomes a set of your own, which every page can open.")
            if st.button("Make it", key="label_set_make", type="primary"):
                try:
                    made = export.as_set(sitting.session.id, sitting.network, name, workspace())
                except AtlasError as error:
                    frame.show_error(error)
                else:
                    st.success(f"{words.plain(made.name)} is under Your data.", icon=":material/check_circle:")
        if st.button("Your data", type="tertiary", key="label_data"):
            go_to("data")


def decisions(session: Session) -> None:
    """The decisions of a session whose items cannot be shown."""
    st.caption("What was decided in this session is kept:")
    st.download_button(
        "Decisions (CSV)",
        lambda: csv_of(export.labels_table(session.id, workspace())),
        "decisions.csv",
        "text/csv",
        icon=":material/download:",
        key="label_csv",
        on_click="ignore",
    )
