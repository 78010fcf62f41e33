"""Answers that take a moment: how much of it is done and how long the rest will take, so that nobody looks at a page that stands still."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from pages.shared import words

_PATIENCE = 0.5  # seconds after which it is shown


@contextmanager
def waiting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show the progress of what is computed meanwhile; it takes ``(done, all)``.

    A reader who goes on to something else stops it: the page's next run begins at the next telling.
    """
    started, place = time.monotonic(), st.empty()

    def tell(done: int, of: int) -> None:
        spent = time.monotonic() - started
        if spent > _PATIENCE and done < of:
            place.progress(done / of, text=f"about {words.duration(spent * (of - done) / done)} to go")

    with st.spinner(f"{words.spoken(what)} …", show_time=False):
        yield tell
    place.empty()
