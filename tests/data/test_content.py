"""What an image is, whichever pack shows it."""

import numpy as np

from ntkcore.data import thumbnail_pack
from ntkcore.data.content import content_of_image, contents


def test_the_same_pixels_are_the_same_image_in_every_pack(cache):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 9), dtype=np.uint8)
    one, two = thumbnail_pack(pixels, cache), thumbnail_pack(pixels[[4, 0]], cache)
    assert contents(two) == (contents(one)[4], contents(one)[0]) and len(set(contents(one))) == 5
    assert content_of_image(one, 3) == contents(one)[3] and len(contents(one)[3]) == 32
    turned = thumbnail_pack(pixels.reshape(5, 9, 8), cache)  # the same bytes in another shape
    assert not set(contents(turned)) & set(contents(one))
    coloured = thumbnail_pack(np.repeat(pixels[..., None], 3, axis=3), cache)
    assert not set(contents(coloured)) & set(contents(one))


def test_a_text_is_its_characters(cache):
    pixels = np.zeros((2, 8, 8), dtype=np.uint8)
    one = thumbnail_pack(pixels, cache, ["a", "b"])
    assert contents(one)[0] != contents(one)[1]
    assert contents(thumbnail_pack(pixels[:1] + 1, cache, ["b"])) == contents(one)[1:]  # however it is drawn
