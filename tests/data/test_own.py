import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ntkcore.data import import_images, load_dataset, own_sets
from ntkcore.data.own_read import open_own
from ntkcore.errors import Cancelled, DataError
from ntkcore.specs import DatasetSpec


def load(report, local):
    return load_dataset(DatasetSpec(name="own", own=report.content_id, n=report.n), local)


def by_id(report, local):
    source = open_own(report.content_id, local)
    index = np.arange(report.n)
    return dict(zip(source.ids(index), zip(source.images(index), source.labels.tolist(), strict=True), strict=True))


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def four(make):
    """The same four 8 × 8 images in every form that can be imported."""
    return {
        name: make.pixels((8, 8), 100 * c + i) for c in range(2) for i in range(2) for name in [f"{'cat' if c == 0 else 'dog'}/{i}.png"]
    }


def test_a_zip_of_class_folders(make, local, tmp_path, four):
    report = import_images(make.zip(tmp_path / "up", make.classes()), local, name=" My \n pets ")
    assert (report.n, report.class_names, report.counts, report.shape, report.name) == (4, ("cat", "dog"), (2, 2), (1, 8, 8), "My pets")
    assert report.new
    assert report.notes == ("All images have 8 × 8 pixels and were kept as they are.",)
    kept = by_id(report, local)
    assert set(kept) == set(four)
    for name, pixels in four.items():
        np.testing.assert_array_equal(kept[name][0], pixels)
        assert kept[name][1] == (0 if name.startswith("cat") else 1)
    data = load(report, local)
    assert (data.title, data.content, data.inputs.shape) == ("My pets", report.content_id, (4, 1, 8, 8))


def test_zip_and_folder_of_the_same_images_are_one_set(make, local, tmp_path):
    first = import_images(make.zip(tmp_path / "up", make.classes()), local, name="a")
    wrapped = {f"outer/inner/{name}": data for name, data in reversed(make.classes().items())}
    for path in (
        make.folder(tmp_path / "folder", make.classes()),
        make.zip(tmp_path / "wrapped", wrapped, zipfile.ZIP_DEFLATED),
        tmp_path / "up",
    ):
        again = import_images(path, local, name="b")
        assert again.content_id == first.content_id
        assert not again.new
    (only,) = own_sets(local)
    assert only.name == "a"
    assert [path.name for path in (local.cache_dir / "sets").iterdir()] == [first.content_id]


def test_parquet_and_npz(make, local, tmp_path, four):
    features = {"info": {"features": {"label": {"names": ["cat", "dog"]}}}}
    rows = [{"bytes": png(pixels), "path": name} for name, pixels in four.items()]
    table = pa.table({"image": rows, "label": [0, 0, 1, 1]}).replace_schema_metadata({"huggingface": json.dumps(features)})
    pq.write_table(table, tmp_path / "p")
    folder = import_images(make.folder(tmp_path / "f", make.classes()), local, name="a")
    assert import_images(tmp_path / "p", local, name="a").content_id == folder.content_id

    with (tmp_path / "n").open("wb") as file:
        np.savez(file, images=np.stack(list(four.values())), labels=["cat", "cat", "dog", "dog"])
    report = import_images(tmp_path / "n", local, name="a")
    np.testing.assert_array_equal(open_own(report.content_id, local).images(np.arange(4)), list(four.values()))
    assert report.class_names == ("cat", "dog")


def test_mixed_sizes_follow_the_rule(make, local, tmp_path):
    files = {f"{c}/{h}x{w}.png": make.encoded((h, w), h) for c, h, w in [("a", 20, 44), ("a", 24, 24), ("b", 30, 26), ("b", 100, 90)]}
    report = import_images(make.zip(tmp_path / "up", files), local, name="x")
    assert report.shape == (1, 25, 25)  # median of the short sides 20, 24, 26, 90
    assert "short side from 20 to 90" in report.notes[0]
    assert "central 25 × 25" in report.notes[0]
    image = Image.fromarray(make.pixels((20, 44), 20)).resize((55, 25), Image.Resampling.BILINEAR).crop((15, 0, 40, 25))
    np.testing.assert_array_equal(by_id(report, local)["a/20x44.png"][0], np.asarray(image))


@pytest.mark.parametrize(
    ("size", "side", "shape"),
    [
        ((8, 8), "auto", (8, 8)),
        ((20, 64), "auto", (20, 64)),
        ((65, 64), "auto", (64, 64)),
        ((70, 100), "auto", (64, 64)),
        ((5, 90), "auto", (8, 8)),
        ((20, 64), 16, (16, 16)),
        ((16, 16), 16, (16, 16)),
        ((8, 8), 96, (96, 96)),
    ],
)
def test_the_side(make, local, tmp_path, size, side, shape):
    report = import_images(make.zip(tmp_path / "up", make.classes(size)), local, name="x", side=side)
    assert report.shape[1:] == shape
    assert ("kept as they are" in report.notes[0]) == (size == shape)
    (tmp_path / "npz").write_bytes(b"")
    with (tmp_path / "npz").open("wb") as file:
        np.savez(file, x=make.pixels((4, *size, 3)), y=[0, 0, 1, 1])
    assert import_images(tmp_path / "npz", local, name="x", side=side).shape == (3, *shape)


