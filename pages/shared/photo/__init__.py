"""A photograph to be looked into: the original with zoom, and beside it the square that the network sees."""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_photo = st.components.v2.component("ntk_atlas.photo", css=(_HERE / "photo.css").read_text(), js=(_HERE / "photo.js").read_text())


def photo(original: str, seen: str, name: str, side: str, key: str) -> None:
    """Show it.

    Args:
        original, seen: addresses of the two pictures.
        name: what it is, for those who do not see it.
        side: the size that the network sees it at, in words.
        key: the component's key.
    """
    _photo(key=key, data={"original": original, "seen": seen, "name": name, "side": side})
