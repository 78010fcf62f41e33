"""The gallery: thousands of thumbnails in one component, loaded lazily from signed addresses; or cards of text."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from pages.shared import media

_TEXT_CELL = 160  # smallest width in pixels of a card that is read
_TEXT_TALL = 166  # its height, as long as it is not drawn
_HERE = Path(__file__).parent
_gallery = st.components.v2.component("ntk_atlas.gallery", css=(_HERE / "gallery.css").read_text(), js=(_HERE / "gallery.js").read_text())


class Card(NamedTuple):
    """One image in the gallery; texts are shown as they are, never as markup."""

    id: int
    name: str
    corner: str
    left: str
    right: str
    wrong: bool
    title: str


def gallery(
    cards: Sequence[Card],
    *,
    base: str,
    key: str,
    ticked: Sequence[int] = (),
    revision: int,
    current: int | None = None,
    on_tick: Callable[[], None] | None = None,
    on_open: Callable[[], None] | None = None,
    opens: str = "open",
    ticks: str = "put in the basket",
    empty: str,
    height: int = 0,
    cell: int = 104,
) -> None:
    """Show the cards. Where the thumbnails are drawings of texts, the texts themselves stand on the cards.

    Args:
        cards: the images, in order.
        base: address of the thumbnails; ``<base><id>.png`` is fetched for each.
        key: the component's key; its state has ``ticked`` ({revision, ids}) and the trigger ``opened`` ({id, t}).
        ticked: images ticked when ``revision`` was last raised. Both stay the same while the user ticks, so that a tick
            does not send the whole gallery again.
        revision: raised when the ticks change other than by a click in the gallery.
        current: the image to mark and to put the keyboard's focus on, or None.
        on_tick: called when a tick changes; None: there are no ticks.
        on_open: called when an image is opened; None: a click ticks it.
        opens, ticks: what opening and what ticking does, a few words.
        empty: what to say when there is no card.
        height: height in pixels after which the gallery scrolls; 0 = as high as it needs.
        cell: smallest width of a card in pixels.
    """
    texts = media.excerpts(base)
    data: dict[str, Any] = {
        "items": [[*card, texts[card.id]] if texts else list(card) for card in cards],
        "base": base,
        "ticked": list(ticked),
        "revision": revision,
        "current": current,
        "empty": empty,
        "height": height,
        "cell": max(cell, _TEXT_CELL) if texts else cell,
        "tall": _TEXT_TALL if texts else cell + 50,
        "ticks": ticks if on_tick else "",
        "open": on_open is not None,
        "keys": [
            ("arrows", "move"),
            *([("Enter", opens)] if on_open else []),
            *([("Space", ticks)] if on_tick else []),
        ],
    }
    _gallery(
        key=key,
        data=data | {"turn": _turn(key, data)},
        default={"ticked": {"revision": revision, "ids": list(ticked)}},
        on_ticked_change=on_tick or _nothing,
        on_opened_change=on_open or _nothing,
    )


def _turn(key: str, data: dict[str, Any]) -> int:
    """When the data became what they are, in microseconds: the browser tells newer data from older by it, also after a restart."""
    digest = hashlib.blake2b(json.dumps(data).encode()).hexdigest()
    sent = st.session_state.get(f"{key}.sent")
    if sent is None or sent[0] != digest:
        sent = st.session_state[f"{key}.sent"] = (digest, time.time_ns() // 1000)
    turn: int = sent[1]
    return turn


def _nothing() -> None:
    """Of what a gallery does not have, nothing is said."""
