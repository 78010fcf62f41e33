"""Training images and those held out from them."""

import numpy as np
import pytest

from ntkcore.analyses.defaults import Sizes, fit
from ntkcore.analyses.materials.split import check_split, load_split
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Room, import_images, load_dataset, open_pack
from ntkcore.errors import DataError
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec


@pytest.fixture
def ws(tmp_path):
    return Workspace(Settings(cache_dir=tmp_path / "cache"))


def test_held_out_images_follow_in_the_same_draw(ws):
    spec = DatasetSpec(n=60, label_noise=0.2, seed=3)
    split = load_split(spec, 20, ws)
    whole = load_dataset(DatasetSpec(n=80, seed=3), ws.settings)
    assert (*split.train.ids, *split.test_ids) == whole.ids
    np.testing.assert_array_equal(split.test_inputs, whole.inputs[60:])
    np.testing.assert_array_equal(split.test_labels, whole.labels[60:])
    np.testing.assert_array_equal(split.test_pixels, whole.pixels[60:])
    with pytest.raises(DataError, match="1,700 images to train on and 500 more"):
        check_split(DatasetSpec(n=1700), 500, ws)


def test_of_a_part_the_others_are_held_out(ws, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
    paths = []
    for name, some in (("train.npz", slice(0, 12)), ("test.npz", slice(12, 20))):
        np.savez(tmp_path / name, images=images[some], labels=np.arange(20)[some] % 2)
        paths.append(tmp_path / name)
    own = import_images(paths, ws.settings, name="x").content_id
    spec = DatasetSpec(name="own", own=own, n=12, part="train", label_noise=0.25)
    split = load_split(spec, 8, ws)
    trained = {image.tobytes() for image in split.train.pixels}
    assert trained == {image.tobytes() for image in images[:12]}
    assert {image.tobytes() for image in split.test_pixels} == {image.tobytes() for image in images[12:]}
    assert split.train.flipped.sum() == 3 and len(open_pack(split.pack, ws.settings)) == 12
    check_split(spec, 8, ws)
    with pytest.raises(DataError, match="8 images of these classes and parts; 9"):
        check_split(spec, 9, ws)


def test_numbers_that_fit_a_division():
    room = Room("x", 245, 4, held=153)
    assert fit(Sizes(1000, 500), room, ()) == Sizes(245, 76)  # as many are left for a study to judge by
    assert fit(Sizes(200, 100), room, ()) == Sizes(200, 100)
    assert fit(Sizes(245, 153), room, ("n", "test")) == Sizes(245, 153)
    assert fit(Sizes(1000, 0), room, ()) == Sizes(245, 0)
