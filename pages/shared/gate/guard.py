"""The gate on the pages' side: whose session it is, which pages they have, and the page on which one logs in."""

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

import pages as listed
from ntkcore.library import asking
from ntkcore.library.members import Identity, Members
from ntkcore.library.people import Person, Refused
from ntkcore.settings import settings
from pages import Entry
from pages.shared import frame, words
from pages.shared.gate.identity import identity, login, providers


def session() -> Identity | None:
    """What the login of this run's session says; None: nobody is logged in."""
    context = get_script_run_ctx(suppress_warning=True)
    return None if context is None else identity(dict(context.user_info), settings())


class SessionAsks:
    """Who asks on a server with a login: whoever this run of a page is of.

    Args:
        members: whom logins are of.
    """

    def __init__(self, members: Callable[[], Members]) -> None:
        self._members = members

    def reader(self) -> str:
        """The person's id; "" for nobody."""
        found = session()
        return "" if found is None else found.id

    def person(self) -> Person:
        """The person, with the role that they have now."""
        found = session()
        person = None if found is None else self._members().person(found)
        if person is None:
            raise Refused("Your login has ended.", "Reload the page and log in again.")
        return person


def pages(asks: Person) -> tuple[Entry, ...]:
    """The pages that somebody has a use for."""
    return tuple(page for page in listed.PAGES if asks.may(page.action) and (not page.people or asking.has_people()))


def who() -> Person | None:
    """Whoever asks, to choose what is shown; None: nobody is logged in, or has a role."""
    try:
        found = asking.person()
    except Refused:
        return None
    return found if found.role is not None else None


def door() -> None:
    """What is shown to whom nothing else is: a login, or that one has no role yet."""
    shown = [st.Page(_come_in, title="Log in", url_path=page.path, default=not page.path) for page in listed.PAGES]
    st.navigation(shown, position="hidden").run()


def _come_in() -> None:
    frame.heading("NTK Atlas", "Log in to open what this server keeps.")
    try:
        found = asking.person()
    except Refused:
        _ways()
        return
    st.info(
        f"You are logged in as {words.plain(found.name)}, and have no role on this server yet. Ask an administrator for one.",
        icon=":material/lock:",
    )
    if login() == "provider":
        st.button("Log out", on_click=st.logout)


def _ways() -> None:
    if login() == "proxy":
        st.info("The proxy in front of this server did not say who you are. Open the app through it.", icon=":material/lock:")
        return
    found = providers()
    with st.container(key="ways_in", width=360):
        for provider in found:
            said = f"Log in with {words.plain(provider)}" if provider and len(found) > 1 else "Log in"
            st.button(
                said, key=f"login_{provider}", type="primary", width="stretch", on_click=st.login, args=(provider,) if provider else ()
            )
    st.caption("You come back to where you wanted to be.")
