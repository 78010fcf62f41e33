"""The slim line under the title of an analysis: what it is saved as, what differs from that, and saving it."""

import html
from functools import partial
from typing import Any

import streamlit as st

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.sharing import saving
from ntkcore.analyses.sharing.differences import changed_words
from ntkcore.analyses.sharing.saving import Opened
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library.notes import Notes
from ntkcore.library.people import may_change
from ntkcore.permalink import Address
from pages.shared import frame, person, words
from pages.shared.choice import Link
from pages.shared.exports import exports
from pages.shared.saved import dialogs, views

_TOLD = "saved.told"  # what the last action came to


def line(link: Link[Any, Any], analysis: Analysis[Any, Any, Any]) -> None:
    """Show the line of a page's choice; nothing where that is neither saved nor computed.

    Its words follow the view also where a fragment of the page changes it: they are written anew after each.
    """
    saved, choice = link.saved, link.current()
    try:
        ready = analysis.ready(choice.spec, workspace())
    except AtlasError:  # said where its images are drawn
        ready = False
    if saved is None and not ready:
        return
    if saved is not None and ready and choice.spec == saved.spec:
        _hold(saved)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="saved_line"):
        text = st.empty()
        text.html(_line(link))
        frame.after(lambda: text.html(_line(link)))
        _buttons(link, saved, ready)
    if told := st.session_state.pop(_TOLD, None):
        frame.show_error(told) if isinstance(told, AtlasError) else st.toast(told, icon=":material/bookmark_added:")


def _buttons(link: Link[Any, Any], saved: Opened | None, ready: bool) -> None:
    if saved is None:
        st.button("Save", icon=":material/bookmark_add:", type="tertiary", key="saved_as", on_click=dialogs.ask_for, args=(link, "save"))
    else:
        mine = may_change(person.who(), saved.version.owner) and saved.version.trashed is None
        over = partial(_over, link)
        said = None if mine else "It is somebody else’s: save it under a name of your own."
        st.button("Save", type="tertiary", key="saved_over", disabled=not ready or not mine, on_click=over, help=said)
        st.button("Save as", type="tertiary", key="saved_as", disabled=not ready, on_click=dialogs.ask_for, args=(link, "save"))
        st.button("Revert", type="tertiary", key="saved_revert", on_click=link.revert)
        st.button("Share", type="tertiary", key="saved_share", on_click=dialogs.ask_for, args=(link, "share"))
        st.button(_notes(saved), type="tertiary", key="saved_notes", on_click=dialogs.ask_for, args=(link, "notes"))
        st.button("Versions", type="tertiary", key="saved_versions", on_click=dialogs.ask_for, args=(link, "versions"))
    told = words.spoken("One file with charts, images and tables that opens anywhere, without this server.")
    st.button("Report", type="tertiary", key="saved_report", disabled=not ready, on_click=dialogs.ask_for, args=(link, "report"), help=told)
    against = words.spoken("What differs from a saved analysis: choices, answers, and the images that moved most.")
    asked = (link, "diff")
    st.button("What differs", type="tertiary", key="saved_diff", disabled=not ready, on_click=dialogs.ask_for, args=asked, help=against)
    views.views(link)
    with st.popover("More", type="tertiary", key="saved_more", disabled=not ready):
        exports(link)
    dialogs.show(link)


def _notes(saved: Opened) -> str:
    """What the button of the notes says."""
    try:
        count = len(Notes(workspace().library).on_analysis(saved.version.analysis, person.who()))
    except AtlasError:  # said under the page's title
        count = 0
    return f"Notes: {count}" if count else "Notes"


def _line(link: Link[Any, Any]) -> str:
    saved = link.saved
    if saved is None:
        return '<p class="atlas-quiet">Not saved: the address holds the choice, and the result may go when the disk is full.</p>'
    version = saved.version
    which = f"version {version.number}" + ("" if version.number == version.newest else f" of {version.newest}")
    address: Address[Any, Any] = link.address
    choice = link.current()
    changes = changed_words(address, (choice.spec, choice.view), saved.choice)
    since = f" · <b>changed since: {html.escape(changes)}</b>" if changes else ""
    gone = " · in the trash" if version.trashed is not None else ""
    return (
        f'<p class="atlas-quiet">Saved as “{html.escape(version.content.title)}”, {which} by {html.escape(version.author)}{gone}{since}</p>'
    )


def _over(link: Link[Any, Any]) -> None:
    """Save another version of the same."""
    saved, choice = link.saved, link.current()
    assert saved is not None  # the button is shown for what is saved
    if choice.spec == saved.spec and choice.view == saved.view:
        st.session_state[_TOLD] = "Nothing has changed since it was saved."
        return
    content = saved.version.content
    title = content.title
    try:
        kept = saving.save(
            link.page,
            choice.spec,
            choice.view,
            person.who(),
            workspace(),
            title=title,
            description=content.description,
            over=saved.version,
        )
    except AtlasError as error:
        st.session_state[_TOLD] = error
        return
    link.saved_as(kept)
    st.session_state[_TOLD] = f"Version {kept.version.number} is kept."


def _hold(saved: Opened) -> None:
    try:
        saving.hold(saved.version, workspace())
    except AtlasError as error:
        frame.show_error(error)
