"""Parts of an inspector, whatever it inspects: the image enlarged, the way to its neighbours in a gallery, a table of facts."""

import html
from collections.abc import Callable

import numpy as np
import streamlit as st

from ntkcore.data import sizing_of
from ntkcore.specs import DatasetSpec
from pages.shared import media
from pages.shared.photo import photo


def enlarged(pack: str, image: int, name: str, dataset: DatasetSpec | None = None) -> None:
    """One image, large; a photograph with zoom, and what the network sees of it; a text whole, to be read and scrolled.

    Args:
        pack: id of the thumbnails.
        image: its place in them.
        name: what it is.
        dataset: what the images were chosen by, which says how large the network sees them.
    """
    if (text := media.text(pack, image)) is not None:
        st.html(f'<div class="atlas-reader" tabindex="0" role="document" aria-label="{html.escape(name)}">{html.escape(text)}</div>')
        return
    if (original := media.original_address(pack, image)) is not None:
        sizing = None if dataset is None else sizing_of(dataset)
        side = "a small copy, as imported" if sizing is None else f"{sizing.size} × {sizing.size} pixels"
        photo(original, media.seen_address(pack, image, sizing), f"{name}, image {image}", side, key=f"photo_{pack[:12]}")
        return
    source = f"{media.thumbnail_base(pack)}{image}"
    st.html(f'<img class="atlas-viewer" src="{source}" alt="{html.escape(name)}, image {image}">')


def steps(order: np.ndarray, image: int, go: Callable[[int], None]) -> None:
    """Buttons, also by the arrow keys, to the images before and after in ``order``; ``go`` takes one of them."""
    at = np.flatnonzero(order == image)
    here = int(at[0]) if len(at) else None
    before = int(order[here - 1]) if here else None
    after = int(order[here + 1]) if here is not None and here + 1 < len(order) else None
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button("Previous", key="inspector_previous", shortcut="Left", disabled=before is None, on_click=go, args=(before,))
        st.button("Next", key="inspector_next", shortcut="Right", disabled=after is None, on_click=go, args=(after,))
    where = f"{here + 1:,} of {len(order):,} in the gallery" if here is not None else "not among those the gallery shows"
    st.html(f'<div class="atlas-quiet">{where}</div>')


def basket_button(basket: tuple[int, ...], image: int, change: Callable[[tuple[int, ...]], object]) -> None:
    """Puts the image in the basket or takes it out; ``change`` takes the basket that is to be."""
    inside = image in basket
    changed = tuple(i for i in basket if i != image) if inside else tuple(sorted({*basket, image}))
    words = "Take out of the basket" if inside else "Put in the basket"
    st.button(words, key="inspector_tick", on_click=change, args=(changed,))
