"""Which folders are classes, and what is refused because it is unclear."""

import pytest

from ntkcore.data.class_folders import sort_into_classes, training_part
from ntkcore.data.import_common import FoundFiles
from ntkcore.errors import DataError


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


def test_a_division_above_the_class_folders_is_kept():
    images = sort("set/train/cat/1", "set/train/dog/1", "set/test/cat/1", "set/test/dog/1")
    assert images.class_names == ("cat", "dog") and images.labels.tolist() == [0, 1, 0, 1]
    assert images.ids == ("test/cat/1", "test/dog/1", "train/cat/1", "train/dog/1")
    assert images.parts == ("test", "test", "train", "train")
    images = sort("Training/images/cat/1", "Validation2/images/dog/1", "Training/images/dog/1")
    assert images.class_names == ("cat", "dog") and images.parts == ("Training", "Training", "Validation2")
    assert sort("train/cat/1", "train/unlabelled/1", "val/cat/1").labels.tolist() == [0, -1, 0]


def test_a_division_by_the_beginnings_of_names():
    images = sort("ant/train_1.jpg", "ant/val_1.jpg", "bee/train-2.jpg", "bee/TRAIN 3.jpg")
    assert images.parts == ("train", "val", "train", "train") and images.class_names == ("ant", "bee")
    for other in ("bee/trainer_1.jpg", "bee/1.jpg"):
        assert sort("ant/train_1.jpg", "ant/val_1.jpg", other).parts == ()
    assert sort("ant/val_1.jpg", "bee/test_1.jpg").parts == ()  # nothing to train on


def test_which_part_is_trained_on():
    assert training_part(["train", "val"]) == "train" and training_part(["Test", "Training2"]) == "Training2"
    assert training_part(["a", "b"]) == training_part(["train1", "train2"]) == training_part([]) == ""


@pytest.mark.parametrize(
    "folders",
    [
        ("train", "test"),
        ("Training", "Validation"),
        ("train_images", "test_images"),
        ("seg_train", "seg_test", "seg_pred/x"),
        ("train2017", "val2017"),
        ("TrainSet", "HoldOut"),
        ("train/cat", "train/dog", "test"),
        ("dev", "eval"),
    ],
)
def test_parts_of_a_division_are_no_classes_whatever_they_hold(folders):
    with pytest.raises(DataError, match="look like a division into training and test images") as caught:
        sort(*(f"{folder}/{i}" for folder in folders for i in range(2)))
    assert caught.value.remedy


def test_a_class_may_be_called_like_a_part_of_a_division():
    assert sort("train/1", "tram/1", "bus/1").class_names == ("bus", "train", "tram")
    assert sort("testudo/1", "trainer/1", "valley/1").class_names == ("testudo", "trainer", "valley")


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (("pets/cat/1", "pets/dog/1", "pets/cover"), "'pets/cover' is not in a class folder, but beside cat, dog"),
        (("cat/1", "dog/1", "cover"), "'cover' is not in a class folder"),
        (("pets/cat/1", "pets/dog/1", "pets/cover", "cars/1"), "'pets' holds images beside the folders cat, dog"),
        (("cat/1", "dog/1", "cat/dog/1"), "'dog' is a class folder, and a folder within 'cat' too"),
        (("cat/1", "dog/1", "more/cat/2", "more/dog/2"), "'cat' is a class folder, and a folder within 'more' too"),
    ],
)
def test_classes_are_never_merged(paths, message):
    with pytest.raises(DataError, match=message) as caught:
        sort(*paths)
    assert caught.value.remedy


def test_folders_within_a_class_folder_are_said():
    images = sort("cat/persian/1", "cat/siamese/1", "dog/1", "dog/edited/1")
    assert images.class_names == ("cat", "dog")
    assert images.notes == ("Folders within a class folder are of its class: cat (persian, siamese); dog (edited).",)