@pytest.mark.parametrize("side", [3, 257, 0, -5])
def test_a_side_out_of_range(make, local, tmp_path, side, nothing_kept):
    with pytest.raises(DataError, match="out of range"):
        import_images(make.zip(tmp_path / "up", make.classes()), local, name="x", side=side)


def test_gray_and_colour_become_rgb(make, local, tmp_path):
    files = make.classes() | {"cat/colour.png": make.encoded((8, 8, 3), 7)}
    report = import_images(make.zip(tmp_path / "up", files), local, name="x")
    assert report.shape == (3, 8, 8)
    assert "Gray (4) and colour (1) images were mixed: all became RGB." in report.notes
    kept = by_id(report, local)
    np.testing.assert_array_equal(kept["cat/0.png"][0], np.repeat(make.pixels((8, 8), 0)[..., None], 3, axis=2))
    np.testing.assert_array_equal(kept["cat/colour.png"][0], make.pixels((8, 8, 3), 7))


def test_transparency_and_animations_are_said(make, local, tmp_path):
    clear = io.BytesIO()
    Image.new("RGBA", (8, 8), (9, 9, 9, 0)).save(clear, "PNG")
    moving = io.BytesIO()
    frames = [Image.fromarray(make.pixels((8, 8), seed)) for seed in (0, 1)]
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:])
    files = make.classes() | {"cat/clear.png": clear.getvalue(), "dog/moving.gif": moving.getvalue()}
    report = import_images(make.zip(tmp_path / "up", files), local, name="x")
    assert any(note == "1 images with transparency were put on white." for note in report.notes)
    assert any("'dog/moving.gif'" in note and "the first was used" in note for note in report.notes)
    assert (by_id(report, local)["cat/clear.png"][0] == 255).all()


def test_what_is_no_image_is_skipped_and_listed(make, local, tmp_path):
    extra = {"cat/.DS_Store": b"x", "__MACOSX/cat/._0.png": b"x", "cat/Thumbs.db": b"x", "README.md": b"hello", "dog/a\x07.txt": b"?"}
    report = import_images(make.zip(tmp_path / "up", make.classes() | extra), local, name="x")
    assert report.n == 4
    assert report.skipped_count == 5
    assert sorted(line.split(":")[0] for line in report.skipped) == [
        "README.md",
        "__MACOSX/cat/._0.png",
        "cat/.DS_Store",
        "cat/Thumbs.db",
        "dog/a\\x07.txt",
    ]
    assert any(note.startswith("5 files were skipped: ") for note in report.notes)


def test_folders_that_systems_leave_are_no_classes(make, local, tmp_path):
    left = {f"{place}/{name}": data for place in ("@Recycle", "cat/.@__thumb", "lost+found") for name, data in make.classes().items()}
    zipped = import_images(make.zip(tmp_path / "up", make.classes() | left), local, name="x")
    assert (zipped.n, zipped.class_names, zipped.skipped_count) == (4, ("cat", "dog"), 12)
    folder = import_images(make.folder(tmp_path / "folder", make.classes() | left), local, name="x")
    assert (folder.content_id, folder.skipped_count) == (zipped.content_id, 3)  # a folder is passed over whole, and said once


def test_an_image_without_extension_is_known_by_its_bytes(make, local, tmp_path):
    files = make.classes() | {"cat/no_extension": make.encoded(seed=50), "dog/noise": b"no image"}
    report = import_images(make.zip(tmp_path / "up", files), local, name="x")
    assert report.counts == (3, 2)
    assert report.skipped == ("dog/noise: not an image that can be read",)


def test_many_images_of_photograph_size_keep_their_order(make, local, tmp_path):
    pixels = [np.full((120, 150, 3), i, np.uint8) ^ make.pixels((120, 150, 3), i) // 128 for i in range(70)]
    files = {f"{'ab'[i % 2]}/{i}.png": png(image) for i, image in enumerate(pixels)}
    kept = by_id(import_images(make.zip(tmp_path / "up", files), local, name="x", side=4), local)
    for i in range(70):
        assert abs(float(kept[f"{'ab'[i % 2]}/{i}.png"][0].mean()) - i) < 2  # the noise is one gray level


def test_progress_goes_up_to_its_total(make, local, tmp_path):
    seen = []
    import_images(make.zip(tmp_path / "up", make.classes(each=40)), local, name="x", progress=lambda *step: seen.append(step))
    done = [step[0] for step in seen]
    assert done == sorted(done)
    assert seen[-1] == (160, 160)
    assert len({step[1] for step in seen}) == 1


@pytest.mark.parametrize("after", [1, 2, 5, 6])
def test_cancelling_leaves_nothing(make, local, tmp_path, after, nothing_kept):
    calls = []

    def cancel(done, total):
        calls.append(done)
        if len(calls) == after:
            raise Cancelled

    with pytest.raises(Cancelled):
        import_images(make.zip(tmp_path / "up", make.classes(each=40)), local, name="x", progress=cancel)
