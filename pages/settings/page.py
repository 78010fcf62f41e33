"""Settings: who one is here, what one may do, and the limits of this server."""

import streamlit as st

from ntkcore.analyses.workspace import workspace
from ntkcore.library import asking
from ntkcore.library.members import Members
from ntkcore.library.people import Person
from ntkcore.roles import ROLES, SAID
from pages.settings import own, tokens
from pages.shared import disk, frame, person, words
from pages.shared.gate.guard import session
from pages.shared.gate.identity import login
from pages.shared.page import heading


@frame.telling
def page() -> None:
    """Oneself, then what the server allows."""
    heading("settings")
    st.header("You", anchor=False)
    if asking.has_people():
        _login(asking.person())
    else:
        person.person()
        person.ask("Notes, labels and saved analyses are kept under it. Without a login this server is one administrator’s.")
    st.caption("Light, dark or as the system has it: the menu at the top right, under Settings.")
    if asking.has_people():
        tokens.show()
        own.show()
    st.header("Limits of this server", anchor=False)
    _limits()


def _login(asks: Person) -> None:
    st.markdown(f"**{words.plain(asks.name)}** · {asks.role}")
    least = 0 if asks.role is None else ROLES.index(asks.role) + 1
    st.markdown("You may:\n" + "\n".join(f"- {SAID[role]}" for role in ROLES[:least]))
    if login() != "provider":
        st.caption("The proxy in front of this server says who you are; log out there.")
        return
    st.caption(f"You log in again after {workspace().settings.login_hours:g} hours.")
    with st.container(horizontal=True, gap="small"):
        st.button("Log out", key="log_out", on_click=_log_out, type="primary")
        st.button(
            "Log out everywhere",
            key="log_out_everywhere",
            on_click=_log_out_everywhere,
            help="Also in your other browsers; your tokens end, too.",
        )


def _members() -> Members:
    return Members(workspace().library, workspace().settings)


def _log_out() -> None:
    if (found := session()) is not None:
        _members().end(found)
    st.logout()


def _log_out_everywhere() -> None:
    if (found := session()) is not None:
        _members().end_all(found, asking.person())
    st.logout()


def _limits() -> None:
    chosen = workspace().settings
    rows = [
        ("One uploaded file", words.size(chosen.upload_limit)),
        ("Uploads at a time", words.size(chosen.session_upload_bytes)),
        ("Memory of one job", words.size(chosen.job_bytes)),
        ("Results kept before the least recently used goes", words.size(chosen.disk_budget)),
        ("Pixels of one image", f"{chosen.image_pixels:,}"),
    ]
    if asking.has_people():
        rows.append(("Jobs of yours that may wait", f"{chosen.waiting_jobs}" if chosen.waiting_jobs else "any number"))
        rows.append(("Disk that your saved results, sets and uploads may fill", disk.filled() or "any"))
    st.table({"": [name for name, _ in rows], "at most": [value for _, value in rows]}, hide_index=True)


page()
