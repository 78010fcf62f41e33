"""What a basket is, where it is shown: kept on the server, and carried by a link that somebody asks for."""

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from pages import entry
from pages.shared import frame, words
from pages.shared.choice import Link

EMPTY = "Empty. Tick images in the gallery (or press space on one). The basket is kept on the server: it is the same on every page."
"""Said of an empty one."""


def carrying(link: Link[Any, Any]) -> None:
    """A link that carries what is ticked, to whom it is sent."""
    choice = link.current()
    query = urlencode(link.address.write(choice.spec, choice.view), doseq=True)
    st.caption(words.spoken("It is the same on every page that has these images. A link that carries it:"))
    st.code(f"{frame.server()}/{entry(link.page).path}?{query}", language=None)
