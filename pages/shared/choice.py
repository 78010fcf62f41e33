"""The address and the session: what was chosen is in the address, so that copying it is sharing it.

Each page has one :class:`Link`. It keeps the specification and the view of this session. The address is read when it
differs from what this session wrote there last (a link that was opened, an edited address, the browser's back button),
and written whenever the choice changes. Of a saved analysis, the address names that, and says only what differs from it.
The basket is the person's, on the server, one for a draw: an address that carries one fills it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ntkcore.analyses import carry, defaults
from ntkcore.analyses.sharing import saving
from ntkcore.analyses.sharing.saving import Opened
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import LibraryError, SpecError
from ntkcore.library import Version
from ntkcore.library.baskets import Baskets
from ntkcore.library.codes import SAVED_AS
from ntkcore.permalink import ADDRESSES, LIST_FIELDS, Address, Query
from ntkcore.settings import settings
from ntkcore.specs import Spec
from pages import entry
from pages.shared import person

S = TypeVar("S", bound=Spec)
V = TypeVar("V", bound=Spec)

_REMEMBERED = 20
_OURS = "links.ours"
_CAME = "links.came"  # what this session looked at last, on whichever page
BASKET = "basket"
"""The field of views, and its name in addresses, of what is ticked. The server keeps that: addresses carry it no more, but fill it."""
SELECTING = ("basket", "picked", "only", "filters", "among", "like", "judged", "low", "high", "tests", "light", "cell", "mean", "group")
"""Fields of views that select images: their changes can be undone."""
_UNDOABLE = 100  # changes


class _Came(NamedTuple):
    """A page's choice, as another page takes it over."""

    page: str
    spec: Spec


@dataclass(frozen=True)
class Choice(Generic[S, V]):
    """What this session chose. ``revision`` counts the times it came from elsewhere than a widget of the page."""

    spec: S
    view: V
    revision: int


