import hashlib
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ntkcore.data import content_hash, import_images, load_dataset, own_sets, remove_own
from ntkcore.data.own_read import open_own
from ntkcore.data.own_store import _data_id, data_id_of, half_written
from ntkcore.errors import DataError, DataMissing
from ntkcore.specs import DatasetSpec


@pytest.fixture
def report(make, local, tmp_path):
    return import_images(make.zip(tmp_path / "up", make.classes((8, 8, 3), each=3)), local, name="Pets")


@pytest.fixture
def folder(report, local):
    return local.cache_dir / "sets" / report.content_id


def spec(report, n=6):
    return DatasetSpec(name="own", own=report.content_id, n=n)


def test_the_list(report, local, folder):
    (item,) = own_sets(local)
    assert (item.content_id, item.name, item.n, item.counts) == (report.content_id, "Pets", 6, (3, 3))
    assert (item.class_names, item.shape, item.shape_text) == (("cat", "dog"), (3, 8, 8), "8 × 8 RGB")
    assert item.notes == report.notes
    assert abs(item.imported - time.time()) < 60
    assert item.bytes > 6 * 8 * 8 * 3
    assert item.problem == ""


def test_the_newest_comes_first(report, make, local, tmp_path):
    import_images(make.zip(tmp_path / "two", make.classes((4, 4))), local, name="Second")
    assert [item.name for item in own_sets(local)] == ["Second", "Pets"]


def test_no_sets(local):
    assert own_sets(local) == ()


def test_removing(report, local):
    remove_own(report.content_id, local)
    assert own_sets(local) == ()
    assert list((local.cache_dir / "sets").iterdir()) == []
    for call in (lambda: remove_own(report.content_id, local), lambda: load_dataset(spec(report), local)):
        with pytest.raises(DataMissing):
            call()
    with pytest.raises(DataMissing):
        content_hash(spec(report), local)


@pytest.mark.parametrize("content_id", ["", "..", "../sets", "x" * 64, "/etc"])
def test_ids_that_are_none(local, content_id):
    with pytest.raises(DataMissing):
        remove_own(content_id, local)


def test_the_draw_and_its_refusals(report, local):
    assert content_hash(spec(report), local) == report.content_id
    data = load_dataset(spec(report), local)
    assert data.inputs.shape == (6, 3, 8, 8)
    with pytest.raises(DataError, match="Pets has 6 images; 7 were asked for"):
        load_dataset(spec(report, 7), local)


def flip(path, position, keep_time=False):
    data = bytearray(path.read_bytes())
    stat = path.stat()
    data[position] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))


@pytest.mark.parametrize("loaded_before", [False, True])
@pytest.mark.parametrize("damage", ["pixel", "header", "label", "id", "class", "short", "gone", "json"])
def test_damage_is_found(report, local, folder, make, tmp_path, damage, loaded_before):
    if loaded_before:
        load_dataset(spec(report), local)
    if damage == "pixel":
        flip(folder / "images.npy", -5)
    elif damage == "header":
        flip(folder / "images.npy", 8)
    elif damage == "label":
        flip(folder / "labels.npy", -8)
    elif damage == "id":
        flip(folder / "ids.json", 3)
    elif damage == "class":
        text = (folder / "set.json").read_text()
        (folder / "set.json").write_text(text.replace('"dog"', '"hog"'))
    elif damage == "short":
        with (folder / "images.npy").open("r+b") as file:
            file.truncate(300)
    elif damage == "gone":
        (folder / "labels.npy").unlink()
    else:
        (folder / "set.json").write_text("{")
    with pytest.raises(DataError, match="damaged on disk") as caught:
        load_dataset(spec(report), local)
    assert "Import the same images again" in caught.value.remedy

    again = import_images(tmp_path / "up", local, name="Pets")  # the remedy works
    assert again.new
    assert again.content_id == report.content_id
    assert load_dataset(spec(report), local).n == 6


