"""The galleries of a comparison: the images that moved up most in B, and those that moved down most."""

import streamlit as st

from ntkcore.analyses.compare.look import Look
from ntkcore.analyses.materials.thumbnails import thumbnails
from pages.compare.choice import inspect, show_all, undo
from pages.shared import media, words
from pages.shared.gallery import Card, Opens, gallery
from pages.shared.tagging import tagging

_HEIGHT = 250
_WAYS = {"up": "Moved up most", "down": "Moved down most"}


def show_galleries(look: Look, revision: int) -> None:
    """Both, one above the other, and the basket."""
    thumbnails(look.one.pack, look.result.spec.dataset, look.ws)  # encoded again here if the stored ones are gone
    for way, title in _WAYS.items():
        images = look.movers(way == "up")
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(title, anchor=False, width="content")
            if way == "up":
                _selected(look)
        gallery(
            [_card(look, int(image)) for image in images],
            base=media.thumbnail_base(look.one.pack),
            key=f"compare_{way}",
            revision=revision,
            opens=Opens(inspect, "look closely"),
            tags=tagging(look.result.spec.dataset, look.one.pack, look.view.picked),
            undo=undo,
            tools=way == "up",
            empty=f"No image of those shown moved {way}.",
            height=_HEIGHT,
            cell=86,
        )
    st.html('<p class="atlas-quiet">Below each: its rank in A → in B, 1 the largest.</p>')


def _selected(look: Look) -> None:
    view = look.view
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        if view.picked:
            st.button(
                words.spoken(f"Of the {len(view.picked):,} selected; all images again"),
                icon=":material/close:",
                type="tertiary",
                key="compare_all",
                on_click=show_all,
            )


def _card(look: Look, image: int) -> Card:
    one = look.one
    name, true = (one.class_names[of[image]] for of in (one.labels, one.true_labels))
    before, after = (words.number(float(ranks[image]), 6) for ranks in look.ranks)
    which = f"Training {media.noun(one.pack)} {image}, {one.ids[image]}"
    title = f"{which}: label {words.labelled(name, true)}; rank {before} in A, {after} in B."
    return Card(image, name + ("" if name == true else " ⚑"), "", f"{before} → {after}", "", False, title)
