"""The store's promises, one by one: round trips, resumption, eviction, refusals. Damage is in ``test_store_damage.py``."""

import os
import time

import hypothesis.extra.numpy as npst
import hypothesis.strategies as st
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from stored import KEY, blocks, publish

from ntkcore.errors import Cancelled, StoreError
from ntkcore.store import Store
from ntkcore.store.lock import exclusive

DTYPES = ["bool", "int8", "uint16", "int32", "int64", "uint64", "float16", "float32", "float64", "complex64", "complex128", ">f4"]


@st.composite
def arrays_in_chunks(draw):
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
    chunks = tuple(draw(st.integers(1, 6)) for _ in shape)
    elements = st.booleans() if dtype.kind == "b" else npst.from_dtype(dtype)
    return draw(npst.arrays(dtype, shape, elements=elements)), chunks


@settings(max_examples=60, deadline=None)
@given(arrays_in_chunks())
def test_any_array_comes_back_bit_for_bit(tmp_path_factory, case):
    values, chunks = case
    store = Store(tmp_path_factory.mktemp("s"), 2**30)
    artifact = publish(store, values, chunks=chunks)
    back = artifact.read("x")
    assert back.shape == values.shape and back.dtype == values.dtype.newbyteorder("=")
    assert back.tobytes() == values.astype(back.dtype).tobytes()  # NaN payloads included
    for tile, block in blocks(chunks, values):
        np.testing.assert_array_equal(artifact.read_tile("x", tile), block)


def test_another_zarr_reader_sees_the_same_array(store):
    artifact = publish(store)
    array = zarr.open_array(artifact.folder / "arrays" / "x", mode="r")
    np.testing.assert_array_equal(array[:], np.arange(15.0).reshape(5, 3))
    assert [codec.to_dict()["name"] for codec in array.metadata.codecs] == ["bytes", "crc32c"]


def test_documents_blobs_and_info_come_back(store):
    artifact = publish(store, info={"seconds": 2, "notes": ["a"]})
    assert artifact.json("words") == {"a": "é", "b": [1, 2.5, None]}
    assert artifact.blob("bytes") == b"\x00\x01" * 50
    assert artifact.names == ("x",) and set(artifact.documents) == {"words", "bytes"}
    assert artifact.info["notes"] == ["a"] and artifact.info["identity"] == {"n": 1} and "repaired" not in artifact.info
    assert artifact.info["bytes"] > 15 * 8
    for call in (lambda: artifact.read("y"), lambda: artifact.json("y"), lambda: artifact.blob("words")):
        with pytest.raises(KeyError):
            call()


def test_states_and_absence(store):
    assert store.state("thing", KEY) == "absent"
    with pytest.raises(StoreError, match="Compute it first"):
        store.open("thing", KEY)
    with store.draft("thing", KEY, {}) as draft:
        assert store.state("thing", KEY) == "partial" and not draft.resumed
    assert store.state("thing", KEY) == "partial"
    publish_key = "b" * 64
    publish(store, key=publish_key)
    assert store.state("thing", publish_key) == "ready"
    with store.draft("thing", publish_key, {"n": 1}) as draft:
        assert draft is None
    assert store.room() > 0


def test_a_kind_can_be_listed_and_watched(store):
    assert store.stamp("thing") == 0 and store.entries("thing") == ()
    publish(store)
    before = store.stamp("thing")
    assert [entry.key for entry in store.entries("thing")] == [KEY] and store.entries("other") == ()
    assert store.stamp("other") == 0 and store.stamp("thing") == before != 0
    time.sleep(0.02)  # a file system's clock has ticks
    publish(store, key="b" * 64)
    added = store.stamp("thing")
    assert added != before and len(store.entries("thing")) == 2
    time.sleep(0.02)
    store.remove("thing", KEY)
    assert store.stamp("thing") != added


