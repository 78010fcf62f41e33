"""Notes and tags on a page: on a saved analysis at a moment, and on an image, where they are the same on every page."""

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from ntkcore.analyses.sharing.differences import moment_words
from ntkcore.analyses.workspace import workspace
from ntkcore.data import open_pack
from ntkcore.data.content import content_of_image
from ntkcore.errors import AtlasError
from ntkcore.library import Version
from ntkcore.library.notes import TEXT, Note, Notes
from ntkcore.library.people import may_change
from ntkcore.library.tags import Tags
from ntkcore.specs import DatasetSpec
from pages.shared import frame, media, person, words
from pages.shared.choice import Link

_FAILED = "notes.failed"  # what the last action came to, where it failed
_PLACES = ("ridge", "time", "target", "point")
_PACK = "pack"  # of a note's place: the thumbnails that its numbers of images mean
_MENTION = re.compile(r"(?<![\w#])#(\d{1,6})\b")
_MENTIONED = 8  # images that a note shows
_HINT = "What is to be seen here? #12 shows image 12."


def image_notes(dataset: DatasetSpec, pack: str, image: int) -> None:
    """For an inspector: the image's tags and notes, and fields for more; nothing where its thumbnails are gone."""
    found = open_pack(pack, workspace().settings)
    if found is None:
        return
    person.person()
    _failed()
    try:
        content = content_of_image(found, image)
        notes = Notes(workspace().library).on_image(content, person.who())
        _tags(content, dataset.own or dataset.name)
    except AtlasError as error:
        frame.show_error(error)
        return
    label = words.spoken("Notes on this image") + (f": {len(notes)}" if notes else "")
    if st.toggle(label, key="image.notes") or notes:
        _threads(notes, "image")
        source = dataset.own or dataset.name

        def write(text: str) -> None:
            Notes(workspace().library).write(text, person.who(), image=content, source=source, place={_PACK: pack})

        _field("image", content, write)


def analysis_notes(link: Link[Any, Any], version: Version) -> None:
    """The notes on a saved analysis, each with the moment that it is about, and a field for another one at the moment shown."""
    person.person()
    _failed()
    notes = Notes(workspace().library).on_analysis(version.analysis, person.who())
    if not notes:
        st.caption("No notes yet.")
    _threads(notes, "analysis", lambda note: _moment(link, note.place))
    place = _place(link)
    if place:
        st.html(f'<p class="atlas-quiet">A note remembers what is shown now: {html.escape(moment_words(place))}.</p>')
    _field("analysis", version.analysis, lambda text: _write(text, version, place))


def point_notes(link: Link[Any, Any]) -> None:
    """For a chart's point that is open: the notes on it, and a field for another one, where the analysis is saved."""
    if link.saved is None:
        st.caption("Notes on this point are kept with the analysis: save it first.")
        return
    version, place = link.saved.version, _place(link)
    person.person()
    _failed()
    try:
        notes = Notes(workspace().library).on_analysis(version.analysis, person.who())
    except AtlasError as error:
        frame.show_error(error)
        return
    here = {note.id for note in notes if note.place.get("point") == _kept(place)["point"]}
    found = tuple(note for note in notes if note.id in here or note.answers in here)
    if st.toggle("Notes on this point" + (f": {len(found)}" if found else ""), key="point.notes") or found:
        _threads(found, "point")
        _field("point", f"{version.analysis}.{place['point']}", lambda text: _write(text, version, place))


def _place(link: Link[Any, Any]) -> dict[str, Any]:
    """Where in its analysis the page is."""
    view = link.current().view
    place = {name: getattr(view, name) for name in _PLACES if hasattr(view, name)}
    return {name: value for name, value in place.items() if value is not None or name == "time"}


