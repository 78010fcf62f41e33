"""Going to an image by its number or its file name, also where a gallery shows only some of them."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.shared import words

_SAID = 60  # characters of what was looked for


def place_of(text: str, ids: Sequence[str]) -> int | None:
    """The image of this number, or the first in whose name the text is; None: there is none."""
    wanted = text.strip().casefold()
    if wanted.isdecimal() and int(wanted) < len(ids):
        return int(wanted)
    return next((place for place, name in enumerate(ids) if wanted and wanted in name.casefold()), None)


def seeker(ids: Sequence[str], found: Callable[[int], None]) -> Callable[[str], None]:
    """For a gallery: what is done with a number or a file name that none of its cards has.

    Args:
        ids: names of all images.
        found: called with the image's number; where there is none, that is said.
    """

    def sought(text: str) -> None:
        place = place_of(text, ids)
        if place is None:
            st.toast(words.plain(f"No image has the number or the name {text[:_SAID]!r} here."), icon=":material/search_off:")
        else:
            found(place)

    return sought