class Link(Generic[S, V]):
    """One page's choice.

    Args:
        name: the page; keeps its choice apart from other pages'.
        address: how the choice is written.
        carry: what of a choice's view still holds for another specification.
    """

    def __init__(self, name: str, address: Address[S, V], carry: Callable[[Choice[S, V], S], V]) -> None:
        self.address = address
        self._carry = carry
        self.page = name
        self._choice = f"{name}.choice"
        self._before = f"{name}.before"
        self._said = f"{name}.written"
        self._saved = f"{name}.saved"
        self._unkept = f"{name}.unkept"  # whether its basket cannot be kept on the server at the moment

    def opened(self) -> Choice[S, V]:
        """The session's choice, taken from the address when that says something else; the basket is the person's, as it is now.

        Without an address, by the sidebar, it is about the images and the network of the page that one comes from.

        Raises:
            SpecError: the address asks for something that does not exist.
        """
        query = _address()
        held: Choice[S, V] | None = st.session_state.get(self._choice)
        ours = st.session_state.pop(_OURS, None) == _shown()
        if not query and not ours and (found := self._carried(held)) is not None:
            return self._keep(self._with_basket(found))
        if held is not None and (ours or not query or self._is_ours(query)):
            return self._keep(self._with_basket(held))
        revision = (held.revision if held else 0) + 1
        saved = self._named(query)
        st.session_state[self._saved] = saved
        if saved is None:
            found = Choice(*defaults.read(self.address, query, workspace()), revision)
            return self._keep(self._filled(found) if BASKET in query else self._with_basket(found))
        rest = {name: value for name, value in query.items() if name != SAVED_AS}
        return self._keep(Choice(*self.address.read(rest, saved.choice), revision))

    def choose(self, spec: S) -> Choice[S, V]:
        """Another specification, with what of the view still holds."""
        held = self.current()
        if spec == held.spec:
            return held
        view = self._carry(held, spec)
        st.session_state.pop(self._before, None)
        return self._keep(self._with_basket(Choice(spec, view, held.revision + (view != held.view))))

    def take(self, spec: S) -> Choice[S, V]:
        """Another specification that did not come from the bar, whose widgets begin with it."""
        held = self.current()
        return self._keep(self._with_basket(Choice(spec, self._carry(held, spec), held.revision + 1)))

    def look(self, *, elsewhere: bool = False, **changes: Any) -> Choice[S, V]:
        """Change the view.

        Args:
            elsewhere: the change did not come from the widget that shows it, which must be set anew.
            changes: fields of the view.
        """
        held = self.current()
        if BASKET in changes and self._is_kept(held):
            said, changes[BASKET] = changes[BASKET], self._ticked(held, changes[BASKET])
            elsewhere = elsewhere or tuple(said) != changes[BASKET]  # another tab ticked others meanwhile
        view = self.address.view.model_validate(held.view.model_dump() | changes)
        if _selecting(view) != _selecting(held.view):
            st.session_state[self._before] = [*st.session_state.get(self._before, [])[-_UNDOABLE:], _selecting(held.view)]
        return self._keep(replace(held, view=view, revision=held.revision + elsewhere))

    def undo(self) -> None:
        """Take back the last change of what is selected or filtered; nothing where there is none."""
        before: list[dict[str, Any]] = st.session_state.get(self._before, [])
        if before:
            self.look(elsewhere=True, **before[-1])
            st.session_state[self._before] = before[:-1]  # without what this change has added

    @property
    def carries(self) -> bool:
        """Whether the address carries what is ticked, since the server cannot keep it at the moment."""
        return bool(st.session_state.get(self._unkept, False))

    @property
    def saved(self) -> Opened | None:
        """The saved analysis that the choice began with; None: with none."""
        found: Opened | None = st.session_state.get(self._saved)
        return found

    def saved_as(self, saved: Opened) -> None:
        """The choice was saved: its address names that from now on."""
        st.session_state[self._saved] = saved
        self._keep(self.current())

    def revert(self) -> None:
        """Back to what was saved."""
        if self.saved is not None:
            st.session_state.pop(self._before, None)
            self._keep(Choice(*self.saved.choice, self.current().revision + 1))

    def current(self) -> Choice[S, V]:
        """The session's choice as it is now."""
        return st.session_state[self._choice]

    def forget(self) -> None:
        """Drop the choice and the address: the page starts from the defaults."""
        self._drop()
        st.query_params.clear()

    def _drop(self) -> None:
        for name in (self._choice, self._said, self._before, self._saved, self._unkept):
            st.session_state.pop(name, None)

    def _carried(self, held: Choice[S, V] | None) -> Choice[S, V] | None:
        """What of another page's choice this page takes over; None: nothing that it does not have."""
        came: _Came | None = st.session_state.get(_CAME)
        if came is None or came.page == self.page or (held is None and came.spec == type(came.spec)()):
            return None
        begun = held or Choice(*defaults.read(self.address, {}, workspace()), revision=0)
        spec = carry.carried(begun.spec, came.spec, workspace())
        view = begun.view if spec == begun.spec else self._carry(begun, spec)
        if spec == begun.spec and view == begun.view:
            return None
        st.session_state.pop(self._before, None)
        st.session_state.pop(self._saved, None)  # of other images, or another network, it is not that analysis
        return Choice(spec, view, begun.revision + 1)

    def _named(self, query: Query) -> Opened | None:
        """The saved analysis that an address names."""
        if SAVED_AS not in query:
            return None
        found = saving.opened(str(query[SAVED_AS]), person.who(), workspace())
        if found.version.content.page != self.page:
            title = entry(found.version.content.page).title
            raise SpecError(f"This saved analysis is one of the page {title}, not of this one.", "Open it from the library.")
        return found

    def _is_ours(self, query: Query) -> bool:
        """Whether an address is the one this session wrote last, or one it wrote a moment ago.

        A browser answers with the address it knows; after quick changes that is one or two behind, and no wish of anyone's.
        """
        written = st.session_state.get(self._said, [])
        now, late = time.monotonic(), settings().late_address
        return any(query == said and (now - moment < late or said == written[-1][1]) for moment, said in written)

    def _keep(self, choice: Choice[S, V]) -> Choice[S, V]:
        """Remember a choice and write it to the address."""
        st.session_state[self._choice] = choice
        st.session_state[_CAME] = _Came(self.page, choice.spec)
        saved = self.saved
        view = choice.view.model_copy(update={BASKET: ()}) if self._is_kept(choice) else choice.view
        query = self.address.write(choice.spec, view, None if saved is None else saved.choice)
        if saved is not None:
            query = {SAVED_AS: saved.version.reference} | query
        written = [entry for entry in st.session_state.get(self._said, []) if entry[1] != query]
        st.session_state[self._said] = [*written[-_REMEMBERED:], (time.monotonic(), query)]
        if query != _address():
            st.query_params.from_dict(query)
        return choice

    def _is_kept(self, choice: Choice[S, V]) -> bool:
        """Whether the choice's basket is the person's, on the server: not that of a saved analysis, which is as it was saved."""
        return BASKET in self.address.view.model_fields and self.saved is None and not self.carries

    def _with_basket(self, choice: Choice[S, V]) -> Choice[S, V]:
        """The choice with the person's basket, as it is now; its widgets begin anew where another tab, or page, has changed it."""
        if BASKET not in self.address.view.model_fields or self.saved is not None:
            return choice
        baskets, held = Baskets(workspace().library), getattr(choice.view, BASKET)
        try:
            found = baskets.of(_draw(choice), person.who())
            if self.carries:  # what was ticked meanwhile is kept now
                found = baskets.change(_draw(choice), person.who(), put=held)
        except LibraryError:
            st.session_state[self._unkept] = True
            return choice
        st.session_state[self._unkept] = False
        basket = tuple(image for image in found if image < _images(choice))
        if basket == held:
            return choice
        return replace(choice, view=choice.view.model_copy(update={BASKET: basket}), revision=choice.revision + 1)

    def _filled(self, choice: Choice[S, V]) -> Choice[S, V]:
        """A link's basket takes the place of the person's, which can be had again by undoing that."""
        before = self._with_basket(choice)
        if not self._is_kept(before):
            return choice
        held, said = getattr(before.view, BASKET), getattr(choice.view, BASKET)
        self._ticked(before, said)
        if held and held != said:
            st.session_state[self._before] = [_selecting(choice.view) | {BASKET: held}]
            st.toast(f"This link brought its own basket in place of yours, of {len(held):,}. Undo brings yours back.")
        return choice

    def _ticked(self, choice: Choice[S, V], basket: Sequence[int]) -> tuple[int, ...]:
        """Change the person's basket by what differs; those of it that the choice has, then."""
        held, wanted = set(getattr(choice.view, BASKET)), set(basket)
        if held == wanted:
            return tuple(basket)
        try:
            asks = person.who()
            found = Baskets(workspace().library).change(_draw(choice), asks, put=wanted - held, take=held - wanted)
        except LibraryError:
            st.session_state[self._unkept] = True
            return tuple(basket)
        n = _images(choice)
        return tuple(image for image in found if image < n or image in wanted)


