"""Sets of photographs: originals kept or referred to, sizes cut from them, thumbnails, divisions, and what cannot be read."""

import dataclasses
import io
import json
import struct
import tracemalloc
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ntkcore.data import (
    bare_original,
    import_images,
    load_dataset,
    load_held_out,
    own_sets,
    own_write,
    preview_set,
    room_of,
    seen_by_network,
    thumbnail_pack,
)
from ntkcore.data.import_common import Limits
from ntkcore.data.own_read import open_own
from ntkcore.data.sizing import Sizing
from ntkcore.errors import Cancelled, DataError, SpecError
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec


def smooth(seed, shape=(120, 160), kind="JPEG", **options):
    """A photograph of a few colours that differ by seed."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    pixels = np.stack([rows + 10 * seed, columns + 20 * seed, rows + columns], axis=-1).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, quality=90, **options)
    return buffer.getvalue()


def photographs(each=4, name="{folder}/{i}.jpg", **options):
    return {
        name.format(folder=folder, i=i): smooth(10 * c + i, **options) for c, folder in enumerate(("ants", "bees")) for i in range(each)
    }


def spec(report, n=8, **options):
    return DatasetSpec(name="own", own=report.content_id, n=n, **options)


@pytest.fixture
def report(make, local, tmp_path):
    return import_images(make.zip(tmp_path / "up", photographs()), local, name="Insects")


def test_originals_are_kept_byte_by_byte(report, local):
    source = open_own(report.content_id, local)
    files = photographs()
    assert [source.original(i) for i in range(8)] == [files[name] for name in source.ids(np.arange(8))]
    assert report.shape == (3, 64, 64) and own_sets(local)[0].originals
    assert any("originals are kept as they came" in note for note in report.notes)


@pytest.mark.parametrize(("size", "crop", "way"), [(32, 1.0, "bilinear"), (64, 0.875, "bicubic"), (160, 1.0, "bilinear")])
def test_each_analysis_has_its_size(report, local, size, crop, way):
    data = load_dataset(spec(report, size=size, crop=crop, interpolation=way), local)
    assert data.inputs.shape == (8, 3, size, size)
    files = photographs()
    for name, pixels, inputs in zip(data.ids, data.pixels, data.inputs, strict=True):
        whole = Image.open(io.BytesIO(files[name])).convert("RGB")
        short = int(size / crop)
        filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
        scaled = whole.resize((int(short * 160 / 120), short), filters[way])
        left, top = round((scaled.width - size) / 2), round((scaled.height - size) / 2)
        oracle = np.asarray(scaled.crop((left, top, left + size, top + size)))
        np.testing.assert_array_equal(pixels, oracle)
        np.testing.assert_array_equal(inputs, (oracle.transpose(2, 0, 1) / np.float32(255)).astype(np.float32))
    small = load_dataset(spec(report), local)
    assert small.inputs.shape == (8, 3, 64, 64) and small.ids == data.ids and small.content == data.content


def test_orientation_counts_before_the_crop(make, local, tmp_path):
    tags = Image.Exif()
    tags[0x0112] = 6
    files = photographs(each=2) | {"bees/turned.jpg": smooth(3, exif=tags.tobytes())}
    report = import_images(make.zip(tmp_path / "up", files), local, name="x")
    data = load_dataset(spec(report, n=5, size=32), local)
    at = data.ids.index("bees/turned.jpg")
    turned = Image.open(io.BytesIO(files["bees/turned.jpg"])).convert("RGB").transpose(Image.Transpose.ROTATE_270)
    np.testing.assert_array_equal(data.pixels[at], np.asarray(Sizing(32).cut(turned)))
    pack = thumbnail_pack(data.pixels, local, origin=data.origin)
    assert Image.open(io.BytesIO(pack.picture(at))).size == (120, 160)
    shown, kind = bare_original(pack.origin, at, local)
    assert kind == "image/jpeg" and Image.open(io.BytesIO(shown)).size == (120, 160) and b"Exif" not in shown
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(seen_by_network(pack.origin, at, Sizing(32), local)))), data.pixels[at])
    assert Image.open(io.BytesIO(seen_by_network(pack.origin, at, None, local))).size == (64, 64)


def test_cards_are_sharp_and_the_same_at_every_size(make, local, tmp_path):
    files = photographs(shape=(600, 450))
    report = import_images(make.zip(tmp_path / "up", files), local, name="x")
    packs = [
        thumbnail_pack(data.pixels, local, origin=data.origin) for data in (load_dataset(spec(report, size=s), local) for s in (None, 96))
    ]
    assert packs[0].id == packs[1].id and packs[0].origin.content == report.content_id
    card = Image.open(io.BytesIO(packs[0].picture(0)))
    assert card.size == (192, 256) and not card.getexif()
    whole = Image.open(io.BytesIO(files[open_own(report.content_id, local).ids(packs[0].origin.positions[:1])[0]]))
    oracle = np.asarray(whole.resize((192, 256), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(oracle - np.asarray(card)).mean() < 6


@pytest.mark.parametrize("layout", ["folders", "beginnings", "files"])
def test_a_division_is_kept_and_held_out_from(make, local, tmp_path, layout):
    if layout == "folders":
        files = {f"{part}/{name}": data for part, each in (("train", 4), ("val", 3)) for name, data in photographs(each).items()}
        path = make.zip(tmp_path / "up", files)
    elif layout == "beginnings":
        files = {**photographs(4, "{folder}/train_{i}.jpg"), **photographs(3, "{folder}/val_{i}.jpg")}
        path = make.zip(tmp_path / "up", files)
    else:
        path = [make.zip(tmp_path / f"{part}.zip", photographs(each)) for part, each in (("train", 4), ("val", 3))]
    report = import_images(path, local, name="x")
    assert report.parts == {"train": 8, "val": 6} and report.class_names == ("ants", "bees") and report.n == 14
    (item,) = own_sets(local)
    assert item.parts == (("train", 8), ("val", 6)) and not item.problem
    chosen = spec(report, part="train", size=32)
    train, held = load_dataset(chosen, local), load_held_out(chosen, 6, local)
    assert all("train" in name for name in train.ids) and all("val" in name for name in held.ids)
    assert not set(train.ids) & set(held.ids) and set(held.labels) == {0, 1}
    room = room_of(chosen, local)
    assert (room.images, room.held, room.left(8, 2)) == (8, 6, 4)
    with pytest.raises(SpecError, match="no part 'test'") as caught:
        load_dataset(spec(report, part="test"), local)
    assert "train, val" in caught.value.remedy
    with pytest.raises(DataError, match="these classes and parts"):
        load_dataset(spec(report, n=9, part="train"), local)
    with pytest.raises(DataError):
        load_held_out(chosen, 7, local)
    assert load_dataset(spec(report, n=14), local).n == 14


def test_held_out_images_without_a_part_follow_in_the_draw(report, local):
    whole = load_dataset(spec(report), local)
    held = load_held_out(spec(report, n=5), 3, local)
    assert held.ids == whole.ids[5:]
    assert np.array_equal(held.inputs, whole.inputs[5:])
    assert load_held_out(spec(report, n=5), 3, local, first=1).ids == whole.ids[5:6]


BAD = {
    "bees/broken.jpg": (lambda: smooth(1)[:900], "is damaged"),
    "bees/text.jpg": (lambda: b"hello", "is damaged, or no image that can be read"),
    "ants/empty.png": (lambda: b"", "is empty"),
    "ants/huge.png": (lambda: huge(), "is larger than the 25,000,000 pixels allowed"),
}


class TestUnreadable:
    """One of them is no reason to refuse the rest."""

    def test_they_are_listed_and_left_out(self, make, local, tmp_path):
        files = photographs() | {name: data() for name, (data, _) in BAD.items()}
        report = import_images(make.zip(tmp_path / "up", files), local, name="x")
        assert (report.n, report.counts, report.skipped_count) == (8, (4, 4), 4)
        for name, (_, why) in BAD.items():
            assert any(line.startswith(f"{name}: ") and why in line for line in report.skipped), (name, report.skipped)
        assert load_dataset(spec(report, size=32), local).n == 8
        (item,) = own_sets(local)
        assert item.skipped == report.skipped and item.skipped_count == 4 and not item.problem

    def test_of_small_images_too(self, make, local, tmp_path):
        files = make.classes(each=3) | {"cat/x.png": make.encoded()[:60]}
        report = import_images(make.zip(tmp_path / "up", files), local, name="x")
        assert (report.n, report.shape) == (6, (1, 8, 8)) and report.skipped == ("cat/x.png: is damaged",)
        assert open_own(report.content_id, local).images(np.arange(6)).shape == (6, 8, 8)

    def test_where_too_few_are_left_it_says_what_cannot_be_read(self, make, local, tmp_path, nothing_kept):
        files = make.classes() | {"cat/0.png": make.encoded()[:60]}
        with pytest.raises(DataError, match=r"'cat' has a single image in this set.*cat/0\.png: is damaged"):
            import_images(make.zip(tmp_path / "up", files), local, name="x")

    def test_what_they_cost_is_bounded(self, make, local, tmp_path, monkeypatch, nothing_kept):
        monkeypatch.setattr("ntkcore.data.own_write._LOST_SECONDS", 0.0)
        files = photographs() | {"ants/x.jpg": smooth(1)[:900]}
        with pytest.raises(DataError, match="cannot be read have taken more than 0 s of processor"):
            import_images(make.zip(tmp_path / "up", files), local, name="x")

    def test_what_is_wrong_is_held_without_the_bytes(self):
        """A traceback would keep what its frames hold."""
        lost = own_write.Lost(["a"])
        try:
            raise DataError("The image 'a' is damaged.", "Remove it.")
        except DataError as error:
            lost.add(0, error)
        assert lost.why[0].__traceback__ is None and list(lost.lines()) == ["a: is damaged"]

    def test_rows_of_parquet(self, local, tmp_path):
        images = [smooth(i) for i in range(5)] + [None, b"x"]
        pq.write_table(
            pa.table({"image": [{"bytes": data, "path": None} for data in images], "label": [0, 1, 0, 1, 0, 1, 0]}), tmp_path / "p"
        )
        report = import_images(tmp_path / "p", local, name="x")
        assert report.n == 5 and [line.split(":")[0] for line in report.skipped] == ["row/5", "row/6"]


def huge():
    """A PNG of 50 megapixels that says so and no more."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 10_000, 5_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