BROKEN = ["", "{", "[]", '{"name": 3}', '{"name": "a", "class_names": [1]}', "[" * 100_000]
NUMBERS = ["Infinity", "NaN", "1" + "0" * 400, "[]", '"3"']


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_that_are_none(report, local, folder, number):
    folder, told = of_before(folder, 1)
    assert not own_sets(local)[0].problem
    for name in ("imported", "bytes"):
        (folder / "set.json").write_text(json.dumps(told | {name: "HERE"}).replace('"HERE"', number))
        assert own_sets(local)[0].problem


@pytest.mark.parametrize("text", BROKEN)
def test_a_damaged_description_is_listed_and_can_be_removed(report, local, folder, text):
    (folder / "set.json").write_text(text)
    (item,) = own_sets(local)
    assert "damaged" in item.problem
    assert item.n == 0
    assert item.shape_text == "unreadable"
    remove_own(item.content_id, local)
    assert own_sets(local) == ()


def test_no_flipped_bit_of_a_description_goes_unsaid(report, local, folder):
    """Name, notes and counts are what was written: the id is over them, too."""
    sound = (folder / "set.json").read_bytes()
    for byte in range(len(sound)):
        flip(folder / "set.json", byte)
        (item,) = own_sets(local)
        assert item.problem and item.content_id == report.content_id, sound[byte - 5 : byte + 5]
        (folder / "set.json").write_bytes(sound)
    assert own_sets(local)[0].problem == ""


def of_before(folder, version):
    """The set as earlier versions kept it: under the id of its data; returns its folder and what its description says."""
    told = json.loads((folder / "set.json").read_text())
    before = folder.with_name(_data_id(told))
    told |= {"version": version, "imported": 1.7e9}
    summed = {"sha256": hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()} if version == 2 else {}
    folder.rename(before)
    (before / "set.json").write_text(json.dumps(told | summed, ensure_ascii=False))
    return before, told | summed


def test_the_id_of_a_sets_data_is_what_it_was():
    """Of 0.1.0: written down once, since a set of before is found by it."""
    hashes = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("images", "labels", "ids")}
    assert data_id_of(hashes, (6, 8, 8, 3), ("cat", "dog")) == "29e4eb8d3652beb94f5a78b4ce1a70dd1c6d9518a94776459eb961635bcd8a9c"


@pytest.mark.parametrize("version", [1, 2])
def test_a_set_of_before_opens_at_its_address(report, make, local, tmp_path, folder, version):
    before, told = of_before(folder, version)
    (item,) = own_sets(local)
    assert (item.content_id, item.problem, item.name, item.imported) == (before.name, "", "Pets", 1.7e9)
    old = DatasetSpec(name="own", own=before.name, n=6)
    assert load_dataset(old, local).n == 6
    again = import_images(tmp_path / "up", local, name="Other")  # the same images are still one set
    assert (again.content_id, again.new) == (before.name, False)
    (before / "set.json").write_text(json.dumps(told | {"counts": [2, 4]}))
    with pytest.raises(DataError, match="damaged on disk"):
        load_dataset(old, local)


@pytest.mark.parametrize("file", ["images.npy", "set.json"])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_damaged_set_of_any_version_is_mended_at_its_address(report, local, tmp_path, folder, version, file):
    if version < 3:
        folder, _ = of_before(folder, version)
    (folder / file).write_bytes(b"damaged")
    again = import_images(tmp_path / "up", local, name="Pets")
    assert (again.content_id, again.new) == (folder.name, True)
    assert [(item.content_id, item.name, item.problem) for item in own_sets(local)] == [(folder.name, "Pets", "")]
    assert open_own(folder.name, local).labels.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_description_that_pretends_to_be_of_before_is_damaged(report, local, folder, version):
    told = (folder / "set.json").read_text()
    (folder / "set.json").write_text(told.replace('"version": 3', f'"version": {version}'))
    assert own_sets(local)[0].problem


