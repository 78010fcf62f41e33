"""What the line of a saved analysis opens: saving it under a name, sharing it, and its versions."""

from collections.abc import Callable
from typing import Any, get_args

import streamlit as st

from ntkcore.analyses import catalogue
from ntkcore.analyses.sharing import saving
from ntkcore.analyses.sharing.differences import changed_words
from ntkcore.analyses.sharing.saving import Opened
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library import Saved, Version, Visibility, asking
from ntkcore.library.labels import NAME
from ntkcore.library.people import may_change
from ntkcore.library.saved import DESCRIPTION, TITLE
from pages.shared import disk, frame, person, words
from pages.shared.choice import Link, open_saved
from pages.shared.diff import against_saved
from pages.shared.notes import analysis_notes
from pages.shared.report import frozen_report

_ASKED = "saved.asked"
VISIBILITIES: dict[Visibility, str] = {"private": "Only me", "team": "The team", "public": "Everybody with the link"}
assert set(VISIBILITIES) == set(get_args(Visibility))


def ask_for(link: Link[Any, Any], which: str) -> None:
    """Open one of them; it stays open, whatever runs the page again, until it is closed or another choice comes from elsewhere."""
    st.session_state[_ASKED] = (which, link.page, link.current().revision)


def show(link: Link[Any, Any]) -> None:
    """Open what was asked for."""
    which, *of = st.session_state.get(_ASKED, ("",))
    shown: dict[str, Callable[[Link[Any, Any]], None]] = {
        "save": _save,
        "share": _share,
        "notes": _notes,
        "versions": _versions,
        "report": _report,
        "diff": _diff,
    }
    if which and of == [link.page, link.current().revision]:
        shown[which](link)
    else:
        _close()


def _close() -> None:
    st.session_state.pop(_ASKED, None)


@st.dialog("Save this analysis", icon=":material/bookmark_add:", on_dismiss=_close)
@frame.telling
def _save(link: Link[Any, Any]) -> None:
    held, choice, ws = link.saved, link.current(), workspace()
    person.person()
    usual = catalogue.named(link.page).title(choice.spec, ws) if held is None else held.version.content.title
    title = st.text_input("Title", usual, max_chars=TITLE, key="save.title")
    told = st.text_area("What is to be seen, and why it matters", max_chars=DESCRIPTION, key="save.description", height=100)
    name = st.text_input("Your name", person.current().name, max_chars=NAME, key="save.name", placeholder="as others know you")
    visibility = _visibility("save.visibility", "team")
    st.html('<p class="atlas-quiet">Its results stay on the disk until it is thrown away.</p>')
    disk.show()
    if st.button("Save", type="primary", key="save.do"):
        if name:
            person.call(name)
        kept = saving.save(link.page, choice.spec, choice.view, person.who(), ws, title=title, description=told, visibility=visibility)
        link.saved_as(kept)
        _close()
        st.rerun()


@st.dialog("Share", icon=":material/share:", on_dismiss=_close)
@frame.telling
def _share(link: Link[Any, Any]) -> None:
    saved = link.saved
    if saved is None:
        return
    version, who = saved.version, person.who()
    addresses(version)
    choice = link.current()
    if changes := changed_words(link.address, (choice.spec, choice.view), saved.choice):
        st.warning(f"The reader sees what was saved, without what you changed since: {words.plain(changes)}.", icon=":material/edit:")
    if may_change(who, version.owner):
        visibility = _visibility("share.visibility", version.visibility)
        if visibility != version.visibility:
            Saved(workspace().library).show_to(version.analysis, visibility, who)
            link.saved_as(saving.opened(version.reference, who, workspace()))
            st.rerun()


def addresses(version: Version) -> None:
    """The short addresses of a version, to be copied."""
    st.markdown("**This version, for good**")
    st.code(f"{frame.server()}/open?a={version.reference}", language=None, wrap_lines=True)
    st.markdown("**Always the latest version**")
    st.code(f"{frame.server()}/open?a={version.analysis}", language=None, wrap_lines=True)
    st.html(
        '<p class="atlas-quiet">Whoever opens it sees this choice and its stored results without computing anything. '
        "What they change stays in their own address.</p>"
    )


@st.dialog("Notes", width="large", icon=":material/forum:", on_dismiss=_close)
@frame.telling
def _notes(link: Link[Any, Any]) -> None:
    if link.saved is not None:
        analysis_notes(link, link.saved.version)


@st.dialog("Frozen report", width="large", icon=":material/description:", on_dismiss=_close)
@frame.telling
def _report(link: Link[Any, Any]) -> None:
    frozen_report(link)


@st.dialog("What differs from a saved analysis", width="large", icon=":material/difference:", on_dismiss=_close)
@frame.telling
def _diff(link: Link[Any, Any]) -> None:
    against_saved(link)


@st.dialog("Versions", width="large", icon=":material/history:", on_dismiss=_close)
@frame.telling
def _versions(link: Link[Any, Any]) -> None:
    saved = link.saved
    if saved is None:
        return
    who = person.who()
    found = Saved(workspace().library).versions(saved.version.analysis, who)
    for version, before in zip(found, (*found[1:], None), strict=True):
        with st.container(border=True, key=f"version_{version.number}"):
            left, right = st.columns([4, 1.4], vertical_alignment="center")
            here = " · shown here" if version.number == saved.version.number else ""
            said = f"**Version {version.number}** · {words.plain(version.author)} · {words.when(version.made)}{here}"
            left.markdown(f"{said}  \n{words.plain(version.content.answer)}  \n:small[{_since(link, version, before)}]")
            if right.button("Open", key=f"version_open_{version.number}", width="stretch"):
                _close()
                open_saved(version)
            if version.number != version.newest and may_change(who, version.owner):
                _go_back(right, link, version)


def _go_back(place: Any, link: Link[Any, Any], version: Version) -> None:
    if place.button("Let it hold again", key=f"version_back_{version.number}", width="stretch"):
        kept = Saved(workspace().library).go_back(version.analysis, version.number, person.who(), seen=version.newest)
        _close()
        open_saved(kept)


def _since(link: Link[Any, Any], version: Version, before: Version | None) -> str:
    """What changed since the version before."""
    if before is None:
        return "the first"
    now, then = _choice(version), _choice(before)
    if now is None or then is None:
        return "saved by another version of this program"
    return words.plain(changed_words(link.address, now.choice, then.choice) or "the same choice")


def _choice(version: Version) -> Opened | None:
    try:
        return saving.choice_of(version)
    except AtlasError:
        return None


def _visibility(key: str, now: Visibility) -> Visibility:
    chosen: Visibility = st.segmented_control(
        "Who may see it", list(VISIBILITIES), default=now, format_func=VISIBILITIES.__getitem__, required=True, key=key
    )
    if not asking.has_people():
        st.html('<p class="atlas-quiet">This server has no login: whoever reaches it sees everything, whatever is chosen here.</p>')
    return chosen
