import dataclasses
import zipfile

import numpy as np
import pytest

from ntkcore.data import import_images
from ntkcore.data.import_common import Limits
from ntkcore.data.own_read import open_own
from ntkcore.errors import DataError


@pytest.fixture
def save(tmp_path):
    def save_npz(compressed=False, **arrays):
        with (tmp_path / "up").open("wb") as file:
            (np.savez_compressed if compressed else np.savez)(file, **arrays)
        return tmp_path / "up"

    return save_npz


def stored(report, local):
    source = open_own(report.content_id, local)
    return source.images(np.arange(report.n)), source.labels


@pytest.mark.parametrize("names", [("images", "labels"), ("x", "y")])
@pytest.mark.parametrize("compressed", [False, True])
def test_names_and_compression(make, save, local, names, compressed):
    pixels = make.pixels((6, 5, 7))
    report = import_images(save(compressed, **{names[0]: pixels, names[1]: [3, 1, 3, 1, 1, 3]}), local, name="x")
    images, labels = stored(report, local)
    np.testing.assert_array_equal(images, pixels)
    assert labels.tolist() == [1, 0, 1, 0, 0, 1]
    assert report.class_names == ("1", "3")
    assert open_own(report.content_id, local).ids(np.array([4])) == (f"{names[0]}/4",)


def test_types_and_channels(make, save, local):
    gray = make.pixels((4, 6, 6))
    for images, expected in (
        (gray[..., None], gray),
        ((gray / 255).astype(np.float32), gray),
        (gray / 255, gray),
        ((gray / 255).astype(np.float16), gray),
        (gray.astype(np.int64), gray),
        (gray.astype(">u2"), gray),
        (gray > 100, (gray > 100) * 255),
        (make.pixels((4, 6, 6, 3)), make.pixels((4, 6, 6, 3))),
        (np.concatenate([make.pixels((4, 6, 6, 3)), np.full((4, 6, 6, 1), 255, np.uint8)], axis=3), make.pixels((4, 6, 6, 3))),
        (np.zeros((4, 6, 6, 4), np.uint8), np.full((4, 6, 6, 3), 255)),
    ):
        report = import_images(save(images=images, labels=[0, 0, 1, 1]), local, name="x")
        # half precision has 11 bits: at most half a gray level
        np.testing.assert_allclose(stored(report, local)[0], expected, atol=1 if images.dtype == np.float16 else 0)


def test_class_names(make, save, local):
    images = make.pixels((4, 6, 6))
    report = import_images(save(images=images, labels=[2, 0, 2, 0], class_names=["cat", "owl", "dog"]), local, name="x")
    assert report.class_names == ("cat", "dog")
    assert "Classes without images were left out: owl." in report.notes
    report = import_images(save(images=images, labels=["dog", "cat", "dog", "cat"], class_names=["dog", "cat"]), local, name="x")
    assert report.class_names == ("dog", "cat")
    assert stored(report, local)[1].tolist() == [0, 1, 0, 1]


def test_other_arrays_are_listed_as_skipped(make, save, local):
    report = import_images(save(images=make.pixels((4, 6, 6)), labels=[0, 0, 1, 1], extra=[1, 2]), local, name="x")
    assert report.skipped == ("extra: not used",)


def test_large_arrays_are_read_in_blocks(make, save, local):
    pixels = make.pixels((5000, 48, 48))  # 11 MiB: two blocks
    report = import_images(save(images=pixels, labels=np.arange(5000) % 2), local, name="x")
    np.testing.assert_array_equal(stored(report, local)[0], pixels)


