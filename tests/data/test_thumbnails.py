import io
import os

import numpy as np
import pytest
from PIL import Image

from ntkcore.data import open_pack, thumbnail_pack
from ntkcore.errors import DataMissing, StoreError


def picture(pack, index):
    image = Image.open(io.BytesIO(pack.picture(index)))
    image.load()
    return np.asarray(image)


@pytest.mark.parametrize("shape", [(7, 5, 6), (4, 32, 32, 3), (1, 1, 1), (3, 128, 128), (5, 1, 9, 3)])
def test_every_pixel_survives(make, local, shape):
    pixels = make.pixels(shape)
    pack = thumbnail_pack(pixels, local)
    assert len(pack) == shape[0]
    for index in range(shape[0]):
        np.testing.assert_array_equal(picture(pack, index), pixels[index])


def test_large_images_are_reduced_to_256(make, local):
    pack = thumbnail_pack(make.pixels((2, 100, 512, 3)), local)
    assert picture(pack, 1).shape == (50, 256, 3)


def test_a_pack_is_named_by_its_content_and_written_once(make, local):
    pixels = make.pixels((3, 4, 6))
    pack = thumbnail_pack(pixels, local)
    before = pack.path.stat()
    assert thumbnail_pack(pixels.copy(), local).id == pack.id
    assert pack.path.stat().st_mtime_ns == before.st_mtime_ns
    assert thumbnail_pack(pixels.reshape(3, 6, 4), local).id != pack.id
    assert thumbnail_pack(pixels + np.uint8(1), local).id != pack.id
    assert open_pack(pack.id, local).picture(2) == pack.picture(2)


def test_strided_pixels(make, local):
    pixels = make.pixels((6, 8, 8))[::2, :, ::-1]
    np.testing.assert_array_equal(picture(thumbnail_pack(pixels, local), 1), pixels[1])


@pytest.mark.parametrize("index", [-1, 3, 10**9])
def test_there_is_no_other_image(make, local, index):
    with pytest.raises(IndexError):
        thumbnail_pack(make.pixels((3, 4, 6)), local).picture(index)


@pytest.mark.parametrize("pack_id", ["", "0" * 64, "../secret", "g" * 64, "0" * 63 + "\n"])
def test_unknown_packs(local, pack_id):
    assert open_pack(pack_id, local) is None


def damage(path, how):
    data = bytearray(path.read_bytes())
    stat = path.stat()
    if how == "truncated":
        data = data[:-40]
    elif how == "empty":
        data = data[:0]
    else:
        data[{"magic": 0, "count": 9, "offset": 20, "image": -60, "checksum": -1}[how]] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))


@pytest.mark.parametrize("how", ["truncated", "empty", "magic", "count", "offset", "image", "checksum"])
def test_a_damaged_pack_is_encoded_again(make, local, how):
    pixels = make.pixels((3, 9, 9))
    pack = thumbnail_pack(pixels, local)
    whole = pack.path.read_bytes()
    damage(pack.path, how)
    assert open_pack(pack.id, local) is None
    assert thumbnail_pack(pixels, local).id == pack.id
    assert pack.path.read_bytes() == whole
    np.testing.assert_array_equal(picture(open_pack(pack.id, local), 2), pixels[2])


def test_a_pack_removed_after_it_was_opened(make, local):
    pack = thumbnail_pack(make.pixels((3, 4, 6)), local)
    pack.path.unlink()
    with pytest.raises(DataMissing, match="removed"):
        pack.picture(0)
    assert open_pack(pack.id, local) is None


def test_arrays_that_are_no_images(local):
    for pixels in (np.zeros((2, 4, 4)), np.zeros((2, 4, 4, 4), np.uint8), np.zeros((4, 4), np.uint8), np.zeros((2, 0, 4), np.uint8)):
        with pytest.raises(ValueError, match="pixels: expected uint8"):
            thumbnail_pack(pixels, local)


def test_a_folder_that_cannot_be_written(make, local):
    local.cache_dir.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="could not be written"):
        thumbnail_pack(make.pixels((3, 4, 6)), local)


def test_a_pack_of_texts_carries_them(make, local):
    pixels, texts = make.pixels((3, 9, 9)), ("One <b>line</b>\nand another", "Übergröße  кино 😀", "word " * 900)
    pack = thumbnail_pack(pixels, local, texts)
    for index, text in enumerate(texts):
        assert pack.text(index) == text
        np.testing.assert_array_equal(picture(pack, index), pixels[index])
    assert Image.open(io.BytesIO(pack.picture(1))).text == {"Description": texts[1]}
    assert pack.excerpts(14) == ("One <b>line</…", "Übergröße кин…", "word word wor…")
    assert open_pack(pack.id, local).text(1) == texts[1]
    assert pack.id not in (thumbnail_pack(pixels, local).id, thumbnail_pack(pixels, local, (*texts[:2], "other")).id)


def test_a_pack_of_images_has_no_text(make, local):
    pack = thumbnail_pack(make.pixels((3, 9, 9)), local)
    assert pack.text(0) is None
    assert pack.excerpts(10) is None