def _kept(place: Mapping[str, Any]) -> dict[str, Any]:
    """A place as the library gives it back."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in place.items()}


def _write(text: str, version: Version, place: Mapping[str, Any]) -> None:
    content = version.content
    of = {_PACK: content.pack} if content.pack else {}
    Notes(workspace().library).write(text, person.who(), analysis=version.analysis, source=content.source, place={**place, **of})


def _moment(link: Link[Any, Any], place: Mapping[str, Any]) -> Callable[[], None] | None:
    """Go to where a note was written; None where it is nowhere in particular."""
    names = {name: place[name] for name in _PLACES if name in place and hasattr(link.current().view, name)}
    return (lambda: link.look(elsewhere=True, **names)) if names else None


def _threads(notes: tuple[Note, ...], part: str, there: Callable[[Note], Callable[[], None] | None] | None = None) -> None:
    """Each note, and below it its answers."""
    known = {note.id for note in notes}
    for note in notes:
        if note.answers in known:
            continue
        with st.container(border=True, key=f"note_{note.id}", gap="small"):
            _note(note, part, None if there is None else there(note))
            for answer in notes:
                if answer.answers == note.id:
                    _note(answer, part, None)


def _note(note: Note, part: str, go: Callable[[], None] | None) -> None:
    edited = " · changed" if note.changed > note.made else ""
    answer = ' class="atlas-answer"' if note.answers is not None else ""
    head = f'<p class="atlas-quiet"><b>{html.escape(note.author)}</b> · {words.when(note.made)}{edited}</p>'
    st.html(f'<div{answer}>{head}<p class="atlas-note">{html.escape(note.text)}</p>{_mentioned(note)}</div>')
    with st.container(horizontal=True, gap="small", key=f"quiet_note_{note.id}"):
        if go is not None:
            st.button(
                moment_words(note.place), key=f"note_go_{note.id}", type="tertiary", icon=":material/place:", on_click=go, help="Go there"
            )
        if note.answers is None:
            with st.popover("Answer", type="tertiary", key=f"note_answer_{note.id}"):
                _text(f"{part}.{note.id}", note.id, lambda text: _answer(note, text))
        if may_change(person.who(), note.owner):
            st.button("Remove", key=f"note_remove_{note.id}", type="tertiary", on_click=_act, args=(lambda: _remove(note),))


def _mentioned(note: Note) -> str:
    """The thumbnails of the images that a note mentions, as ``#12``; nothing of one that is not there."""
    said = dict.fromkeys(int(number) for number in _MENTION.findall(note.text))
    if not said or not note.place.get(_PACK):
        return ""
    pack = str(note.place[_PACK])
    found = open_pack(pack, workspace().settings)
    if found is None:
        return ""
    numbers = [number for number in said if number < len(found)][:_MENTIONED]
    shown = "".join(media.picture(pack, number, f"image {number}", f"image {number}") for number in numbers)
    return f'<div class="atlas-strip">{shown}</div>' if shown else ""


def _answer(note: Note, text: str) -> None:
    Notes(workspace().library).write(text, person.who(), analysis=note.analysis, image=note.image, answers=note.id, place=_of_pack(note))


def _of_pack(note: Note) -> dict[str, Any]:
    """An answer's numbers of images mean what the note's mean."""
    return {_PACK: note.place[_PACK]} if _PACK in note.place else {}


def _remove(note: Note) -> None:
    Notes(workspace().library).throw_away(note.id, person.who())


def _field(part: str, of: object, write: Callable[[str], object]) -> None:
    """A field for a note, and for the name of who writes, where they have typed none yet."""
    if not person.current().name:
        person.ask("stands beside what you write")
    _text(part, of, write)


def _text(part: str, of: object, write: Callable[[str], object]) -> None:
    """A field for a note, emptied when it is kept: what could not be kept stays in it."""
    key = f"note.text.{part}.{of}"

    def keep() -> None:
        if _act(lambda: write(st.session_state[key])):
            st.session_state[key] = ""

    st.text_area("Note", key=key, max_chars=TEXT, height=80, label_visibility="collapsed", placeholder=_HINT)
    st.button("Keep the note", key=f"note.keep.{part}", on_click=keep)


def _tags(content: str, source: str) -> None:
    tags, who = Tags(workspace().library), person.who()
    held = tags.of([content], who).get(content, ())
    if not who.may("tag"):
        if held:
            st.html(f'<p class="atlas-quiet">Tags: {html.escape(", ".join(held))}</p>')
        return
    key = f"tags.{content}"

    def change() -> None:
        wanted = set(st.session_state[key])
        _act(lambda: _change_tags(content, source, set(held), wanted))

    options = list(dict.fromkeys([*held, *tags.names(who)]))
    st.multiselect("Tags", options, list(held), key=key, accept_new_options=True, placeholder="add a tag", on_change=change)


def _change_tags(content: str, source: str, held: set[str], wanted: set[str]) -> None:
    tags = Tags(workspace().library)
    for name in wanted - held:
        tags.put(name, [content], person.who(), source=source)
    for name in held - wanted:
        tags.take_off(name, [content], person.who())


def _act(deed: Callable[[], object]) -> bool:
    """Do it; where it fails, that is said with the next run."""
    try:
        deed()
    except AtlasError as error:
        st.session_state[_FAILED] = error
        return False
    return True


def _failed() -> None:
    if (error := st.session_state.pop(_FAILED, None)) is not None:
        frame.show_error(error)
