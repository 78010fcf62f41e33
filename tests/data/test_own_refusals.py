"""Image sets that cannot be kept are refused with a remedy, and leave nothing behind."""

import pytest

from ntkcore.data import import_images
from ntkcore.errors import DataError, StoreError
from ntkcore.settings import Settings

BAD_SETS = {
    "one class": (lambda make: make.classes(names=("cat",)), "the one class 'cat'", "at least two classes"),
    "single image": (
        lambda make: make.classes() | {"owl/1.png": make.encoded()},
        "Class 'owl' has a single image",
        "Add images of it, or leave the class out",
    ),
    "no images": (lambda make: {"cat/a.txt": b"x"}, "no images in the zip.*1 other files were skipped", "one folder per class"),
    "nothing": (lambda make: {}, "no images in the zip", "one folder per class"),
    "outside": (lambda make: make.classes() | {"loose.png": make.encoded()}, "'loose.png' is not in a class folder", "folder of its class"),
    "corrupt": (lambda make: {f"{c}/{i}.png": make.encoded()[:60] for c in "ab" for i in "12"}, "'a/1.png' is damaged", "intact image"),
    "not an image": (lambda make: {f"{c}/{i}.png": b"hello" for c in "ab" for i in "12"}, "'a/1.png' is damaged, or no", "PNG or JPEG"),
    "empty image": (lambda make: {f"{c}/{i}.png": b"" for c in "ab" for i in "12"}, "'a/1.png' is empty", "intact image"),
    "alike": (
        lambda make: make.classes(names=("cat", "Cat", "dog")),
        "nearly the same name: 'Cat' and 'cat'|'cat' and 'Cat'",
        "Merge them",
    ),
    "split": (
        lambda make: {f"{part}/{name[4:]}": data for part in ("train", "test") for name, data in make.classes(names=("cat",)).items()},
        "look like a division into training and test images",
        "one folder per class",
    ),
}


@pytest.mark.parametrize("case", BAD_SETS)
def test_bad_sets_are_refused_and_leave_nothing(make, local, tmp_path, case, nothing_kept):
    files, message, remedy = BAD_SETS[case]
    with pytest.raises(DataError, match=message) as caught:
        import_images(make.zip(tmp_path / "up", files(make)), local, name="x")
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"hello world", "neither a zip"), (b"\x93NUMPY\1\0", r"is a single NumPy array \(npy\)"), (b"PK", "neither")],
)
def test_files_of_another_kind(local, tmp_path, content, message, nothing_kept):
    (tmp_path / "up.zip").write_bytes(content)
    with pytest.raises(DataError, match=message):
        import_images(tmp_path / "up.zip", local, name="x")


def test_a_path_that_is_not_there(local, tmp_path, nothing_kept):
    with pytest.raises(DataError, match="There is no file 'gone'"):
        import_images(tmp_path / "gone", local, name="x")


def test_the_extension_says_nothing(make, local, tmp_path):
    make.zip(tmp_path / "zipped.parquet", make.classes())
    assert import_images(tmp_path / "zipped.parquet", local, name="x").n == 4


def test_an_image_over_the_limit_of_the_installation(make, tmp_path):
    small = Settings(cache_dir=tmp_path / "cache", image_pixels=63)
    with pytest.raises(DataError, match=r"8 × 8 pixels\) is larger than the 63 pixels allowed"):
        import_images(make.zip(tmp_path / "up", make.classes()), small, name="x")


def test_a_set_too_large_to_keep(make, tmp_path):
    small = Settings(cache_dir=tmp_path / "cache", upload_limit=3000)
    files = make.classes(shape=(4, 4))
    with pytest.raises(DataError, match="The set unpacks to more"):
        import_images(make.zip(tmp_path / "up", files), small, name="x", side=256)


def test_a_full_disk_is_said_and_leaves_nothing(make, local, tmp_path, monkeypatch, nothing_kept):
    import errno

    from ntkcore.data import own_write

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(own_write, "write_header", full)
    with pytest.raises(StoreError, match="The disk is full; nothing was imported"):
        import_images(make.zip(tmp_path / "up", make.classes()), local, name="x")


def test_a_cache_that_cannot_be_written(make, local, tmp_path):
    local.cache_dir.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be written"):
        import_images(make.zip(tmp_path / "up", make.classes()), local, name="x")
