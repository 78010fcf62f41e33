"""A set of one's own in which some images are there more than once."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from ntkcore.data import import_images
from ntkcore.settings import Settings

KINDS = 20
"""Different images: numbers 0 to 19 of the set; copies follow."""
COPIES = {20: 3, 21: 3, 22: 5, 23: 7, 24: 9}
"""Number of a copy, and of what it is one: 20 and 21 the same bytes, 22 too but of the other class, 23 coded anew, 24 half as bright."""


def photographs() -> np.ndarray:
    """uint8 (25, 32, 32), even numbers so that half of each is a number, too."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(KINDS):
        rough = Image.fromarray(generator.integers(0, 256, (6, 6)).astype(np.uint8)).resize((32, 32), Image.Resampling.BICUBIC)
        found.append(np.asarray(rough) // 2 * 2)
    buffer = io.BytesIO()
    Image.fromarray(found[7]).save(buffer, "JPEG", quality=70)
    return np.stack([*found, found[3], found[3], found[5], np.asarray(Image.open(buffer)), found[9] // 2])


def labels() -> np.ndarray:
    """(25,) of two classes by turns; a copy has its image's, but for number 22."""
    own = np.arange(KINDS) % 2
    return np.concatenate([own, [own[3], own[3], 1 - own[5], own[7], own[9]]])


def brought(folder: Path, settings: Settings) -> str:
    """The set's id; its images have their numbers for names."""
    np.savez(folder / "copies.npz", images=photographs(), labels=np.array(["cat", "dog"])[labels()])
    return import_images(folder / "copies.npz", settings, name="copies").content_id
