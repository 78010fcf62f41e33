"""The list of saved analyses: search, narrow, sort; a card each, and the trash."""

import html
from functools import partial

import streamlit as st

from ntkcore.analyses.sharing import saving
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library import Saved, Version
from ntkcore.library.people import may_change
from ntkcore.library.saved import KEPT_DAYS
from ntkcore.library.shelf import Card, Order, Scope, Shelf, Wanted, last_visit, shelf
from pages import PAGES
from pages.shared import frame, media, person, words
from pages.shared.choice import open_saved
from pages.shared.saved.dialogs import VISIBILITIES, addresses

_SINCE = "library.since"  # one's last visit before this session
_ABREAST, _SHOWN = 3, 24  # cards in a row, and on a page
_SCOPES: dict[Scope | str, str] = {"all": "Everybody’s", "mine": "Mine", "new": "New", "trash": "Trash"}
_ORDERS: dict[Order, str] = {"newest": "Newest first", "oldest": "Oldest first", "title": "By title", "author": "By author"}
_RESULTS = {page.name: page.title for page in PAGES if page.result}


@st.fragment(key="shelf")
@frame.telling
def show() -> None:
    """The controls, then the cards."""
    person.person()
    if _SINCE not in st.session_state:
        saving.tidy(workspace())
        st.session_state[_SINCE] = last_visit(workspace().library, person.visitor())
    if (failed := st.session_state.pop("library.failed", None)) is not None:
        frame.show_error(failed)
    wanted, scope = _wanted()
    page = st.session_state.get("library.page", 1)
    found = shelf(workspace().library, person.who(), wanted, first=_SHOWN * (page - 1), count=_SHOWN)
    if not found.cards and found.count:  # the last page became shorter
        st.session_state["library.page"] = page = 1
        found = shelf(workspace().library, person.who(), wanted, count=_SHOWN)
    _summary(found, wanted, scope)
    for first in range(0, len(found.cards), _ABREAST):
        for column, card in zip(st.columns(_ABREAST, gap="medium"), found.cards[first : first + _ABREAST], strict=False):
            with column:
                _card(card)
    if (pages := -(-found.count // _SHOWN)) > 1:
        st.pagination(pages, key="library.page")


def _wanted() -> tuple[Wanted, str]:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="library_controls"):
        search = st.text_input(
            "Search", key="library.search", placeholder="title, note, tag, data set, author", width=235, label_visibility="collapsed"
        )
        scope: str = st.segmented_control(
            "Whose",
            list(_SCOPES),
            default="all",
            format_func=_SCOPES.__getitem__,
            required=True,
            key="library.scope",
            label_visibility="collapsed",
        )
        pages = st.multiselect(
            "Pages",
            list(_RESULTS),
            format_func=_RESULTS.__getitem__,
            key="library.pages",
            placeholder="every page",
            width=200,
            label_visibility="collapsed",
        )
        order: Order = st.selectbox(
            "Order", list(_ORDERS), format_func=_ORDERS.__getitem__, key="library.order", width=150, label_visibility="collapsed"
        )
    narrowed: Scope = "mine" if scope == "mine" else "trash" if scope == "trash" else "all"
    since = st.session_state[_SINCE]
    return Wanted(search, narrowed, tuple(pages), order, since, new=scope == "new"), scope


def _summary(found: Shelf, wanted: Wanted, scope: str) -> None:
    if not found.count:
        st.info(_nothing(wanted, scope), icon=":material/bookmarks:")
        return
    many = f"{found.count:,} saved " + ("analysis" if found.count == 1 else "analyses")
    new = f" · {found.new:,} new since your last visit" if found.new and scope != "new" else ""
    trash = f" · each is removed {KEPT_DAYS} days after it was thrown away" if scope == "trash" else ""
    mine = f" · their results take {words.size(Saved(workspace().library).bytes_of(person.who().id))}" if scope == "mine" else ""
    st.html(f'<p class="atlas-quiet">{many}{new}{trash}{mine}</p>')


def _nothing(wanted: Wanted, scope: str) -> str:
    """Why there are no cards, and what to do."""
    if wanted.search or wanted.pages:
        return "Nothing saved has all of this. Search for fewer words, or on every page."
    if scope == "trash":
        return "The trash is empty."
    if scope == "new":
        return "Nobody else saved anything or wrote a note since your last visit." if wanted.since else "This is your first visit."
    return "Nothing is saved yet. Open an analysis, and press “Save” under its title: it stays here with its results, by a name."


def _card(card: Card) -> None:
    version, content = card.version, card.version.content
    new = '<span class="atlas-new" title="new since your last visit">●</span> ' if card.new else ""
    notes = f" · {card.notes} note{'s' if card.notes > 1 else ''}" if card.notes else ""
    number = f" · version {version.number}" if version.number > 1 else ""
    told = f'<p class="atlas-told">{html.escape(content.description)}</p>' if content.description else ""
    with st.container(border=True, key=f"saved_{version.analysis}", height="stretch"):
        st.html(
            f'<div class="atlas-strip">{_strip(version)}</div>'
            f'<h3 class="atlas-title">{new}{html.escape(content.title)}</h3>'
            f'<p class="atlas-said">{html.escape(content.answer)}</p>{told}'
            f'<p class="atlas-quiet">{_RESULTS.get(content.page, content.page)} · {html.escape(version.author)}'
            f" · {words.when(version.made)}"
            f"{number}{notes} · {VISIBILITIES[version.visibility].lower()}</p>"
        )
        with st.container(horizontal=True, gap="small"):
            code, mine = version.analysis, may_change(person.who(), version.owner)
            if st.button("Open", key=f"saved_open_{code}", icon=":material/arrow_forward:"):
                open_saved(version)
            if version.trashed is not None:
                st.button("Restore", key=f"saved_restore_{code}", disabled=not mine, on_click=partial(_change, "restore", code))
                return
            if st.button("Link", key=f"saved_link_{code}", type="tertiary"):
                _link(version)
            st.button(
                "",
                key=f"saved_trash_{code}",
                type="tertiary",
                icon=":material/delete:",
                help=f"Move to the trash, from where it can be restored for {KEPT_DAYS} days.",
                disabled=not mine,
                on_click=partial(_change, "throw_away", code),
            )


@st.dialog("Short addresses", icon=":material/link:")
def _link(version: Version) -> None:
    addresses(version)


def _change(deed: str, code: str) -> None:
    """Throw it away, or restore it; what cannot be done is said by the list, which is drawn anew."""
    try:
        getattr(Saved(workspace().library), deed)(code, person.who())
    except AtlasError as error:
        st.session_state["library.failed"] = error


def _strip(version: Version) -> str:
    """The images that it was saved with; none, where their thumbnails are gone."""
    pack, images = version.content.pack, version.content.images
    try:
        return "".join(media.picture(pack, image, "") for image in images)
    except (AtlasError, IndexError):
        return ""
