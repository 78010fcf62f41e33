"""Notes and tags: on analyses and images, answered, changed by their owner alone, taken away and put back."""

import pytest

from ntkcore.errors import DataError
from ntkcore.library import Content, Person, Saved
from ntkcore.library.notes import Notes
from ntkcore.library.people import Refused, local
from ntkcore.library.saved import Absent
from ntkcore.library.tables import PEOPLE
from ntkcore.library.tags import Tags

ANN, BEN, CAY, DAN = local("Ann"), local("Ben"), Person("cay", "Cay"), Person("dan", "Dan")


@pytest.fixture
def library(both, opened):
    made = opened(both)
    with made.writing() as connection:
        connection.execute(PEOPLE.insert(), [{"id": name, "name": name, "made": 0.0} for name in ("cay", "dan")])
    return made


@pytest.fixture
def notes(library):
    return Notes(library)


@pytest.fixture
def code(library):
    return Saved(library).save(Content("map", {}, {}, "A map"), CAY, "private").analysis


def test_a_note_says_who_wrote_it_where_and_when(notes, code):
    first = notes.write("  odd: see #3 ", ANN, analysis=code, place={"ridge": 0.1, "time": None})
    second = notes.write("Why?", CAY, analysis=code, answers=first)
    one, two = notes.on_analysis(code, BEN)
    assert (one.id, one.text, one.author, one.place, one.answers) == (first, "odd: see #3", "Ann", {"ridge": 0.1, "time": None}, None)
    assert (two.id, two.answers, two.owner) == (second, first, "cay") and one.made == one.changed
    notes.change(first, "odder", BEN)
    assert notes.on_analysis(code, ANN)[0].text == "odder" and notes.on_analysis(code, ANN)[0].changed >= one.made
    notes.throw_away(first, ANN)
    assert [note.id for note in notes.on_analysis(code, ANN)] == [second]
    notes.restore(first, ANN)
    assert len(notes.on_analysis(code, ANN)) == 2
    for call in (lambda: notes.write(" ", ANN, analysis=code), lambda: notes.change(first, "", ANN), lambda: notes.change(999, "x", ANN)):
        with pytest.raises(DataError):
            call()
    with pytest.raises(DataError):
        notes.write("x", ANN, analysis=code, answers=999)
    with pytest.raises(ValueError, match="on one of them"):
        notes.write("x", ANN)


def test_notes_on_images_are_found_by_their_content(notes):
    images = [f"{i:032x}" for i in range(1200)]
    for image in (images[0], images[0], images[1199]):
        notes.write("blurred", ANN, image=image, source="digits")
    assert notes.counts(images, BEN) == {images[0]: 2, images[1199]: 1} and notes.counts([], BEN) == {}
    assert [note.image for note in notes.on_image(images[1199], BEN)] == [images[1199]]


def test_the_guard_holds_for_notes(notes, code):
    with pytest.raises(Absent):
        notes.write("x", DAN, analysis=code)
    own = notes.write("mine", CAY, analysis=code, visibility="private")
    ours = notes.write("ours", CAY, image="ff")
    assert notes.on_analysis(code, DAN) == () and [note.id for note in notes.on_image("ff", DAN)] == [ours]
    with pytest.raises(DataError):
        notes.throw_away(own, DAN)
    with pytest.raises(Refused):
        notes.change(ours, "no", DAN)
    notes.throw_away(ours, ANN)
    assert notes.on_image("ff", CAY) == ()


def test_tags_are_given_to_many_at_once_and_taken_off(library):
    tags, images = Tags(library), [f"{i:032x}" for i in range(1500)]
    assert tags.put("  Blurred~ edge ", images, ANN, source="digits") == 1500 and tags.put("blurred- edge", images[:3], ANN) == 0
    assert tags.put("odd", images[:2], CAY, visibility="private") == 2
    assert tags.names(ANN) == ("blurred- edge", "odd") and tags.names(DAN) == ("blurred- edge",)
    assert tags.of([*images[1:3], "ff"], ANN) == {images[1]: ("blurred- edge", "odd"), images[2]: ("blurred- edge",)}
    assert tags.tagged("ODD", CAY) == set(images[:2]) and tags.tagged("odd", DAN) == frozenset()
    assert tags.take_off("blurred- edge", images, CAY) == 0 and tags.take_off("blurred- edge", images[1:], ANN) == 1499
    assert tags.tagged("blurred- edge", DAN) == {images[0]}
    with pytest.raises(DataError, match="needs a name"):
        tags.put(" ", images, ANN)
