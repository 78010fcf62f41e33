"""The gallery: thousands of thumbnails in one component, loaded lazily from signed addresses; or cards of text."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from pages.shared import media, tagging, words
from pages.shared.tagging import Tagging

_TEXT_CELL = 160  # smallest width in pixels of a card that is read
_TEXT_TALL = 166  # its height, as long as it is not drawn
_HERE = Path(__file__).parent
SCRIPT = (_HERE / "tools.js").read_text() + (_HERE / "gallery.js").read_text()
"""The component's module: its tools, then its cards."""
_gallery = st.components.v2.component("ntk_atlas.gallery", css=(_HERE / "gallery.css").read_text(), js=SCRIPT)
_TOOLED = 12  # cards from which on a gallery has tools


class Card(NamedTuple):
    """One image in the gallery; texts are shown as they are, never as markup."""

    id: int
    name: str
    corner: str
    left: str
    right: str
    wrong: bool
    title: str


class Ticked(NamedTuple):
    """That images can be ticked.

    Attributes:
        ids: images ticked when the gallery's ``revision`` was last raised. Both stay the same while the user ticks, so that a tick does not
            send the whole gallery again.
        changed: called when a tick changes.
        does: what ticking does, a few words.
    """

    ids: Sequence[int]
    changed: Callable[[], None]
    does: str = "put in the basket"


class Opens(NamedTuple):
    """That images can be opened: ``open`` is called with the image's number; ``does`` says in a few words what that does."""

    open: Callable[[int], None]
    does: str = "open"


class Likes(NamedTuple):
    """That a gallery can be sorted by likeness to one of its images: ``more`` is called with the image's number."""

    more: Callable[[int], None]
    does: str = "more like this"


def gallery(
    cards: Sequence[Card],
    *,
    base: str,
    key: str,
    revision: int,
    empty: str,
    ticked: Ticked | None = None,
    opens: Opens | None = None,
    likes: Likes | None = None,
    tags: Tagging | None = None,
    undo: Callable[[], None] | None = None,
    seek: Callable[[str], None] | None = None,
    current: int | None = None,
    tools: bool = True,
    hint: bool = True,
    height: int = 0,
    cell: int = 104,
) -> None:
    """Show the cards. Where the thumbnails are drawings of texts, the texts themselves stand on the cards.

    Args:
        cards: the images, in order.
        base: address of the thumbnails; ``<base><id>`` is fetched for each.
        key: the component's key; its state has ``ticked`` ({revision, ids}) and the trigger ``opened`` ({id, t}).
        revision: raised when the ticks change other than by a click in the gallery.
        empty: what to say when there is no card.
        ticked: None: there are no ticks.
        opens: None: a click ticks the image.
        likes: None: nothing is known of likeness here.
        tags: None: these images are not tagged from here (see :func:`~pages.shared.tagging.tagging`).
        undo: takes back the last selection or filter; None where none is ever remembered, as what is sent must not change with a tick.
        seek: called with a number or a name that no card has (see :func:`~pages.shared.seek.seeker`); None: the cards are all images.
        tools: whether there are its own keys and a search, where there are many cards; not where the page has such keys.
        hint: whether its few usual keys are told below it; not where many galleries stand below each other.
        current: the image to mark and to put the keyboard's focus on, or None.
        height: height in pixels after which the gallery scrolls; 0 = as high as it needs.
        cell: smallest width of a card in pixels.
    """
    texts = media.excerpts(base)
    ids = list(ticked.ids) if ticked else []
    data: dict[str, Any] = {
        "items": [[*card, texts[card.id]] if texts else list(card) for card in cards],
        "base": base,
        "ticked": ids,
        "revision": revision,
        "current": current,
        "empty": words.spoken(empty),
        "height": height,
        "cell": max(cell, _TEXT_CELL) if texts else cell,
        "tall": _TEXT_TALL if texts else cell + 50,
        "ticks": ticked.does if ticked else "",
        "open": opens is not None,
        "smooth": media.are_photographs(base),
        "like": likes.does if likes else "",
        "tag": tags is not None,
        "undo": undo is not None,
        "seek": seek is not None,
        "tools": tools and (len(cards) >= _TOOLED or (seek is not None and len(cards) > 0)),
        "keys": _keys(ticked, opens) if hint else [],
        "more": [*_keys(ticked, opens), *_more_keys(ticked, likes, tags, undo is not None)],
    }
    _gallery(
        key=key,
        data=data | {"turn": _turn(key, data)},
        default={"ticked": {"revision": revision, "ids": ids}},
        on_ticked_change=ticked.changed if ticked else _nothing,
        on_opened_change=(lambda: _told(key, "opened", opens.open)) if opens else _nothing,
        on_liked_change=(lambda: _told(key, "liked", likes.more)) if likes else _nothing,
        on_undone_change=undo or _nothing,
        on_sought_change=(lambda: _sought(key, seek)) if seek else _nothing,
        on_tagged_change=(lambda: tagging.asked(key, revision)) if tags else _nothing,
    )
    if tags is not None:
        tagging.show(key, revision, tags)


def _keys(ticked: Ticked | None, opens: Opens | None) -> list[tuple[str, str]]:
    """The keys that are always shown."""
    return [
        ("arrows", "move"),
        *([("Enter", opens.does)] if opens else []),
        *([("Space", ticked.does)] if ticked else []),
    ]


def _more_keys(ticked: Ticked | None, likes: Likes | None, tags: Tagging | None, undo: bool) -> list[tuple[str, str]]:
    """The others, which "?" shows."""
    of_ticks = [("Shift + click", "tick from the last one to here"), ("A", "tick all shown"), ("I", "invert the ticks")]
    return [
        *(of_ticks if ticked else []),
        *([("M", likes.does)] if likes else []),
        *([("T", "tag those ticked, or this one")] if tags else []),
        *([("U", "undo the last selection or filter")] if undo else []),
        ("/", "go to a number or file name"),
        ("+ −", "size of the thumbnails"),
        ("Home End", "first and last"),
        ("?", "show or hide the keys"),
    ]


def _told(key: str, trigger: str, does: Callable[[int], None]) -> None:
    if said := st.session_state[key].get(trigger):
        does(said["id"])


def _sought(key: str, seek: Callable[[str], None]) -> None:
    if said := st.session_state[key].get("sought"):
        seek(said["text"])


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
