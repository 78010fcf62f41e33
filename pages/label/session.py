"""One session: its network on the way, the focus or the bulk view, the news of retraining, and what can be taken away."""

import html

import streamlit as st

from ntkcore.analyses.label import network as networks
from ntkcore.analyses.label import sitting as sittings
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError, CorruptArtifact, DataError, LibraryError
from ntkcore.library import Labels
from pages.label import bar, bulk, focus, take, wide
from pages.label.explain import explain_label
from pages.shared import frame, job_panel, words
from pages.shared.person import ask, person

_ADDRESS, _VIEW = "session", "view"


def named() -> str | None:
    """The session in the address."""
    return st.query_params.get(_ADDRESS)


def open_session(session: str) -> None:
    """Show a session: its address is what others are sent."""
    st.query_params.from_dict({_ADDRESS: session})


def leave() -> None:
    """All sessions again."""
    st.query_params.clear()
    wide.forget()


def show(chosen: str) -> None:
    """The session in whatever state it is."""
    me = person(asked=bar.show_keys)
    ws = workspace()
    try:
        session = Labels(ws.library).session(chosen)
        asked = sittings.suggesting(session)
    except LibraryError:
        return  # said above
    except (DataError, ValueError) as error:
        frame.show_error(error if isinstance(error, DataError) else DataError("This session is of another version.", "Begin a new one."))
        st.button("All sessions", on_click=leave, type="primary")
        return
    title = st.container(horizontal=True, vertical_alignment="center", gap="small", key="label_title")
    title.button("All sessions", on_click=leave, type="tertiary", icon=":material/arrow_back:", key="label_leave")
    title.html(f'<p class="atlas-fact"><b>{html.escape(session.title)}</b></p>')
    try:
        if not _network(asked):
            return
        if not me.name:
            ask("It stands beside each of your labels; this browser remembers it. Then the first one comes.")
            return
        sitting = sittings.sit(session, ws)
    except CorruptArtifact as damage:
        job = networks.mend(damage, asked, ws)
        st.warning(words.plain(f"{damage.message} {damage.remedy}"), icon=":material/warning:")
        job_panel.job_panel(job.id)
        return
    except AtlasError as error:
        frame.show_error(error)
        take.decisions(session)
        return
    with title, st.container(key="label_news"):
        bar.news(session.id)
    if st.query_params.get(_VIEW) == "bulk":
        bulk.show(session.id)
    else:
        focus.show(session.id)
    take.show(sitting)
    explain_label(sitting)


def _network(asked: networks.LabelNetworkSpec) -> bool:
    """Whether the network that suggests is there; else its job is shown, or offered again."""
    ws = workspace()
    if networks.is_ready(asked, ws):
        return True
    job = ws.jobs.state(networks.key(asked, ws))
    if job is not None and job.active:
        job_panel.job_panel(job.id)
        return False
    if job is not None:
        job_panel.ended(job)
    st.button("Make the network", type="primary", key="label_network", on_click=networks.request, args=(asked, ws))
    return False
