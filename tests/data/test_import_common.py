import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntkcore.data.import_common import FoundFiles, Limits, keep_used_classes, sort_into_classes, unique_ids
from ntkcore.errors import DataError
from ntkcore.settings import Settings


def sort(*paths):
    found = FoundFiles("the zip")
    for path in paths:
        found.parts.append(tuple(path.split("/")))
        found.readers.append(lambda path=path: path.encode())
    return sort_into_classes(found)


def test_images_come_in_a_natural_order_whatever_the_order_of_the_archive():
    images = sort("10/b.png", "9/10.png", "9/9.png", "10/a.png")
    assert images.class_names == ("9", "10")
    assert images.ids == ("9/9.png", "9/10.png", "10/a.png", "10/b.png")
    assert images.labels.tolist() == [0, 0, 1, 1]
    assert list(images.items()) == [name.encode() for name in images.ids]
    assert list(images.items()) == list(images.items())


def test_shared_folders_are_passed_over():
    assert sort("a/b/cat/1", "a/b/dog/1").class_names == ("cat", "dog")
    assert sort("a/b/cat/1", "a/b/cat/2").class_names == ("cat",)
    assert sort("cat/x/1", "dog/1").class_names == ("cat", "dog")
    assert sort("cat/x/1", "dog/1").ids == ("cat/x/1", "dog/1")
    assert sort("train/cat/1", "train/dog/1").class_names == ("cat", "dog")


def test_a_train_and_test_layout_is_not_taken_for_classes():
    with pytest.raises(DataError, match="test, train look like a division"):
        sort("train/cat/1", "train/dog/1", "test/cat/1", "test/dog/1")
    assert sort("train/1", "test/1").class_names == ("test", "train")  # vehicles and exams, then


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_unused_classes_go_and_the_rest_keep_their_images(labels):
    names = tuple("abcdef")
    kept, kept_names, notes = keep_used_classes(np.array(labels), names)
    assert [kept_names[label] for label in kept] == [names[label] for label in labels]
    assert set(kept_names) == {names[label] for label in labels}
    assert bool(notes) == (len(kept_names) < 6)


def test_ids_are_made_unique():
    assert unique_ids(["a", "b"]) == ("a", "b")
    assert unique_ids(["a", "a"]) == ("0/a", "1/a")


def test_limits_follow_the_settings():
    limits = Limits.of(Settings(image_pixels=1000, upload_limit=10_000))
    assert limits.pixels == 1000
    assert limits.total_bytes == 40_000
