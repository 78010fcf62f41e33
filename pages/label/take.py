"""Below the session: its learning curve, what its numbers mean, and what can be taken away."""

from functools import partial

import streamlit as st

from ntkcore.analyses.label import export
from ntkcore.analyses.label.curve import curve, first_network
from ntkcore.analyses.label.desk import given
from ntkcore.analyses.label.network import request
from ntkcore.analyses.label.rounds import network_of
from ntkcore.analyses.label.sitting import Sitting
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.figures.label import learning_curve
from ntkcore.library import Session, asking
from pages.label import wide
from pages.shared import frame, tables, words
from pages.shared.charts import chart
from pages.shared.choice import go_to
from pages.shared.downloads import csv_download


def show(sitting: Sitting) -> None:
    """The curve when asked for, labels out, and a set made of them."""
    _curve(sitting.session.id)
    st.header("Take the labels with you", anchor=False)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="label_take"):
        table = partial(export.labels_table, sitting.session.id, workspace(), sitting.network)
        csv_download("Labels (CSV)", table, file="labels", key="label_csv", quiet=False)
        imports = asking.person().may("import")
        with st.popover("Use this as a data set", disabled=not imports, icon=":material/photo_library:", key="label_set"):
            name = st.text_input("Name", value=f"{sitting.session.title}, labelled", max_chars=80, key="label_set_name")
            st.caption("All that has a label by now becomes a set of your own, which every page can open.")
            if st.button("Make it", key="label_set_make", type="primary"):
                try:
                    made = export.as_set(sitting.session.id, sitting.network, name, workspace())
                except AtlasError as error:
                    frame.show_error(error)
                else:
                    st.success(f"{words.plain(made.name)} is under Your data.", icon=":material/check_circle:")
        if imports and st.button("Your data", type="tertiary", key="label_data"):
            go_to("data")


@st.fragment(key="label_curve_part")
@frame.telling
def _curve(session: str) -> None:
    st.header("Does asking pay?", anchor=False)
    if not st.toggle("Show the learning curve beside labels drawn at random", key="label_curve"):
        return
    ws, sitting = workspace(), wide.opened(session)
    first = first_network(sitting, ws)
    if first is None:
        st.caption("The session’s first network, by which both are judged, is no longer stored.")
        asked = network_of(sitting.spec, given(sitting.network))
        st.button("Make it again", key="label_first", on_click=request, args=(asked, ws))
        return
    with st.spinner("Fitting with fewer labels …", show_time=False):
        found = curve(first, sitting, ws)
    if found is None:
        st.caption("It takes ten labels given here.")
        return
    tables.fact(words.as_html(found.answer()))
    how = (
        "Both are kernel regression at the session’s first network, which has seen none of these labels; faint: each draw. "
        if found.held
        else "Both are judged on three tenths of the labels, left out in turns; the random ones are drawn from labels that were asked "
        "for, so that the difference shown is rather too small. "
    )
    chart(
        "Learning curve",
        learning_curve(found, frame.mode()),
        key="label_learning",
        table=found.table,
        note=f"{how}It is drawn for the labels of now when the switch is turned.",
    )


def decisions(session: Session) -> None:
    """The decisions of a session whose items cannot be shown."""
    st.caption("What was decided in this session is kept:")
    table = partial(export.labels_table, session.id, workspace())
    csv_download("Decisions (CSV)", table, file="decisions", key="label_csv", quiet=False)