@pytest.mark.parametrize("file", ["images.npy", "labels.npy"])
def test_another_type_of_the_same_bytes_is_damage(report, local, folder, file):
    data = (folder / file).read_bytes()
    for written, read in ((b"'|u1'", b"'|i1'"), (b"'<i8'", b"'>i8'")):
        data = data.replace(written, read)
    (folder / file).write_bytes(data)
    with pytest.raises(DataError, match="damaged on disk"):
        load_dataset(spec(report), local)


def test_the_name_is_part_of_the_id_and_the_same_images_are_one_set_all_the_same(report, make, local, tmp_path, folder):
    other = import_images(tmp_path / "up", local, name="Other")
    assert (other.content_id, other.new) == (report.content_id, False)
    remove_own(report.content_id, local)
    other = import_images(tmp_path / "up", local, name="Other")
    assert other.content_id != report.content_id and other.new
    assert [item.name for item in own_sets(local)] == ["Other"]
    remove_own(other.content_id, local)
    assert import_images(tmp_path / "up", local, name="Pets").content_id == report.content_id


def test_the_id_is_the_sha256_of_the_description(report, folder):
    assert hashlib.sha256((folder / "set.json").read_bytes()).hexdigest() == report.content_id == folder.name


def test_the_content_is_all_else(report, make, local, tmp_path):
    ids = {report.content_id}
    base = make.classes((8, 8, 3), each=3)
    renamed_class = {name.replace("dog", "cow"): data for name, data in base.items()}
    renamed_file = {name.replace("cat/0", "cat/9"): data for name, data in base.items()}
    other_pixels = base | {"cat/0.png": make.encoded((8, 8, 3), 77)}
    for number, files in enumerate((renamed_class, renamed_file, other_pixels)):
        ids.add(import_images(make.zip(tmp_path / str(number), files), local, name="Pets").content_id)
    assert len(ids) == 4


def test_what_dead_processes_left_is_cleared(local):
    sets = local.cache_dir / "sets"
    (sets / ".new-old").mkdir(parents=True)
    (sets / ".new-young").mkdir()
    os.utime(sets / ".new-old", (0, 0))
    with half_written(local) as folder:
        assert folder.is_dir()
    assert [path.name for path in sets.iterdir()] == [".new-young"]


def test_stored_arrays_are_plain_npy(folder):
    assert np.load(folder / "images.npy", allow_pickle=False).shape == (6, 8, 8, 3)
    assert np.load(folder / "labels.npy", allow_pickle=False).dtype == np.int64
    assert sorted(path.name for path in folder.iterdir()) == ["ids.json", "images.npy", "labels.npy", "set.json"]


def test_imports_of_the_same_images_at_once_are_one_set(make, local, tmp_path):
    """Four threads publish the same content, while others' half-written folders come and go."""
    path = make.zip(tmp_path / "up", make.classes())
    together = threading.Barrier(4)

    def bring(number):
        found = []
        for _ in range(5):
            together.wait()
            found.append(import_images(path, local, name=f"x{number}"))
        return found

    with ThreadPoolExecutor(4) as threads:
        reports = [report for found in threads.map(bring, range(4)) for report in found]
    assert len({report.content_id for report in reports}) == 1
    assert sum(report.new for report in reports) == 1
    assert len(list((local.cache_dir / "sets").iterdir())) == 1
    assert open_own(reports[0].content_id, local).labels.tolist() == [0, 0, 1, 1]


def test_a_damaged_set_is_replaced_by_importing_it_again(report, make, local, tmp_path, folder):
    (folder / "images.npy").write_bytes(b"damaged")
    again = import_images(make.zip(tmp_path / "again", make.classes((8, 8, 3), each=3)), local, name="again")
    assert (again.content_id, again.new) == (report.content_id, True)
    assert open_own(report.content_id, local).labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert len(list((local.cache_dir / "sets").iterdir())) == 1
