"""The galleries of a comparison: the images that moved up most in B and those that moved down most, or those most alike to one of them."""

import streamlit as st

from ntkcore.analyses.compare.look import Look
from ntkcore.analyses.materials.thumbnails import thumbnails
from pages.compare.choice import LINK, inspect, show_all, undo
from pages.shared import media, words
from pages.shared.alike import like_line, likes
from pages.shared.gallery import Card, Opens, Ticked, gallery
from pages.shared.seek import seeker
from pages.shared.tagging import tagging
from pages.shared.ticks import Ticks

_HEIGHT = 250
_WAYS = {"up": "Moved up most", "down": "Moved down most"}
TICKS = {way: Ticks(f"compare_{way}") for way in _WAYS}


def show_galleries(look: Look, revision: int) -> None:
    """Both, one above the other: what moved most, or what is most alike to one image in A and in B."""
    thumbnails(look.one.pack, look.result.spec.dataset, look.ws)  # encoded again here if the stored ones are gone
    like = look.view.like if look.view.like is not None and look.view.like < len(look.one.labels) else None
    for side, (way, title) in enumerate(_WAYS.items()):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(title if like is None else f"Most alike in {'AB'[side]}", anchor=False, width="content")
            if way == "up":
                _selected(look)
        if way == "up" and like is not None:
            like_line(LINK, look.one.pack)
        gallery(
            _movers(look, way == "up") if like is None else _nearest(look, side, like),
            base=media.thumbnail_base(look.one.pack),
            key=f"compare_{way}",
            revision=revision,
            ticked=Ticked(TICKS[way].began(revision, look.view.basket), _ticked),
            opens=Opens(inspect, "look closely"),
            likes=likes(LINK),
            tags=tagging(look.result.spec.dataset, look.one.pack, look.view.picked),
            undo=undo,
            seek=seeker(look.one.ids, inspect) if way == "up" else None,
            tools=way == "up",
            empty=f"No image of those shown moved {way}.",
            height=_HEIGHT,
            cell=86,
        )
    below = "its rank in A → in B, 1 the largest" if like is None else "the kernel’s cosine with that image"
    st.html(f'<p class="atlas-quiet">Below each: {below}.</p>')


def _ticked() -> None:
    """What either gallery changed since both were drawn."""
    held = LINK.current()
    begun = {way: set(ticks.began(held.revision, held.view.basket)) for way, ticks in TICKS.items()}
    said = {way: ticks.told(held.revision) for way, ticks in TICKS.items()}
    basket = set(begun["up"])
    for way, ids in said.items():
        if ids is not None:
            basket ^= begun[way] ^ set(ids)
    LINK.look(basket=tuple(sorted(basket)), elsewhere=held.view.like is not None)  # an image may be alike in both


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


def _movers(look: Look, up: bool) -> list[Card]:
    before, after = look.ranks
    said = [(int(i), *(words.number(float(ranks[i]), 6) for ranks in (before, after))) for i in look.movers(up)]
    return [_card(look, image, f"{one} → {two}", f"rank {one} in A, {two} in B") for image, one, two in said]


def _nearest(look: Look, side: int, like: int) -> list[Card]:
    found = zip(*look.nearest(side, like), strict=True)
    said = [(int(image), f"cos {words.fixed(float(cosine), 3)}") for image, cosine in found]
    return [_card(look, image, number, f"{number} with image {like} in {'AB'[side]}") for image, number in said]


def _card(look: Look, image: int, below: str, said: str) -> Card:
    one = look.one
    name, true = (one.class_names[of[image]] for of in (one.labels, one.true_labels))
    which = f"Training {media.noun(one.pack)} {image}, {one.ids[image]}"
    title = f"{which}: label {words.labelled(name, true)}; {said}."
    return Card(image, name + ("" if name == true else " ⚑"), "", below, "", False, title)
