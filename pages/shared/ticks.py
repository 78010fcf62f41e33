"""Ticks of a gallery whose ticked images are part of the address."""

import streamlit as st


class Ticks:
    """The ticks of one gallery in the session.

    Args:
        key: the gallery's.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._held = f"{key}.ticks"

    def forget(self) -> None:
        """For a full run of the page, which may mount the gallery anew: it then needs the ticks as they are."""
        st.session_state.pop(self._held, None)

    def began(self, revision: object, ticked: tuple[int, ...]) -> tuple[int, ...]:
        """The ticks as they were when the revision began: ticking must not change what the gallery is sent."""
        held = st.session_state.get(self._held)
        if held is None or held[0] != revision:
            held = st.session_state[self._held] = (revision, ticked)
        ticks: tuple[int, ...] = held[1]
        return ticks

    def told(self, revision: int) -> tuple[int, ...] | None:
        """What the gallery says, in its callback; None where it speaks of another revision."""
        said = st.session_state[self._key].get("ticked")
        return tuple(said["ids"]) if said and said["revision"] == revision else None