def test_a_draft_resumes_at_its_missing_tiles(store):
    values = np.arange(30, dtype="float32").reshape(10, 3)
    with store.draft("thing", KEY, {"n": 1}) as draft:
        draft.create("x", (10, 3), "float32", (4, 3))
        assert draft.missing("x") == [(0, 0), (1, 0), (2, 0)]
        draft.write("x", (1, 0), values[4:8])
        draft.put_blob("checkpoint", b"state")
        with pytest.raises(ValueError, match="2 tiles are not done"):
            draft.publish({})
        with pytest.raises(ValueError, match="not done"):
            draft.read("x")
    with store.draft("thing", KEY, {"n": 1}) as draft:
        assert draft.resumed and draft.get_blob("checkpoint") == b"state"
        draft.create("x", (10, 3), "float32", (4, 3))
        assert draft.missing("x") == [(0, 0), (2, 0)]
        draft.write("x", (0, 0), values[:4])
        draft.write("x", (2, 0), values[8:])
        np.testing.assert_array_equal(draft.read("x"), values)
        np.testing.assert_array_equal(draft.read_tile("x", (2, 0)), values[8:])
        draft.drop("checkpoint")
        assert draft.get_blob("checkpoint") is None and draft.get_json("nothing") is None
        artifact = draft.publish({})
    assert artifact.documents == ()
    np.testing.assert_array_equal(artifact.read("x"), values)


@pytest.mark.parametrize("change", [((10, 3), "float64", (4, 3)), ((10, 2), "float32", (4, 2)), ((10, 3), "float32", (5, 3))])
def test_an_array_declared_otherwise_begins_anew(store, change):
    with store.draft("thing", KEY, {}) as draft:
        draft.create("x", (10, 3), "float32", (4, 3))
        draft.write("x", (0, 0), np.ones((4, 3), "float32"))
    with store.draft("thing", KEY, {}) as draft:
        draft.create("x", *change)
        assert len(draft.missing("x")) == len(list(blocks(change[2], np.zeros(change[0]))))


def test_an_array_no_longer_declared_is_not_published(store):
    with store.draft("thing", KEY, {}) as draft:
        draft.create("old", (2,), "int8", (2,))
    with store.draft("thing", KEY, {}) as draft:
        draft.create("new", (0,), "int8", (0,))
        assert draft.publish({}).names == ("new",)


def test_a_key_with_another_identity_is_refused(store):
    with store.draft("thing", KEY, {"spec": {"n": 1}, "version": 1}):
        pass
    with pytest.raises(StoreError, match="version = 1, but now it is 2"), store.draft("thing", KEY, {"spec": {"n": 1}, "version": 2}):
        pass


def test_what_cannot_be_stored_is_refused(store):
    with store.draft("thing", KEY, {}) as draft:
        for arguments in [("x", (2,), "object", (2,)), ("x", (2,), "U3", (2,)), ("x", (2,), "f4", (2, 2)), ("x", (-1,), "f4", (2,))]:
            with pytest.raises(ValueError):
                draft.create(*arguments)
        for name in ("../x", "", ".hidden", "a/b"):
            with pytest.raises(ValueError):
                draft.put_json(name, 1)
        draft.create("x", (5,), "int32", (2,))
        with pytest.raises(ValueError, match="shape"):
            draft.write("x", (2,), np.zeros(2, "int32"))
        with pytest.raises(ValueError, match="do not fit"):
            draft.write("x", (0,), np.zeros(2, "float64"))
        for tile in [(3,), (-1,), (0, 0)]:
            with pytest.raises(IndexError):
                draft.write("x", tile, np.zeros(2, "int32"))
        with pytest.raises(ValueError, match="no array"):
            draft.write("y", (0,), np.zeros(2))
        with pytest.raises(TypeError):
            draft.put_json("x", {1, 2})
    for kind, key in [("../x", KEY), ("thing", "../../etc"), ("Thing", KEY), ("thing", "")]:
        with pytest.raises(ValueError):
            store.state(kind, key)