class TestReferring:
    @pytest.fixture
    def folder(self, make, tmp_path):
        return make.folder(tmp_path / "here", photographs())

    @pytest.fixture
    def report(self, folder, local):
        return import_images(folder, local, name="x", refer=True)

    def test_files_stay_where_they_are(self, report, local, folder):
        kept = sorted(path.name for path in (local.cache_dir / "sets" / report.content_id).iterdir())
        assert "originals.bin" not in kept and "links.json" in kept
        assert any("stay where they are" in note for note in report.notes)
        copied = import_images(folder, local, name="x")
        assert copied.content_id != report.content_id
        assert np.array_equal(load_dataset(spec(report, size=48), local).inputs, load_dataset(spec(copied, size=48), local).inputs)

    @pytest.mark.parametrize(
        ("harm", "said"),
        [
            (lambda path: path.unlink(), "'bees/1.jpg' is no longer where it was"),
            (lambda path: path.write_bytes(smooth(99)), "'bees/1.jpg' has changed"),
            (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"x"), "'bees/1.jpg' has changed"),
        ],
    )
    def test_a_file_that_is_gone_or_changed_is_named(self, report, local, folder, harm, said):
        harm(folder / "bees" / "1.jpg")
        with pytest.raises(DataError, match=said) as caught:
            load_dataset(spec(report, size=32), local)
        assert str(folder) in caught.value.remedy
        assert load_dataset(spec(report), local).n == 8  # the small copies are the set's own


