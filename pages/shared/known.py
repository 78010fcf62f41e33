"""The same image on every page: what is known of it in whatever is stored, and the way to it there."""

from typing import Any

import streamlit as st

from ntkcore.analyses import carry
from ntkcore.analyses.numbers import card
from ntkcore.analyses.numbers.columns import row_of
from ntkcore.analyses.workspace import workspace
from ntkcore.permalink import ADDRESSES
from ntkcore.specs import Spec
from pages import entry
from pages.shared import words
from pages.shared.choice import Link, go_to
from pages.shared.notes import image_notes
from pages.shared.tables import facts_table

_SHOWN = "known.shown"  # whether it is shown: the same in every inspector
_PAGES = ("learnability", "influence", "information", "reliability", "map", "compare")
"""That look at images one by one."""
_RIDGE = 1e-2  # λ where the page has none


def everywhere(link: Link[Any, Any], pack: str, image: int, name: str) -> None:
    """For an inspector: tags and notes; and a switch, and below it every number that is known, and each page that can be opened on it.

    Args:
        link: the page's choice.
        pack: id of the thumbnails.
        image: its place among the images of the choice.
        name: its name in its set.
    """
    image_notes(link.current().spec.dataset, pack, image)
    if not st.toggle(words.spoken("This image on every page"), key=_SHOWN):
        return
    choice, ws = link.current(), workspace()
    ridge = getattr(choice.view, "ridge", _RIDGE)
    with st.spinner("What is stored of it …", show_time=False):
        found = card.sources(choice.spec.dataset, image, name, ws)
        told = [(source, card.facts(source, ridge, ws)) for source in found]
        table = row_of(choice.spec.dataset, name, ws)
    if table:
        st.html(words.spoken('<p class="atlas-quiet"><b>From the table that the set came with</b></p>'))
        facts_table(table)
    for source, rows in told:
        other = "" if source.same else f", image {source.image} there"
        st.html(f'<p class="atlas-quiet"><b>{words.as_html(source.title)}</b>{words.spoken(other)}</p>')
        facts_table(rows)
    if not told and not table:
        st.caption(words.spoken("Nothing that is stored has this image."))
    at = f"Numbers with λ are at λ = {words.number(ridge)} and the end of training."
    st.caption(words.spoken(f"{at} Open it with the same images and network in:"))
    with st.container(horizontal=True, gap="small", key="known_open"):
        for page in _PAGES:
            if page != link.page and st.button(entry(page).title, key=f"known_{page}", icon=f":material/{entry(page).icon}:"):
                go_to(page, *_there(link, page, image))


def _there(link: Link[Any, Any], page: str, image: int) -> tuple[Spec, Spec]:
    """A page's specification about the choice's images and network, and a view of this image."""
    choice, address = link.current(), ADDRESSES[page]
    spec = carry.carried(address.spec(), choice.spec, workspace())
    kept = carry.same_images(spec, choice.spec) and image < spec.dataset.n and "image" in address.view.model_fields
    return spec, address.view(**({"image": image} if kept else {}))
