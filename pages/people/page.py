"""People: their roles, when they were here, and the list of who deleted, exported or changed what."""

import pandas as pd
import streamlit as st

from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library import Saved, asking, audit
from ntkcore.library.members import Member, Members
from ntkcore.roles import ROLES, Role
from pages.shared import frame, words
from pages.shared.page import heading

_AS_LOGIN = "as the login says"
_SAID = "people.said"


@frame.telling
def page() -> None:
    """The people, then the audit list."""
    heading("people")
    for error in st.session_state.pop(_SAID, ()):
        frame.show_error(error)
    members = Members(workspace().library, workspace().settings)
    everybody, waiting = members.all(), workspace().jobs.waiting_of()
    for member in everybody:
        _row(member, waiting.get(member.id, 0))
    st.header("Who did what", anchor=False)
    _audit(everybody)


def _row(member: Member, waiting: int) -> None:
    with st.container(border=True, key=f"member_{member.id[:12]}"):
        who, role, seen, out = st.columns([3, 2, 3, 1], vertical_alignment="center")
        who.markdown(f"**{words.plain(member.name)}**  \n:small[{words.plain(member.subject)}]")
        if member.named:
            role.markdown("administrator  \n:small[by the server’s settings]")
        else:
            key = f"role_{member.id}"
            st.session_state[key] = member.given or _AS_LOGIN
            role.selectbox(
                "Role",
                (_AS_LOGIN, *ROLES),
                key=key,
                label_visibility="collapsed",
                format_func=lambda given: f"{member.role or 'none'} ({given})" if given == _AS_LOGIN and not member.given else given,
                on_change=_give,
                args=(member.id, key),
            )
        jobs = f"{waiting} job{'' if waiting == 1 else 's'} waiting"
        seen.caption(f"Last seen {words.when(member.seen)} · {jobs} · saved results take {words.size(_disk(member.id))}")
        told = "Every login and every token of theirs ends."
        out.button("Log out", key=f"out_{member.id}", type="tertiary", help=told, on_click=_sign_out, args=(member.id,))


def _give(person: str, key: str) -> None:
    """Effective at the other person's next click; what is refused is said above the list."""
    chosen: str = st.session_state[key]
    role: Role | None = next((role for role in ROLES if role == chosen), None)
    try:
        Members(workspace().library, workspace().settings).give(person, role, asking.person())
    except AtlasError as error:
        st.session_state[_SAID] = (error,)


def _sign_out(person: str) -> None:
    try:
        Members(workspace().library, workspace().settings).sign_out(person, asking.person())
    except AtlasError as error:
        st.session_state[_SAID] = (error,)


def _disk(person: str) -> int:
    return Saved(workspace().library).bytes_of(person)


def _audit(everybody: tuple[Member, ...]) -> None:
    names = {member.id: member.name for member in everybody}
    with st.container(horizontal=True, gap="small"):
        person = st.selectbox("Person", ("", *names), format_func=lambda one: names.get(one, "everybody"), key="audit_person", width=240)
        chosen = st.selectbox("Deed", ("", *audit.DEEDS), format_func=lambda one: one or "everything", key="audit_deed", width=240)
    entries = audit.read(workspace().library, person=person, deed=next((deed for deed in audit.DEEDS if deed == chosen), None))
    if not entries:
        st.caption("Nothing yet.")
        return
    rows = {
        "when": [words.when(entry.made) for entry in entries],
        "who": [entry.name for entry in entries],
        "deed": [entry.deed for entry in entries],
        "of": [entry.thing for entry in entries],
    }
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", height=min(420, 38 * (len(entries) + 1)))


page()
