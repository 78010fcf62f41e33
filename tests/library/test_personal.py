"""A person's own data: what is in the zip, what goes, and what stays without the name."""

import io
import json
import time
import zipfile

import pytest

from ntkcore.errors import LibraryError
from ntkcore.library import Content, Saved, personal
from ntkcore.library.members import Identity, Members
from ntkcore.library.notes import Notes
from ntkcore.library.people import Person, Refused, local
from ntkcore.library.saved import Absent
from ntkcore.library.shelf import Wanted, shelf
from ntkcore.library.tags import Tags
from ntkcore.library.tokens import Tokens


def _content(title):
    return Content(page="map", spec={}, view={}, title=title, keys=(("map", "ab", 7),))


@pytest.fixture
def served(both, opened):
    """Ben's and Ann's things on a server."""
    library, chosen = opened(both), both.model_copy(update={"default_role": "analyst"})
    members = Members(library, chosen)
    login = Identity("id-ben", "ben@lab", frozenset(), "Bendix", "l-ben", time.time() - 9)
    ben = members.person(login)
    ann = members.person(Identity("id-ann", "ann@lab", frozenset(), "Ann", "l-ann", time.time() - 9))
    saved, notes = Saved(library), Notes(library)
    shown, alone = saved.save(_content("Shown"), ben), saved.save(_content("Alone"), ben, "private")
    first = notes.write("for me", ben, image="cd", visibility="private")
    notes.write("for all", ben, image="ab", answers=first)
    notes.write("hers", ann, image="ab")
    Tags(library).put("odd", ["ab"], ben)
    token = Tokens(library, chosen).make("script", ben)
    return library, chosen, ben, ann, login, shown, alone, token


def test_all_of_it_is_in_the_zip_and_nothing_of_others(served):
    library, _, ben, *_ = served
    with zipfile.ZipFile(io.BytesIO(personal.exported(library, ben))) as archive:
        found = {name.removesuffix(".json"): json.loads(archive.read(name)) for name in archive.namelist()}
    assert {row["title"] for row in found["versions"]} == {"Shown", "Alone"} and len(found["analyses"]) == 2
    assert {row["text"] for row in found["notes"]} == {"for me", "for all"} and found["tags"][0]["name"] == "odd"
    assert found["member"][0]["subject"] == "ben@lab" and found["tokens"][0]["name"] == "script"
    assert "digest" not in str(found) and "hers" not in str(found)
    with pytest.raises(Refused):
        personal.exported(library, Person("id-ben", "Ben", None))


def test_what_nobody_else_sees_goes_and_what_others_see_stays_without_the_name(served):
    library, chosen, ben, ann, login, shown, alone, token = served
    assert personal.held(library, ben) == personal.Held((1, 1, 0, 0), (1, 1, 1, 0))
    personal.delete(library, ben)
    saved = Saved(library)
    assert saved.version(shown.analysis, ann).author == personal.LEFT
    with pytest.raises(Absent):
        saved.version(alone.analysis, ben)
    assert {(note.text, note.author) for note in Notes(library).on_image("ab", ann)} == {("for all", personal.LEFT), ("hers", "Ann")}
    assert not Notes(library).on_image("cd", ben) and Tags(library).names(ann) == ("odd",)
    assert shelf(library, ann, Wanted("bendix"), first=0, count=9).count == 0
    assert Tokens(library, chosen).person(token) is None
    members = Members(library, chosen)
    assert members.person(login) is None and {member.name for member in members.all()} == {"Ann", personal.LEFT}
    assert personal.held(library, ben) == personal.Held((0, 0, 0, 0), (1, 1, 1, 0))


def test_nobody_gets_rid_of_a_role_that_was_given(served):
    library, chosen, ben, *_ = served
    members = Members(library, chosen)
    members.give(ben.id, "viewer", Person("id-ann", "Ann", "administrator"))
    personal.delete(library, ben)
    again = members.person(Identity("id-ben", "ben@lab", frozenset(), "Ben", "l-new", time.time() + 9, "analyst"))
    assert again.role == "viewer"


def test_without_a_login_nothing_is_deleted(served):
    with pytest.raises(LibraryError, match="Without a login"):
        personal.delete(served[0], local("Ann"))