def test_the_least_recently_used_goes_first_and_pins_stay(store):
    keys = [letter * 64 for letter in "abcd"]
    for age, key in enumerate(keys):
        artifact = publish(store, np.zeros(1000), key=key, chunks=(1000,))
        os.utime(artifact.folder / "used", (time.time() - 100 + age,) * 2)
    os.utime(store.root / "artifacts" / "thing" / keys[1] / "used", (1, 1))  # b is now the oldest
    store.pin("thing", keys[0])
    os.utime(store.root / "artifacts" / "thing" / keys[0] / "used", (2, 2))
    one = store.entries()[0].bytes
    assert [entry.key[0] for entry in store.entries()] == ["d", "c", "a", "b"]
    small = Store(store.root, budget=2 * one + one // 2)
    assert [entry.key[0] for entry in small.evict()] == ["b", "c"]
    assert [entry.key[0] for entry in store.entries()] == ["d", "a"]
    store.open("thing", keys[0])  # using makes it the most recent
    assert store.entries()[0].key == keys[0]
    store.unpin("thing", keys[0])
    assert {entry.key[0] for entry in Store(store.root, budget=1).evict()} == {"a", "d"}
    assert not list((store.root / "trash").iterdir())


def test_what_a_saved_analysis_shows_stays_until_nothing_shows_it(store, monkeypatch):
    keys = [letter * 64 for letter in "ab"]
    for key in keys:
        publish(store, np.zeros(1000), key=key, chunks=(1000,))
        assert store.hold("thing", key) and store.hold("thing", key)
    assert not store.hold("thing", "c" * 64)
    store.pin("thing", keys[0])
    assert Store(store.root, budget=1).evict() == () and all(entry.saved for entry in store.entries())
    assert store.let_go({("thing", keys[0])}) == 0  # it was held a moment ago: its saving may not have ended
    monkeypatch.setattr("ntkcore.store.store._SAVING", -1.0)
    assert store.let_go({("thing", keys[0])}) == 1 and store.let_go({("thing", keys[0])}) == 0
    assert [entry.key for entry in Store(store.root, budget=1).evict()] == [keys[1]]
    assert store.let_go(()) == 1 and Store(store.root, budget=1).evict() == ()  # pinned by hand all the same


def test_eviction_takes_abandoned_drafts_never_one_in_use(store):
    for key in ("a" * 64, "b" * 64, "c" * 64):
        with store.draft("thing", key, {}):
            pass
    week = time.time() - 8 * 24 * 3600
    for key in ("a" * 64, "b" * 64):
        os.utime(store.root / "drafts" / "thing" / key / "draft.json", (week, week))
    with exclusive(store.root / "locks" / "thing" / f"{'b' * 64}.lock"):
        store.evict()
    assert [store.state("thing", letter * 64) for letter in "abc"] == ["absent", "partial", "partial"]


def test_removal(store):
    artifact = publish(store)
    store.pin("thing", KEY)
    with exclusive(store.root / "locks" / "thing" / f"{KEY}.lock"), pytest.raises(StoreError, match="Cancel its job"):
        store.remove("thing", KEY)
    store.remove("thing", KEY)
    store.remove("thing", KEY)
    assert store.state("thing", KEY) == "absent"
    with pytest.raises(StoreError, match="removed while"):
        artifact.read("x")
    with pytest.raises(StoreError):
        store.pin("thing", KEY)


def test_waiting_for_a_draft_can_be_cancelled(store):
    def stop():
        raise Cancelled

    with exclusive(store.root / "locks" / "thing" / f"{KEY}.lock"), pytest.raises(Cancelled):
        store.draft("thing", KEY, {}, waiting=stop).__enter__()
    with store.draft("thing", KEY, {}) as draft:
        assert draft is not None
    assert not list((store.root / "locks").rglob("*.lock"))


def test_what_an_earlier_version_stored_goes_once(store):
    def put(key, identity, *, publish=True):
        with store.draft("kernel", key, identity) as draft:
            draft.create("values", (2,), "float64", (2,))
            draft.write("values", (0,), np.zeros(2))
            if publish:
                draft.publish({})

    put("old", {"spec": {}, "version": 1})
    put("begun", {"spec": {}, "version": 1}, publish=False)
    put("new", {"spec": {}, "version": 1, "uses": {"kernel": 2}})
    store.pin("kernel", "old")
    gone = store.retire()
    assert gone is not None and gone.count == 1 and gone.bytes > 0 and store.retired() == gone
    assert [store.state("kernel", key) for key in ("old", "begun", "new")] == ["absent", "absent", "ready"]
    put("later", {"spec": {}, "version": 1})  # an older program in the same folder: not looked for again
    assert store.retire() is None and store.state("kernel", "later") == "ready"
    store.acknowledge()
    assert store.retired() is None and store.retire() is None


def test_a_new_cache_has_nothing_to_retire(store):
    assert store.retire() is None and store.retired() is None and store.retire() is None
