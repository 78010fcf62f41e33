"""Tags for many images at once, from a gallery: those ticked, those a chart's lasso selected, or the one at hand."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st

from ntkcore.analyses.workspace import workspace
from ntkcore.data import open_pack
from ntkcore.data.content import content_of_image
from ntkcore.errors import DataError
from ntkcore.library.people import Refused
from ntkcore.library.tags import NAME, Tags
from ntkcore.specs import DatasetSpec
from pages.shared import frame, media, person, words

_ASKED = "tagging.asked"  # of which gallery, and what its browser said
_LAST = "tagging.last"  # the tag that was given last
_TOLD = "tagging.told"  # what the last action came to
_OFFERED = 24  # tags to choose from; others are typed


class Tagging(NamedTuple):
    """That images of a gallery can be tagged.

    Attributes:
        pack: id of their thumbnails, which tell what they are.
        source: id of their set.
        selected: images that a chart's lasso selected.
    """

    pack: str
    source: str
    selected: Sequence[int] = ()


def tagging(dataset: DatasetSpec, pack: str, selected: Sequence[int] = ()) -> Tagging | None:
    """For a gallery: its button and the key T ask for tags; None: whoever asks may give none.

    Args:
        dataset: the draw.
        pack: id of the thumbnails of the gallery's images.
        selected: images that a chart's lasso selected.
    """
    try:
        allowed = person.who().may("tag")
    except Refused:  # a login that has just ended; the page says so
        allowed = False
    return Tagging(pack, dataset.own or dataset.name, selected) if allowed else None


def asked(gallery: str, revision: int) -> None:
    """In a gallery's callback: ask which tags its images shall have."""
    if said := st.session_state[gallery].get("tagged"):
        st.session_state[_ASKED] = (gallery, revision, said)


def show(gallery: str, revision: int, tagged: Tagging) -> None:
    """Ask it, where that gallery's reader wants to give some; it stays open until it is closed or the choice comes from elsewhere."""
    if told := st.session_state.pop(_TOLD, None):
        st.toast(told, icon=":material/sell:")
    which, of, said = st.session_state.get(_ASKED, ("", 0, {}))
    if which == gallery and of == revision:
        _ask(tagged, said)


def _close() -> None:
    st.session_state.pop(_ASKED, None)


@st.dialog("Tag images", icon=":material/sell:", on_dismiss=_close)
@frame.telling
def _ask(tagged: Tagging, said: dict[str, Any]) -> None:
    person.person()
    images = _which(tagged, said)
    tags, who = Tags(workspace().library), person.who()
    content = _contents(tagged.pack, images)
    held = tags.of(content, who)
    with st.form("tagging", border=False), st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        typed = st.text_input("Tag", st.session_state.get(_LAST, ""), max_chars=NAME, key="tagging.name", placeholder="a word or two")
        if st.form_submit_button(words.spoken(f"Tag {words.counted(len(images), 'images')}"), type="primary", key="tagging.do"):
            _give(typed, content, tagged)
    others = [name for name in tags.names(who) if sum(name in of for of in held.values()) < len(content)][:_OFFERED]
    if others:
        st.html('<p class="atlas-quiet">One that there is:</p>')
        with st.container(horizontal=True, gap="xsmall", key="tagging_others"):
            for name in others:
                if st.button(words.plain(name), key=f"tagging.give.{name}"):
                    _give(name, content, tagged)
    if held:
        st.html(words.spoken('<p class="atlas-quiet">Tags that these images have; press one to take it off:</p>'))
        with st.container(horizontal=True, gap="xsmall", key="tagging_held"):
            for name in sorted({name for of in held.values() for name in of}):
                count = sum(name in of for of in held.values())
                label = f"{words.plain(name)} · {count:,}" if len(content) > 1 else words.plain(name)
                if st.button(label, key=f"tagging.off.{name}", icon=":material/close:"):
                    _take_off(name, content)
    st.html(words.spoken('<p class="atlas-quiet">An image has its tags on every page, and in every set that has this image.</p>'))


def _which(tagged: Tagging, said: dict[str, Any]) -> list[int]:
    """The images that are meant, of those that may be: a choice where there are several."""
    kind = media.noun(tagged.pack)
    ways: dict[str, tuple[str, list[int]]] = {}
    if ticked := [int(image) for image in said.get("ids") or ()]:
        ways["ticked"] = f"{len(ticked):,} ticked", ticked
    if tagged.selected:
        ways["selected"] = f"{len(tagged.selected):,} selected in the chart", [int(image) for image in tagged.selected]
    if said.get("at") is not None:
        ways["one"] = f"{kind} {int(said['at'])}", [int(said["at"])]
    if not ways:
        raise DataError("No image is ticked.", "Tick some, or put the focus on one, and ask again.")
    chosen = next(iter(ways))
    if len(ways) > 1:
        names = {way: words.spoken(name) for way, (name, _) in ways.items()}
        told: dict[str, Any] = {"default": chosen, "format_func": names.__getitem__, "label_visibility": "collapsed"}
        chosen = st.segmented_control("Which", list(ways), required=True, key="tagging.which", **told)
    else:
        st.html(f'<p class="atlas-quiet">{words.spoken(ways[chosen][0])}</p>')
    return ways[chosen][1]


def _contents(pack: str, images: Sequence[int]) -> list[str]:
    """What the images are; without those that are not there."""
    found = open_pack(pack, workspace().settings)
    if found is None:
        raise DataError("The thumbnails of these images are gone.", "Reload the page: they are made again.")
    return list(dict.fromkeys(content_of_image(found, image) for image in images if image < len(found)))


def _give(name: str, content: list[str], tagged: Tagging) -> None:
    new = Tags(workspace().library).put(name, content, person.who(), source=tagged.source)
    st.session_state[_LAST] = " ".join(name.split())
    _done(f"“{name.strip()}”: {words.counted(new, 'images')} more" if new else f"All of them had “{name.strip()}” already")


def _take_off(name: str, content: list[str]) -> None:
    gone = Tags(workspace().library).take_off(name, content, person.who())
    if not gone:
        raise DataError("This tag is somebody else's.", "They, or an administrator, can take it off.")
    _done(f"“{name}” taken off {words.counted(gone, 'images')}")


def _done(told: str) -> None:
    st.session_state[_TOLD] = words.plain(words.spoken(told))
    _close()
    st.rerun()
