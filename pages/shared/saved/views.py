"""Views kept under names: filters, order and colours of a page, for the images that it is about."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from ntkcore.analyses import carry
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library.views import NAME, SavedView, Views
from pages.shared import frame, person, words
from pages.shared.choice import BASKET, Link

_FAILED = "views.failed"  # what the last action came to, where it failed
_LEFT = (BASKET, "image")  # fields that say what is ticked or opened, not how it is looked at


def views(link: Link[Any, Any]) -> None:
    """The person's views of this page and these images, and a field to keep the one shown."""
    with st.popover("Views", type="tertiary", key="saved_views"):
        if (error := st.session_state.pop(_FAILED, None)) is not None:
            frame.show_error(error)
        try:
            kept = _kept().of(link.page, _draw(link), person.who())
        except AtlasError as error:
            frame.show_error(error)
            return
        if not kept:
            st.caption(words.spoken("None yet: keep how this page shows its images, and open it again by its name."))
        for view in kept:
            _view(link, view)
        key = "views.name"

        def keep() -> None:
            if _act(lambda: _keep(link, st.session_state[key])):
                st.session_state[key] = ""

        st.text_input("Keep this view as", key=key, max_chars=NAME, placeholder="its name")
        st.button("Keep", key="views.keep", on_click=keep)


def _view(link: Link[Any, Any], view: SavedView) -> None:
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"saved_view_{view.id}"):
        st.button(words.plain(view.name), key=f"views.open.{view.id}", type="tertiary", on_click=_act, args=(lambda: _open(link, view),))
        key = f"views.name.{view.id}"
        with st.popover("Change", type="tertiary", key=f"views_change_{view.id}"):
            st.text_input("Name", view.name, key=key, max_chars=NAME)
            st.button("Rename", key=f"views.rename.{view.id}", on_click=_act, args=(lambda: _rename(view, st.session_state[key]),))
            st.button("Remove", key=f"views.remove.{view.id}", on_click=_act, args=(lambda: _kept().remove(view.id, person.who()),))


def _kept() -> Views:
    return Views(workspace().library)


def _rename(view: SavedView, name: str) -> None:
    _kept().rename(view.id, name, person.who())


def _keep(link: Link[Any, Any], name: str) -> None:
    choice = link.current()
    begun = link.address.view()
    view = choice.view.model_copy(update={field: getattr(begun, field) for field in _left(link)})
    said = link.address.write(choice.spec, view, (choice.spec, begun))
    _kept().keep(name, link.page, _draw(link), said, person.who())


def _open(link: Link[Any, Any], kept: SavedView) -> None:
    _, view = link.address.read(dict(kept.said), (link.current().spec, link.address.view()))
    left = _left(link)
    link.look(elsewhere=True, **{field: value for field, value in view.model_dump().items() if field not in left})


def _left(link: Link[Any, Any]) -> list[str]:
    return [field for field in _LEFT if field in link.address.view.model_fields]


def _draw(link: Link[Any, Any]) -> str:
    return carry.draw(link.current().spec.dataset)


def _act(deed: Callable[[], object]) -> bool:
    """Do it; where it fails, that is said with the next run."""
    try:
        deed()
    except AtlasError as error:
        st.session_state[_FAILED] = error
        return False
    return True