@pytest.mark.parametrize(
    ("labels", "names", "classes"),
    [
        ([1.0, 0.0, 1.0, 0.0], None, ("0", "1")),
        ([True, False, True, False], None, ("False", "True")),
        ([1.0, 0.0, 1.0, 0.0], ["cat", "dog"], ("cat", "dog")),
        ([b"dog", b"cat", b"dog", b"cat"], None, ("cat", "dog")),
        ([b"dog", b"cat", b"dog", b"cat"], [b"cat", b"dog"], ("cat", "dog")),
        (["../x", "C:\\", "../x", "C:\\"], None, ("../x", "C:\\")),
        (["-1", "-10", "-1", "-10"], None, ("-10", "-1")),
    ],
)
def test_labels_of_every_kind(make, save, local, labels, names, classes):
    arrays = {"images": make.pixels((4, 6, 6)), "labels": np.array(labels)} | ({} if names is None else {"class_names": np.array(names)})
    report = import_images(save(**arrays), local, name="x")
    assert report.class_names == classes
    given = stored(report, local)[1].tolist()
    assert given[:2] == given[2:] and given[0] != given[1]


@pytest.mark.parametrize(
    "header", ["{'descr': '|u1'", "(" * 500, "{'a': [", "\n  x\n y", "{1: 2}", "{'descr': '|u1', 'shape': 'x'}", "\0", "1e999"]
)
def test_hostile_headers_are_damage(make, local, tmp_path, header, nothing_kept):
    text = header.encode().ljust(510) + b"\n"
    array = b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + bytes(100)
    path = make.zip(tmp_path / "up", {"images.npy": array, "labels.npy": array})
    with pytest.raises(DataError, match="The array images of the npz is damaged"):
        import_images(path, local, name="x")


GOOD = np.zeros((4, 6, 6))
Y = [0, 0, 1, 1]


def at(value, dtype=np.float64):
    images = GOOD.astype(dtype)
    images[2, 3, 3] = value
    return images