def _draw(choice: Choice[Any, Any]) -> str:
    return carry.draw(choice.spec.dataset)


def _images(choice: Choice[Any, Any]) -> int:
    n: int = choice.spec.dataset.n
    return n


def _selecting(view: Spec) -> dict[str, Any]:
    return {name: getattr(view, name) for name in SELECTING if name in type(view).model_fields}


def go_to(page: str, spec: Spec | None = None, view: Spec | None = None) -> None:
    """Open a page on a specification, in place of what this session had open there; None: as this session left it."""
    if spec is None:
        st.switch_page(entry(page).file)
    _leave(page)
    st.switch_page(entry(page).file, query_params=ADDRESSES[page].write(spec, view))


def open_saved(version: Version) -> None:
    """Open the page of a saved analysis on it, in place of what this session had open there."""
    _leave(version.content.page)
    st.switch_page(entry(version.content.page).file, query_params={SAVED_AS: version.reference})


def _leave(page: str) -> None:
    for part in ("choice", "written", "before", "saved"):
        st.session_state.pop(f"{page}.{part}", None)


def rerun() -> None:
    """Run the page again as it stands.

    For parts that run by a clock: the address in such a run is the one the browser knew when it sent the tick, which may be
    older than the choice by as long as the browser was busy.
    """
    st.session_state[_OURS] = _shown()
    st.rerun()


def _shown() -> str:
    """Which page this run is of: a page without a choice of its own leaves what :func:`rerun` notes to whichever comes next."""
    ctx = get_script_run_ctx()
    return ctx.page_script_hash if ctx is not None else ""


def _address() -> Query:
    query: Query = {}
    for name in st.query_params:
        values = st.query_params.get_all(name)
        query[name] = values[0] if len(values) == 1 and name not in LIST_FIELDS else values
    return query
