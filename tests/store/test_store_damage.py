"""Damage is found, said and mended: tiles, documents, manifests, drafts."""

import json

import numpy as np
import pytest
from stored import KEY, blocks, publish

from ntkcore.errors import CorruptArtifact


def flip(path, at=3):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def delete(path):
    path.unlink()


def grow(path):
    path.write_bytes(path.read_bytes() + b"x")


@pytest.mark.parametrize("harm", [flip, cut, delete, grow])
@pytest.mark.parametrize("tile", [(0, 0), (2, 1)])
def test_a_damaged_tile_is_found_reopened_and_said(store, harm, tile):
    values = np.zeros((5, 3))  # zeros: a missing tile must not be taken for one
    artifact = publish(store, values)
    harm(artifact.folder.joinpath("arrays", "x", "c", *map(str, tile)))
    number = tile[0] * 2 + tile[1]
    with pytest.raises(CorruptArtifact) as caught:
        store.open("thing", KEY).read("x")
    assert (caught.value.array, caught.value.tile, caught.value.kind) == ("x", number, "thing")
    with pytest.raises(CorruptArtifact):
        store.open("thing", KEY).read_tile("x", tile)
    store.open("thing", KEY).read_tile("x", (1, 0))  # the others are readable
    assert [error.tile for error in store.verify("thing", KEY)] == [number]

    store.reopen(caught.value)
    assert store.state("thing", KEY) == "partial"
    with store.draft("thing", KEY, {"n": 1}) as draft:
        draft.create("x", (5, 3), "float64", (2, 2))
        assert draft.missing("x") == [tile]
        assert draft.get_json("words") is not None
        draft.write("x", tile, values[tile[0] * 2 : tile[0] * 2 + 2, tile[1] * 2 : tile[1] * 2 + 2])
        healed = draft.publish({})
    assert len(healed.info["repaired"]) == 1 and "'x'" in healed.info["repaired"][0]
    assert store.verify("thing", KEY) == []
    np.testing.assert_array_equal(healed.read("x"), values)


@pytest.mark.parametrize("harm", [flip, cut, delete])
def test_damaged_array_metadata_makes_that_array_missing(store, harm):
    artifact = publish(store)
    harm(artifact.folder / "arrays" / "x" / "zarr.json")
    with pytest.raises(CorruptArtifact) as caught:
        artifact.read("x")
    assert (caught.value.array, caught.value.tile) == ("x", None)
    store.reopen(caught.value)
    with store.draft("thing", KEY, {"n": 1}) as draft:
        draft.create("x", (5, 3), "float64", (2, 2))
        assert len(draft.missing("x")) == 6


@pytest.mark.parametrize("harm", [flip, cut, delete])
@pytest.mark.parametrize("name", ["words.json", "bytes.blob"])
def test_a_damaged_document_is_found_and_asked_for_again(store, harm, name):
    artifact = publish(store)
    harm(artifact.folder / "documents" / name)
    with pytest.raises(CorruptArtifact) as caught:
        artifact.json("words") if name == "words.json" else artifact.blob("bytes")
    store.reopen(caught.value)
    with store.draft("thing", KEY, {"n": 1}) as draft:
        draft.create("x", (5, 3), "float64", (2, 2))
        assert draft.missing("x") == []
        assert (draft.get_json("words") is None) == (name == "words.json")
        assert (draft.get_blob("bytes") is None) == (name == "bytes.blob")


@pytest.mark.parametrize("harm", [cut, delete, lambda path: flip(path, 60), lambda path: path.write_text(json.dumps({"content": {}}))])
def test_a_damaged_manifest_throws_all_away_and_says_so(store, harm):
    artifact = publish(store)
    store.pin("thing", KEY)
    store.hold("thing", KEY)
    harm(artifact.folder / "manifest.json")
    with pytest.raises(CorruptArtifact) as caught:
        store.open("thing", KEY)
    assert caught.value.array is None
    assert [entry.key for entry in store.entries()] == [KEY]  # listed, so that it can be removed
    store.reopen(caught.value)
    store.reopen(caught.value)  # a second one finds nothing to do
    with store.draft("thing", KEY, {"n": 2}) as draft:
        draft.create("x", (5, 3), "float64", (2, 2))
        assert len(draft.missing("x")) == 6
        for tile, block in blocks((2, 2), np.ones((5, 3))):
            draft.write("x", tile, block)
        assert len(draft.publish({}).info["repaired"]) == 1
    assert store.entries()[0].pinned and store.entries()[0].saved


def test_reopening_a_sound_artifact_changes_nothing(store):
    publish(store)
    store.reopen(CorruptArtifact(KEY, "x", 0), "thing")
    assert store.state("thing", KEY) == "ready"
    with pytest.raises(ValueError, match="kind"):
        store.reopen(CorruptArtifact(KEY, "x", 0))


def test_a_tile_damaged_in_the_draft_is_missing_again(store):
    with store.draft("thing", KEY, {}) as draft:
        draft.create("x", (4,), "int64", (2,))
        draft.write("x", (0,), np.array([1, 2]))
        draft.write("x", (1,), np.array([3, 4]))
        draft.put_json("words", 1)
    folder = store.root / "drafts" / "thing" / KEY
    flip(folder / "arrays" / "x" / "c" / "1")
    flip(folder / "documents" / "words.json", 15)
    (folder / "arrays" / "x" / "c" / ".1.abc.tmp").write_bytes(b"left by a kill")
    with store.draft("thing", KEY, {}) as draft:
        draft.create("x", (4,), "int64", (2,))
        assert draft.missing("x") == [(1,)] and draft.get_json("words") is None
        draft.write("x", (1,), np.array([3, 4]))
        draft.publish({})
    assert not list(store.root.rglob("*.tmp"))


def test_a_damaged_draft_state_begins_anew(store):
    with store.draft("thing", KEY, {"n": 1}) as draft:
        draft.put_json("words", 1)
    cut(store.root / "drafts" / "thing" / KEY / "draft.json")
    with store.draft("thing", KEY, {"n": 1}) as draft:
        assert not draft.resumed and draft.get_json("words") is None
