"""Widgets whose values belong to a choice: named together, and made anew when the choice came from elsewhere.

A browser keeps the value of a widget that it does not show at the moment (in a popover that is closed), sends it with its next
message, and hears nothing of a value set meanwhile. So a choice from elsewhere (a link, the back button, a click in a chart)
does not set the widgets' values: it gets widgets of its own, by other keys, which begin with the choice's values.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st


class Fields:
    """The widgets of one part of a page in the session.

    Args:
        part: what their keys begin with; keeps parts and pages apart.
    """

    def __init__(self, part: str) -> None:
        self._part = part

    def seed(self, revision: object, values: Mapping[str, Any]) -> None:
        """Let the widgets begin with these values, when they are another revision's or new; what a user has set stays otherwise."""
        said = f"{self._part}.revision"
        if st.session_state.get(said) != revision:
            self._renew()
        st.session_state[said] = revision
        st.session_state[f"{self._part}.names"] = tuple(values)
        for name, value in values.items():
            if self._key(name) not in st.session_state:
                st.session_state[self._key(name)] = value

    def change(self, **values: Any) -> None:
        """Give some widgets other values, because of what was set in another one."""
        names = st.session_state[f"{self._part}.names"]
        held = {name: self[name] for name in names if self._key(name) in st.session_state}
        self._renew()
        for name, value in (held | values).items():
            st.session_state[self._key(name)] = value

    def __getitem__(self, name: str) -> Any:
        return st.session_state[self._key(name)]

    def has(self, name: str) -> bool:
        """Whether there is such a widget."""
        return name in st.session_state.get(f"{self._part}.names", ())

    def value(self, name: str) -> dict[str, Any]:
        """Key and value to give an input, a slider, a toggle. The value is told as the default, too: see above."""
        return {"key": self._key(name), "value": self[name]}

    def default(self, name: str) -> dict[str, Any]:
        """Key and default to give a choice of several, or a segmented control."""
        return {"key": self._key(name), "default": self[name]}

    def index(self, name: str, options: Sequence[Any]) -> dict[str, Any]:
        """Key and index to give a choice of one."""
        return {"key": self._key(name), "index": options.index(self[name])}

    def then(self, name: str, follow: Callable[[], None]) -> dict[str, Any]:
        """What to give a widget another value of which changes others, too.

        A busy browser may tell of a widget that was made anew only what it was given; Streamlit takes that for a change, and what a link
        had said of the other widgets would be lost.
        """
        given = self[name]

        def changed() -> None:
            nonlocal given
            if self[name] != given:
                given = self[name]
                follow()

        return {"on_change": changed, "args": ()}

    def _renew(self) -> None:
        """Other widgets from here on."""
        st.session_state[f"{self._part}.count"] = st.session_state.get(f"{self._part}.count", 0) + 1

    def _key(self, name: str) -> str:
        return f"{self._part}.{st.session_state.get(f'{self._part}.count', 0)}.{name}"