BAD = {
    "nan": ({"images": at(np.nan), "labels": Y}, r"Image 2 of the npz has a value that is not finite"),
    "inf": ({"images": at(-np.inf), "labels": Y}, r"Image 2 of the npz has a value that is not finite"),
    "above": ({"images": at(1.01), "labels": Y}, "Image 2 of the npz has a value outside 0 to 1"),
    "255 as float": ({"images": at(255), "labels": Y}, "outside 0 to 1"),
    "below": ({"images": at(-0.01), "labels": Y}, "outside 0 to 1"),
    "large integer": ({"images": at(256, np.int32), "labels": Y}, "outside 0 to 255"),
    "negative integer": ({"images": at(-1, np.int8), "labels": Y}, "outside 0 to 255"),
    "complex": ({"images": GOOD.astype(complex), "labels": Y}, "holds complex128"),
    "text images": ({"images": np.full((4, 6, 6), "a"), "labels": Y}, "holds <U1"),
    "dates": ({"images": GOOD.astype("datetime64[s]"), "labels": Y}, "holds datetime64"),
    "flat": ({"images": np.zeros((4, 36)), "labels": Y}, r"has the shape \(4, 36\)"),
    "channels first": ({"images": np.zeros((4, 3, 6, 6)), "labels": Y}, r"has the shape \(4, 3, 6, 6\).*Channels must come last"),
    "five axes": ({"images": np.zeros((4, 1, 1, 1, 1)), "labels": Y}, "has the shape"),
    "no pixels": ({"images": np.zeros((4, 0, 6)), "labels": Y}, "has the shape"),
    "no images": ({"images": np.zeros((0, 6, 6)), "labels": np.zeros(0, int)}, "has the shape"),
    "by columns": ({"images": np.asfortranarray(at(0.5)), "labels": Y}, "stored by columns"),
    "short labels": ({"images": GOOD, "labels": [0, 1, 1]}, r"has 4 images, but labels has the shape \(3,\)"),
    "matrix of labels": ({"images": GOOD, "labels": np.eye(4, 2)}, r"labels has the shape \(4, 2\)"),
    "fractions": ({"images": GOOD, "labels": [0.0, 0.0, 0.5, 0.5]}, "has the label 0.5; whole numbers or text are needed"),
    "complex labels": ({"images": GOOD, "labels": [0j, 0j, 1j, 1j]}, "labels of the npz are complex128"),
    "bytes that are no text": (
        {"images": GOOD, "labels": [b"a", b"a", b"\xff", b"\xff"]},
        "labels of the npz holds bytes that are not UTF-8",
    ),
    "negative labels": ({"images": GOOD, "labels": [0, 0, -1, -1]}, "negative labels"),
    "beyond the names": ({"images": GOOD, "labels": [0, 0, 2, 2], "class_names": ["a", "b"]}, "has the label 2, but names only 2"),
    "unknown name": (
        {"images": GOOD, "labels": ["a", "a", "c", "c"], "class_names": ["a", "b"]},
        "label 'c' of the npz is not in class_names",
    ),
    "names of numbers": ({"images": GOOD, "labels": Y, "class_names": [1, 2]}, "class_names of the npz is an array of int64"),
    "names alike": ({"images": GOOD, "labels": Y, "class_names": ["a", "A"]}, "nearly the same name"),
    "one class": ({"images": GOOD, "labels": [1, 1, 1, 1]}, "the one class '1'"),
    "single image": ({"images": GOOD, "labels": [0, 0, 0, 1]}, "'1' has a single image"),
    "no labels": ({"images": GOOD}, "has the arrays images"),
    "other names": ({"pictures": GOOD, "labels": Y}, "has the arrays pictures, labels"),
    "record": ({"images": np.zeros((4, 6, 6), [("r", "u1"), ("g", "u1")]), "labels": Y}, "not plain numbers or text"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays_are_refused(save, local, case, nothing_kept):
    arrays, message = BAD[case]
    with pytest.raises(DataError, match=message) as caught:
        import_images(save(**arrays), local, name="x")
    assert caught.value.remedy


@pytest.mark.parametrize("array", ["images", "labels", "class_names"])
def test_objects_are_never_unpickled(tmp_path, local, make, array, nothing_kept):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    arrays = {"images": GOOD, "labels": np.array(Y), "class_names": np.array(["a", "b"])}
    arrays[array] = np.array([Trap()] * 4, dtype=object)
    with (tmp_path / "up").open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(DataError, match=f"{array} of the npz holds Python objects, which are not read for safety"):
        import_images(tmp_path / "up", local, name="x")
    assert not (tmp_path / "sprung").exists()


def test_damaged_arrays(save, local, tmp_path, nothing_kept):
    path = save(images=GOOD, labels=Y)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    whole = files["images.npy"]
    for data in (b"", b"\x93NUMPY", whole[:50], whole[:-1], whole + b"0", whole.replace(b"(4, 6, 6)", b"(4, 6, 9)"), b"x" + whole[1:]):
        with zipfile.ZipFile(tmp_path / "bad", "w") as archive:
            archive.writestr("images.npy", data)
            archive.writestr("labels.npy", files["labels.npy"])
        with pytest.raises(DataError, match="The array images of the npz is damaged"):
            import_images(tmp_path / "bad", local, name="x")
    with zipfile.ZipFile(tmp_path / "bad", "w") as archive:
        archive.writestr("images.npy", whole.replace(b"(4, 6, 6)", b"(-4,6,6)"))
        archive.writestr("labels.npy", files["labels.npy"])
    with pytest.raises(DataError):
        import_images(tmp_path / "bad", local, name="x")


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"files": 3}, "holds more than 3"),
        ({"total_bytes": 500}, "unpacks to more than"),
        ({"pixels": 35}, "have 36 pixels; 35 are allowed"),
    ],
)
def test_limits(save, local, limit, message, nothing_kept):
    with pytest.raises(DataError, match=message):
        import_images(save(images=GOOD, labels=Y), local, name="x", limits=dataclasses.replace(Limits.of(local), **limit))


def test_a_compressed_bomb(save, local, nothing_kept):
    with pytest.raises(DataError, match="unpacks to more than 200 times its size"):
        import_images(save(True, images=np.zeros((64, 512, 512), np.uint8), labels=np.arange(64) % 2), local, name="x")
