"""The gallery beside the map: the images selected there, in any order; the nearest of one of them first."""

import numpy as np
import streamlit as st

from ntkcore.analyses.csv_text import csv_of
from ntkcore.analyses.map import views
from ntkcore.analyses.map.result import MapResult
from ntkcore.analyses.materials.thumbnails import thumbnails
from ntkcore.analyses.numbers.filters import orders
from ntkcore.errors import AtlasError
from ntkcore.specs.map import MapSpec, MapView
from pages.map.choice import LINK, inspect, marked, show_all, undo
from pages.shared import basket as baskets
from pages.shared import frame, media, words
from pages.shared.alike import like_line, likes
from pages.shared.choice import Choice
from pages.shared.controls import Controls
from pages.shared.downloads import download
from pages.shared.gallery import Card, Opens, Ticked, gallery
from pages.shared.seek import seeker
from pages.shared.tagging import tagging
from pages.shared.ticks import Ticks

TICKS = Ticks("map_gallery")
_ORDER = Controls("map.order", LINK)
_MOST = 1000  # cards sent at once


def show_gallery(look: views.Look, choice: Choice[MapSpec, MapView]) -> None:
    """Its controls, and the cards."""
    result, view = look.result, choice.view
    try:
        shown = views.shown(look, view)
    except AtlasError as error:
        frame.show_notice(error)
        shown = views.shown(look, view.model_copy(update={"order": "", "filters": ()}))
    what = media.what(result.pack)
    which = f"{len(shown):,} of {len(result.labels):,} {what}"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(which, anchor=False, width="content")
        if view.picked:
            st.button("Show all again", icon=":material/close:", type="tertiary", key="map_all", on_click=show_all)
    sorted_by_likeness = like_line(LINK, result.pack)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not sorted_by_likeness:
            _order(look, view)
        _basket(look, view)
    thumbnails(result.pack, result.spec.dataset, look.ws)  # encoded again here if the stored ones are gone
    gallery(
        _cards(look, view, shown[:_MOST]),
        base=media.thumbnail_base(result.pack),
        key="map_gallery",
        ticked=Ticked(TICKS.began((result.key, choice.revision), view.basket), _ticked),
        revision=choice.revision,
        current=marked(),
        opens=Opens(inspect, "look closely"),
        likes=likes(LINK),
        tags=tagging(result.spec.dataset, result.pack, view.picked),
        undo=undo,
        seek=seeker(result.ids, inspect),
        empty="No image is so here. Widen the filters, or show all again.",
        height=440,
        cell=86,
    )
    if len(shown) > _MOST:
        st.caption(words.spoken(f"The first {_MOST:,} images; all are in the CSV. A lasso on the map shows fewer."))


def _order(look: views.Look, view: MapView) -> None:
    names = {"": "by class"} | orders(look.titles)
    _ORDER.seed((look.result.key, tuple(names)), order=view.order if view.order in names else "")
    _ORDER.control(
        "order",
        st.selectbox,
        "Order",
        options=list(names),
        format_func=names.__getitem__,
        label_visibility="collapsed",
        width=215,
    )


def _basket(look: views.Look, view: MapView) -> None:
    basket = [image for image in view.basket if image < len(look.result.labels)]
    with st.popover(f"Basket: {len(basket):,}", icon=":material/shopping_basket:", key="map_basket"):
        if not basket:
            st.caption(words.spoken(baskets.EMPTY))
            return
        download(
            "CSV",
            lambda: csv_of((found := views.table(look.result, view, look.ws))[found["image"].isin(basket)]),
            "basket.csv",
            "text/csv",
            key="map_basket_csv",
        )
        st.button("Empty the basket", key="map_empty", on_click=lambda: LINK.look(basket=(), elsewhere=True))
        baskets.carrying(LINK)


def _cards(look: views.Look, view: MapView, images: np.ndarray) -> list[Card]:
    """Images with the number that they are sorted or coloured by, or how alike they are to the one asked for."""
    result, names = look.result, look.titles
    chosen = next((name for name in (view.order.removeprefix("-"), view.colour) if name in names), None)
    if view.like is not None and view.like < len(result.labels):
        said = [f"cos {words.fixed(value, 3)}" for value in views.cosines(result, view.like, images)]
    else:
        said = [""] * len(images) if chosen is None else [words.number(float(value)) for value in look.number(chosen)[images]]
    return [_card(result, int(image), below) for image, below in zip(images, said, strict=True)]


def _card(result: MapResult, image: int, below: str) -> Card:
    name, true = (result.class_names[of[image]] for of in (result.labels, result.true_labels))
    title = f"Training {media.noun(result.pack)} {image}, {result.ids[image]}: label {words.labelled(name, true)}."
    return Card(image, name + ("" if name == true else " ⚑"), "", below, "", False, title)


def _ticked() -> None:
    ticked = TICKS.told(LINK.current().revision)
    if ticked is not None:
        LINK.look(basket=ticked)
