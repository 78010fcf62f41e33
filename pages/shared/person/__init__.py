"""Who is at this browser: a name, typed once, and what tells this browser's claims from others'."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from ntkcore.library import people
from ntkcore.library.labels import NAME

_KEY, _HELD = "person", "person.held"
_person = st.components.v2.component("ntk_atlas.person", js=(Path(__file__).parent / "person.js").read_text())


class Person(NamedTuple):
    """A name, "" before one was typed; and random digits that stay the browser's."""

    name: str
    token: str


def person(asked: Callable[[], None] | None = None) -> Person:
    """Whoever is at this browser; once in a run of a page.

    Args:
        asked: called when the key "?" is pressed.
    """
    held = current()
    _person(
        key=_KEY,
        data={"name": held.name, "token": held.token},
        default={"person": None},
        on_person_change=_told,
        on_asked_change=asked or _nothing,
    )
    return held


def current() -> Person:
    """As the session knows it now."""
    found: Person = st.session_state.setdefault(_HELD, Person("", secrets.token_hex(12)))
    return found


def author() -> str:
    """The name that a decision is kept under; of whoever typed none, one that no other browser has."""
    name, token = current()
    return name or f"visitor {token[:4]}"


def who() -> people.Person:
    """Whoever asks, as the library knows them: without a log-in the local administrator, by the name that was typed."""
    return people.local(author())


def visitor() -> str:
    """What tells one reader's visits from another's: without a log-in, the browser."""
    return f"{people.LOCAL}:{current().token}"


def call(name: str) -> None:
    """The name that was typed elsewhere than in :func:`ask`."""
    st.session_state[_HELD] = Person(" ".join(name.split())[:NAME], current().token)


def ask(why: str) -> None:
    """A field for the name, and a sentence on what it is for."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="person_name"):
        st.text_input("Your name", key="person.typed", max_chars=NAME, on_change=_typed, width=240, placeholder="as others know you")
        st.html(f'<p class="atlas-quiet">{why}</p>')


def _typed() -> None:
    call(st.session_state["person.typed"])


def _told() -> None:
    """What the browser kept; a name that was just typed is newer."""
    said: dict[str, Any] | None = st.session_state[_KEY].get("person")
    if said:
        st.session_state[_HELD] = Person(current().name or str(said.get("name", ""))[:NAME], str(said.get("token", ""))[:64])


def _nothing() -> None:
    """Nothing is asked for here."""