FURTHER = ["originals.bin", "original_ends.npy", "cards.bin", "card_ends.npy", "parts.json"]


@pytest.mark.parametrize("file", FURTHER)
@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1])),
    ],
)
def test_damage_of_any_file_is_found_and_mended(make, local, tmp_path, file, harm):
    path = make.zip(tmp_path / "up", {**photographs(3, "{folder}/train_{i}.jpg"), **photographs(3, "{folder}/val_{i}.jpg")})
    report = import_images(path, local, name="x")
    harm(local.cache_dir / "sets" / report.content_id / file)
    with pytest.raises(DataError, match="damaged on disk"):
        load_dataset(spec(report), local)
    again = import_images(path, local, name="x")
    assert again.content_id == report.content_id and again.new
    assert load_dataset(spec(report, size=32), local).n == 8


def test_a_set_with_small_copies_alone_is_drawn_from_them(make, local, tmp_path):
    """As sets of before have them, and images that were small when they came."""
    report = import_images(make.zip(tmp_path / "up", make.classes((20, 30, 3), each=4)), local, name="x")
    data = load_dataset(spec(report, size=32), local)
    assert data.inputs.shape == (8, 3, 32, 32) and data.origin is None
    raw = open_own(report.content_id, local).images(np.arange(8))
    names = open_own(report.content_id, local).ids(np.arange(8))
    oracle = np.asarray(Sizing(32).cut(Image.fromarray(raw[names.index(data.ids[0])])))
    np.testing.assert_array_equal(data.pixels[0], oracle)


