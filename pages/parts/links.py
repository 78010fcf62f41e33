"""The address and the session: what was chosen is in the address, so that copying it is sharing it.

``st.session_state.choice`` holds the specification and the view of this session. The address is read when it differs
from what this session wrote there last (a link that was opened, an edited address, the browser's back button), and
written whenever the choice changes.
"""

import time
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from ntkcore.errors import SpecError
from ntkcore.permalink import LIST_FIELDS, Query, learnability_query, read_learnability_query
from ntkcore.specs import LearnabilitySpec, LearnabilityView

_CHOICE = "learnability.choice"
_WRITTEN = "learnability.written"
_STALE = 3.0  # seconds in which an older address of ours is taken for a late answer, not for the back button
_REMEMBERED = 20


@dataclass(frozen=True)
class Choice:
    """What this session chose. ``revision`` counts the times it came from elsewhere than a widget of the page."""

    spec: LearnabilitySpec
    view: LearnabilityView
    revision: int


def opened() -> Choice:
    """The session's choice, taken from the address when that says something else.

    Raises:
        SpecError: the address asks for something that does not exist.
    """
    query = _address()
    held: Choice | None = st.session_state.get(_CHOICE)
    if held is not None and (not query or _is_ours(query)):
        _write(held)
        return held
    spec, view = read_learnability_query(query)
    choice = Choice(spec, view, (held.revision if held else 0) + 1)
    st.session_state[_CHOICE] = choice
    _write(choice)
    return choice


def choose(spec: LearnabilitySpec) -> Choice:
    """Another specification; a view of other images says nothing about these, so it starts anew."""
    held: Choice = st.session_state[_CHOICE]
    if spec == held.spec:
        return held
    view = held.view if spec.dataset == held.spec.dataset else LearnabilityView(hard=held.view.hard, easy=held.view.easy)
    choice = Choice(spec, view, held.revision + (view != held.view))
    st.session_state[_CHOICE] = choice
    _write(choice)
    return choice


def look(*, elsewhere: bool = False, **changes: Any) -> Choice:
    """Change the view.

    Args:
        elsewhere: the change did not come from the widget that shows it, which must be set anew.
        changes: fields of the view.
    """
    held: Choice = st.session_state[_CHOICE]
    view = LearnabilityView.model_validate(held.view.model_dump() | changes)
    choice = replace(held, view=view, revision=held.revision + elsewhere)
    st.session_state[_CHOICE] = choice
    _write(choice)
    return choice


def current() -> Choice:
    """The session's choice as it is now."""
    return st.session_state[_CHOICE]


def forget() -> None:
    """Drop the choice and the address: the page starts from the defaults."""
    st.session_state.pop(_CHOICE, None)
    st.session_state.pop(_WRITTEN, None)
    st.query_params.clear()


def point_to(spec: LearnabilitySpec) -> Query:
    """The query of a page that opens ``spec``; replaces what this session had open."""
    st.session_state.pop(_CHOICE, None)
    st.session_state.pop(_WRITTEN, None)
    return learnability_query(spec)


def _address() -> Query:
    query: Query = {}
    for name in st.query_params:
        values = st.query_params.get_all(name)
        query[name] = values[0] if len(values) == 1 and name not in LIST_FIELDS else values
    return query


def _is_ours(query: Query) -> bool:
    """Whether an address is the one this session wrote last, or one it wrote a moment ago.

    A browser answers with the address it knows; after quick changes that is one or two behind, and no wish of anyone's.
    """
    written = st.session_state.get(_WRITTEN, [])
    now = time.monotonic()
    return any(query == said and (now - moment < _STALE or said == written[-1][1]) for moment, said in written)


def _write(choice: Choice) -> None:
    query = learnability_query(choice.spec, choice.view)
    written = [entry for entry in st.session_state.get(_WRITTEN, []) if entry[1] != query]
    st.session_state[_WRITTEN] = [*written[-_REMEMBERED:], (time.monotonic(), query)]
    if query != _address():
        st.query_params.from_dict(query)


__all__ = ["Choice", "SpecError", "choose", "current", "forget", "look", "opened", "point_to"]
