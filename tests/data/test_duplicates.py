"""Copies among images: the same bytes, the same picture however scaled, coded or brightened, and no picture beside another."""

import io
import itertools

import imagehash
import numpy as np
import pytest
from PIL import Image

from ntkcore.data import duplicates
from ntkcore.data.duplicates import close_pairs, looks_of, same_content, same_picture


def photograph(seed: int, side: int = 64) -> Image.Image:
    """Colours that run into each other, with a few edges."""
    generator = np.random.default_rng(seed)
    rough = Image.fromarray(generator.integers(0, 256, (6, 6, 3)).astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    pixels = np.array(rough)
    top, left = generator.integers(4, side // 2, 2)
    pixels[top : top + side // 3, left : left + side // 4] = generator.integers(0, 256, 3)
    return Image.fromarray(pixels)


def coded(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def test_the_same_bytes_are_told_by_the_first():
    pixels = np.arange(12, dtype=np.uint8).reshape(4, 3)[[0, 1, 0, 2, 1, 0]]
    assert same_content(pixels).tolist() == [0, 1, 0, 3, 1, 0]
    assert same_content([b"a", b"b", b"a"]).tolist() == [0, 1, 0]


def test_a_picture_is_found_scaled_coded_and_brightened():
    first = [photograph(seed) for seed in range(30)]
    changed = [
        coded(first[0], 60),
        first[1].resize((40, 40), Image.Resampling.BILINEAR).resize((64, 64)),
        Image.fromarray((np.asarray(first[2]) * 0.8 + 20).astype(np.uint8)),
        first[3].convert("L").convert("RGB"),
    ]
    pixels = np.stack([np.asarray(image) for image in (*first, *changed)])
    hashes, small = looks_of(pixels)
    found = same_picture(hashes, small, 8, 0.97)
    assert sorted(map(tuple, found.tolist())) == [(0, 30), (1, 31), (2, 32), (3, 33)]


def test_hashes_are_the_librarys_and_pairs_those_of_brute_force(monkeypatch):
    monkeypatch.setattr(duplicates, "_NUMBERS", 50)  # several tiles
    pixels = np.stack([np.asarray(photograph(seed).convert("L")) for seed in range(12)])
    told: list[tuple[int, int]] = []
    hashes, small = looks_of(pixels, lambda *done: told.append(done))
    whole = [imagehash.phash(Image.fromarray(image)) for image in pixels]
    distances = {(i, j): whole[i] - whole[j] for i, j in itertools.combinations(range(12), 2)}
    assert {pair: int(np.bitwise_count(hashes[pair[0]] ^ hashes[pair[1]])) for pair in distances} == distances
    for bits in (0, 20, 28, 64):
        assert sorted(map(tuple, close_pairs(hashes, bits).tolist())) == sorted(pair for pair, apart in distances.items() if apart <= bits)
    expected = sorted(pair for pair in distances if np.corrcoef(*(small[i].ravel().astype(float) for i in pair))[0, 1] >= 0.2)
    assert sorted(map(tuple, same_picture(hashes, small, 64, 0.2).tolist())) == expected
    assert told[0] == (0, 12)


@pytest.mark.parametrize("n", [0, 1])
def test_of_one_image_or_none_there_are_no_pairs(n):
    hashes, small = looks_of(np.zeros((n, 8, 8), np.uint8))
    assert same_picture(hashes, small, 10, 0.9).shape == (0, 2)


def test_images_of_one_colour_are_no_picture():
    hashes, small = looks_of(np.stack([np.full((8, 8), shade, np.uint8) for shade in (0, 100, 200)]))
    assert not len(same_picture(hashes, small, 64, 0.5))
