"""Saving an analysis: it opens as it was, its results stay on a full disk, and nothing is confirmed that is not kept."""

import pytest
from recording import Recording
from small_analyses import SMALL

from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.sharing import saving
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import LibraryError, SpecError, StoreError
from ntkcore.library import Saved
from ntkcore.library.people import local
from ntkcore.library.saved import Absent, Overtaken
from ntkcore.library.tables import VERSIONS
from ntkcore.permalink import ADDRESSES
from ntkcore.store import Store

ANN, BEN = local("Ann"), local("Ben")
SPEC, _ = ADDRESSES["learnability"].read(SMALL["learnability"])
VIEW = ADDRESSES["learnability"].view(basket=(5, 7), order="learned")


@pytest.fixture
def ws(cache):
    made = Workspace(cache)
    LEARNABILITY.compute(SPEC, made, Recording())
    yield made
    made.library.close()


def save(ws, person=ANN, **more):
    return saving.save("learnability", SPEC, VIEW, person, ws, **more)


def test_it_opens_as_its_author_saw_it(ws):
    kept = save(ws, title="Easy ones", description="why")
    found = saving.opened(kept.version.reference.lower(), BEN, Workspace(ws.settings))
    assert (found.spec, found.view) == (SPEC, VIEW) and found.version == kept.version
    content = found.version.content
    assert content.answer == LEARNABILITY.answer(LEARNABILITY.open(SPEC, ws), VIEW, ws)[0]
    assert content.images == (5, 7) and content.pack == LEARNABILITY.open(SPEC, ws).pack
    assert (
        content.source == "digits"
        and "digits" in content.dataset.lower()
        and save(ws).version.content.title == LEARNABILITY.title(SPEC, ws)
    )
    for text in ("", "9", "2222", f"{kept.version.analysis}-2", f"{kept.version.analysis}-x"):
        with pytest.raises(Absent):
            saving.opened(text, BEN, ws)


def test_its_results_stay_until_nothing_shows_them(ws, monkeypatch):
    monkeypatch.setattr("ntkcore.store.store._SAVING", -1.0)
    kept = save(ws)
    assert {(kind, key) for kind, key, _ in kept.version.content.keys} == set(LEARNABILITY.artifacts(SPEC, ws))
    Store(ws.store.root, budget=1).evict()
    assert LEARNABILITY.ready(SPEC, ws) and saving.tidy(ws) == 0
    Saved(ws.library).throw_away(kept.version.analysis, ANN)
    saving.tidy(ws)
    Store(ws.store.root, budget=1).evict()
    assert LEARNABILITY.ready(SPEC, ws)  # thirty days in the trash
    assert Saved(ws.library).empty_trash(days=-1) == 1
    saving.tidy(ws)
    Store(ws.store.root, budget=1).evict()
    assert not LEARNABILITY.ready(SPEC, ws)


def test_results_removed_by_hand_are_held_again_once_they_are_back(ws):
    kept = save(ws)
    for kind, key in LEARNABILITY.artifacts(SPEC, ws):
        ws.store.remove(kind, key)
    saving.hold(kept.version, ws)
    LEARNABILITY.compute(SPEC, ws, Recording())
    assert not any(entry.saved for entry in ws.store.entries("learnability"))
    saving.hold(kept.version, ws)
    assert all(entry.saved for entry in ws.store.entries("learnability"))


def test_a_version_is_over_the_one_that_was_seen(ws):
    first = save(ws).version
    second = save(ws, BEN, title="again", over=first).version
    assert (second.analysis, second.number, second.author) == (first.analysis, 2, "Ben")
    with pytest.raises(Overtaken):
        save(ws, over=first)
    assert save(ws, over=second).version.number == 3


def test_what_is_not_computed_is_not_saved(ws):
    ws.store.remove(*LEARNABILITY.artifacts(SPEC, ws)[0])
    with pytest.raises(StoreError):
        save(ws)
    assert not ws.library.file.exists()


def test_what_another_version_of_the_program_saved_is_said(ws):
    kept = save(ws).version
    with ws.library.writing() as connection:
        connection.execute(VERSIONS.update().values(view='{"later": 1}'))
    with pytest.raises(SpecError, match="another version of this program"):
        saving.opened(kept.reference, ANN, ws)


def test_a_library_that_refuses_confirms_nothing(ws, monkeypatch):
    save(ws)
    ws.library.close()
    ws.library.file.chmod(0o600)
    sound = ws.library.file.read_bytes()
    ws.library.file.write_bytes(b"noise" * 1000)
    with pytest.raises(LibraryError, match="damaged"):
        save(ws)
    ws.library.file.write_bytes(sound)
    assert save(ws).version.number == 1