class TestMore:
    def test_more_images_are_a_new_version(self, report, make, local, tmp_path):
        files = {f"bees/{i}.jpg": smooth(50 + i) for i in (3, 4, 5)} | {"wasps/a.jpg": smooth(70), "wasps/b.jpg": smooth(71)}
        more = import_images(make.zip(tmp_path / "more", files), local, name="Insects", more=report.content_id)
        assert more.content_id != report.content_id and more.class_names == ("ants", "bees", "wasps") and more.counts == (4, 6, 2)
        assert more.skipped == ("bees/3.jpg: in the set already",)
        versions = {item.content_id: item.before for item in own_sets(local)}
        assert versions == {report.content_id: "", more.content_id: report.content_id}
        before = open_own(report.content_id, local)
        after = open_own(more.content_id, local)
        assert after.ids(np.arange(8)) == before.ids(np.arange(8)) and after.original(7) == before.original(7)
        assert after.original(8) == files["bees/4.jpg"]

    def test_nothing_new_is_said(self, report, make, local, tmp_path):
        with pytest.raises(DataError, match="in the set already"):
            import_images(tmp_path / "up", local, name="x", more=report.content_id)

    def test_small_images_and_references(self, make, local, tmp_path):
        small = import_images(make.zip(tmp_path / "small", make.classes(each=2)), local, name="s")
        both = import_images(make.zip(tmp_path / "b", {"cat/9.png": make.encoded(seed=9)}), local, name="s", more=small.content_id)
        assert both.n == 5 and both.shape == (1, 8, 8)
        first = import_images(make.folder(tmp_path / "root" / "one", photographs()), local, name="r", refer=True)
        other = {name.replace(".jpg", "x.jpg"): data for name, data in photographs().items()}
        two = import_images(make.folder(tmp_path / "root" / "two", other), local, name="r", refer=True, more=first.content_id)
        links = json.loads((local.cache_dir / "sets" / two.content_id / "links.json").read_text())
        assert links["root"] == str(tmp_path / "root") and links["files"][0][0] == "one/ants/0.jpg" and len(links["files"]) == 16
        assert load_dataset(spec(two, n=16, size=32), local).n == 16


class TestGoingOn:
    """A stopped import goes on where it was."""

    @pytest.fixture
    def path(self, make, tmp_path):
        return make.zip(tmp_path / "up", photographs(each=100, shape=(70, 80)) | {"bees/x.jpg": smooth(1)[:900]})

    @pytest.fixture(autouse=True)
    def noted(self, monkeypatch):
        monkeypatch.setattr("ntkcore.data.own_write._SAVED", 0.0)

    def stopped(self, path, local, at):
        def cancel(done, total):
            if done >= at:
                raise Cancelled

        with pytest.raises(Cancelled):
            import_images(path, local, name="x", progress=cancel)

    @pytest.mark.parametrize("harm", [False, True])
    def test_what_is_done_is_not_done_again(self, path, local, tmp_path, monkeypatch, harm):
        other = Settings(cache_dir=tmp_path / "other")
        whole = import_images(path, other, name="x")
        self.stopped(path, local, 201 + 130)
        (half,) = (local.cache_dir / "sets").glob(".half-*")
        if harm:  # a disk that lost its last writes: begun anew
            (half / "cards.bin").write_bytes(b"")
        decoded = []
        real = own_write._decode
        monkeypatch.setattr(own_write, "_decode", lambda place, *rest: decoded.append(place) or real(place, *rest))
        report = import_images(path, local, name="x")
        assert report.content_id == whole.content_id and report.n == 200 and report.skipped == whole.skipped
        assert min(decoded) == (0 if harm else 192)
        assert not list((local.cache_dir / "sets").glob(".half-*"))
        assert load_dataset(spec(report, n=200, size=32), local).n == 200

    def test_other_images_do_not_go_on_from_it(self, path, make, local, tmp_path):
        self.stopped(path, local, 350)
        report = import_images(make.zip(tmp_path / "2", photographs(each=3)), local, name="x")
        assert report.n == 6
        assert len(list((local.cache_dir / "sets").glob(".half-*"))) == 1


