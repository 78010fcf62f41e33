"""More like this: the gallery sorted by the kernel's cosine with one of its images, on every page whose view has ``like``."""

from typing import Any

import streamlit as st

from pages.shared import media, words
from pages.shared.choice import Link
from pages.shared.gallery import Likes


def likes(link: Link[Any, Any]) -> Likes:
    """For a gallery: its cards and the key M ask for it."""
    return Likes(lambda image: more_like(link, image))


def more_like(link: Link[Any, Any], image: int | None) -> None:
    """Those most alike to an image come first, whatever was selected; None: the order of before."""
    begun = {"picked": (), "page": 1} if image is not None else {}
    fields = link.address.view.model_fields
    link.look(like=image, image=None, elsewhere=True, **{name: value for name, value in begun.items() if name in fields})


def like_button(link: Link[Any, Any], image: int) -> None:
    """For an inspector, which it closes."""
    st.button("More like this", icon=":material/grid_view:", key="inspector_like", on_click=more_like, args=(link, image))


def like_line(link: Link[Any, Any], pack: str) -> bool:
    """Says above a gallery that it is sorted so, and takes that back; whether it is."""
    image = link.current().view.like
    if image is None:
        return False
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"{link.page}_alike"):
        st.html(f'<p class="atlas-quiet">{words.spoken("Images")} most like {media.noun(pack)} {image} first, by the kernel’s cosine</p>')
        back, key = ":material/close:", f"{link.page}_unlike"
        st.button("Sort as before", icon=back, type="tertiary", key=key, on_click=more_like, args=(link, None))
    return True
