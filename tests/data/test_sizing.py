"""The size of images, against torchvision's transforms and Pillow's own steps."""

import numpy as np
import pytest
from PIL import Image

from ntkcore.data import load_dataset
from ntkcore.data.sizing import Sizing, cut_pixels
from ntkcore.errors import SpecError
from ntkcore.specs import DatasetSpec


@pytest.mark.parametrize("shape", [(40, 61), (61, 40), (64, 64), (200, 333), (33, 400)])
@pytest.mark.parametrize(
    ("size", "crop", "way"), [(32, 1.0, "bilinear"), (32, 0.875, "bicubic"), (64, 0.9, "bilinear"), (96, 1.0, "bicubic")]
)
def test_it_is_torchvisions_resize_and_center_crop(make, shape, size, crop, way):
    from ntkcore.vision import torchvision

    transforms = torchvision().transforms
    image = Image.fromarray(make.pixels((*shape, 3), 1))
    mode = transforms.InterpolationMode.BILINEAR if way == "bilinear" else transforms.InterpolationMode.BICUBIC
    oracle = transforms.Compose([transforms.Resize(int(size / crop), mode), transforms.CenterCrop(size)])(image)
    np.testing.assert_array_equal(np.asarray(Sizing(size, crop, way).cut(image)), np.asarray(oracle))


def test_it_is_pillows_resize_and_crop(make):
    image = Image.fromarray(make.pixels((100, 160), 2))
    steps = image.resize((64, 40), Image.Resampling.BILINEAR).crop((16, 4, 48, 36))
    np.testing.assert_array_equal(np.asarray(Sizing(32, 0.8).cut(image)), np.asarray(steps))


def test_named_sets_are_scaled_too(local, make):
    raw, _ = make.mnist(local.data_path / "MNIST" / "raw")
    spec = DatasetSpec(name="mnist", n=60, size=32)
    data = load_dataset(spec, local)
    assert data.inputs.shape == (60, 1, 32, 32) and data.pixels.shape == (60, 32, 32)
    plain = load_dataset(DatasetSpec(name="mnist", n=60), local)
    assert plain.ids == data.ids and data.origin is None
    at = [int(name.rsplit("/", 1)[1]) for name in data.ids]
    np.testing.assert_array_equal(data.pixels, cut_pixels(raw[at], Sizing(32)))
    np.testing.assert_array_equal(data.inputs[:, 0], data.pixels.astype(np.float32) / np.float32(255))


def test_digits_of_sixteen_levels(local):
    data = load_dataset(DatasetSpec(n=100, size=32), local)
    assert data.inputs.shape == (100, 1, 32, 32) and 0.5 < data.inputs.max() <= 1


def test_what_is_no_picture_has_no_size(local):
    with pytest.raises(ValueError, match="generated points"):
        DatasetSpec(name="moons", size=64)
    with pytest.raises(ValueError, match="needs the size"):
        DatasetSpec(crop=0.9)
    with pytest.raises(SpecError, match="no part 'train'"):
        load_dataset(DatasetSpec(n=60, part="train"), local)