class TestPreview:
    def test_a_zip(self, make, local, tmp_path, nothing_kept):
        files = {
            **photographs(4, "{folder}/train_{i}.jpg"),
            **photographs(3, "{folder}/val_{i}.jpg"),
            "ants/notes.txt": b"x",
            "bees/val_b.jpg": b"x",
        }
        found = preview_set([make.zip(tmp_path / "up", files)], local)
        assert (found.kind, found.n, found.class_names, found.counts) == ("images", 14, ("ants", "bees"), (7, 7))
        assert found.parts == {"train": 8, "val": 6} and found.sides == (120, 120)
        assert found.skipped == (
            "ants/notes.txt: not an image that can be read",
            "bees/val_b.jpg: is damaged, or no image that can be read",
        )

    def test_arrays_and_texts(self, make, local, tmp_path):
        with (tmp_path / "n").open("wb") as file:
            np.savez(file, images=make.pixels((4, 100, 90, 3)), labels=["cat", "cat", "dog", "dog"])
        found = preview_set([tmp_path / "n"], local)
        assert (found.n, found.sides, found.parts) == (4, (90, 90), {})
        (tmp_path / "t.csv").write_text("text,label,when\ngood film,a,1\nbad film,b,2\n,a,3\n")
        found = preview_set([tmp_path / "t.csv"], local)
        assert (found.kind, found.n, found.columns, found.skipped) == ("texts", 2, ("text", "label", "when"), ("row/2: empty",))


def test_arrays_larger_than_a_small_copy_keep_their_pixels(make, local, tmp_path):
    pixels = make.pixels((4, 100, 90, 3))
    with (tmp_path / "n").open("wb") as file:
        np.savez(file, images=pixels, labels=["cat", "cat", "dog", "dog"])
    report = import_images(tmp_path / "n", local, name="x")
    data = load_dataset(spec(report, n=4, size=90), local)
    at = [int(position) for position in data.origin.positions]
    np.testing.assert_array_equal(data.pixels, pixels[at][:, 5:95])


class TestParquetFiles:
    def shard(self, path, seeds, labels, names=("ant", "bee")):
        features = {"info": {"features": {"label": {"names": list(names)}}}}
        rows = [{"bytes": smooth(seed), "path": f"{seed}.jpg"} for seed in seeds]
        table = pa.table({"image": rows, "label": labels}).replace_schema_metadata({"huggingface": json.dumps(features)})
        pq.write_table(table, path)
        return path

    def test_shards_of_two_parts(self, local, tmp_path):
        data = tmp_path / "data"
        data.mkdir()
        self.shard(data / "train-00000-of-00002.parquet", [0, 1], [0, 0])
        self.shard(data / "train-00001-of-00002.parquet", [2, 3], [1, 1])
        self.shard(data / "test-00000-of-00001.parquet", [4, 5], [1, 0])
        report = import_images(data, local, name="x")
        assert (report.n, report.class_names, report.parts) == (6, ("ant", "bee"), {"test": 2, "train": 4})
        assert open_own(report.content_id, local).labels.tolist() == [1, 0, 0, 0, 1, 1]

    def test_several_files_named_one_by_one(self, local, tmp_path):
        paths = [self.shard(tmp_path / f"{i}.parquet", [2 * i, 2 * i + 1], [0, 1]) for i in range(3)]
        assert import_images(paths, local, name="x").counts == (3, 3)


def test_an_import_takes_bounded_memory(make, local, tmp_path):
    """Photographs of 300 pixels: what is held does not grow with their number."""

    def peak(count):
        files = {
            f"{folder}/{i}.jpg": data
            for folder, data in (("a", smooth(1, (300, 300))), ("b", smooth(2, (300, 300))))
            for i in range(count // 2)
        }
        path = make.zip(tmp_path / str(count), files)
        tracemalloc.start()
        try:
            import_images(path, local, name="x")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(70), peak(210)  # more than are decoded at once
    assert many < few + 140 * 20_000  # names, heads and lists; a decoded one has 270,000 bytes


def test_limits_hold_for_what_is_kept(make, local, tmp_path, nothing_kept):
    limits = dataclasses.replace(Limits.of(local), stored_bytes=8 * 64 * 64 * 3)
    with pytest.raises(DataError, match="unpacks to more than"):
        import_images(make.zip(tmp_path / "up", photographs(shape=(800, 900))), local, name="x", limits=limits)
