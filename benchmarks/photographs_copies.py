"""How well copies of real photographs are told from other photographs, by the demands that the duplicates page makes.

Of each photograph of NTK_DATA_DIR's ants_bees.zip, and of the first CIFAR-10 images there, copies are made as they come about: coded anew,
scaled, brightened, gray, cropped, turned, mirrored. Looks are taken of squares of ``--side`` pixels, as an import keeps them. *Found*: the
share of photographs whose copy is the same picture; *wrong*: pairs of different photographs that are called one. For the network the
cosine of EfficientNet-Lite0's kernel of the head (zero at its start) at 128 pixels, from NTK_WEIGHTS_DIR.
"""

import argparse
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from photographs_speed import network
from PIL import Image, ImageEnhance, ImageOps

from ntkcore.data import load_dataset
from ntkcore.data.duplicates import likeness, looks_of, same_picture
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec

BITS = (4, 6, 8, 10, 12, 14, 16)
ALIKE = (0.9, 0.93, 0.95, 0.96, 0.97, 0.98, 0.99)
COSINES = (0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
Change = Callable[[Image.Image], Image.Image]


def _coded(quality: int) -> Change:
    def change(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert("RGB")

    return change


def _scaled(part: float) -> Change:
    return lambda image: image.resize((max(8, round(image.width * part)), max(8, round(image.height * part))), Image.Resampling.BILINEAR)


def _cropped(part: float) -> Change:
    """Without so much of the width and of the height, from two sides unequally."""

    def change(image: Image.Image) -> Image.Image:
        wide, high = image.width * part, image.height * part
        return image.crop((round(wide / 4), round(high / 4), round(image.width - 3 * wide / 4), round(image.height - 3 * high / 4)))

    return change


CHANGES: dict[str, Change] = {
    "coded anew, quality 75": _coded(75),
    "coded anew, quality 30": _coded(30),
    "scaled to a half": _scaled(0.5),
    "scaled to a quarter, coded at 60": lambda image: _coded(60)(_scaled(0.25)(image)),
    "brightened by a third": lambda image: ImageEnhance.Brightness(image).enhance(4 / 3),
    "contrast up by a half": lambda image: ImageEnhance.Contrast(image).enhance(1.5),
    "gray": lambda image: image.convert("L").convert("RGB"),
    "cropped by 2 %": _cropped(0.02),
    "cropped by 5 %": _cropped(0.05),
    "cropped by 10 %": _cropped(0.10),
    "turned by 2 degrees": lambda image: image.rotate(2, Image.Resampling.BILINEAR),
    "mirrored": ImageOps.mirror,
}


def photographs(most: int) -> list[Image.Image]:
    """The ants and bees."""
    with zipfile.ZipFile(Path(os.environ["NTK_DATA_DIR"]) / "ants_bees.zip") as archive:
        names = [name for name in sorted(archive.namelist()) if not name.endswith("/")][:most]
        return [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]


def small_ones(most: int) -> list[Image.Image]:
    """CIFAR-10's first images."""
    pixels = load_dataset(DatasetSpec(name="cifar10", n=most), Settings()).pixels
    return [Image.fromarray(image) for image in pixels]


def square(image: Image.Image, side: int) -> np.ndarray:
    """As an import makes it: the short side scaled, the central square."""
    return np.asarray(ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC))


def print_pictures(title: str, images: list[Image.Image], side: int) -> None:
    """What is found and what is wrong, for each demand."""
    n = len(images)
    own = looks_of(np.stack([square(image, side) for image in images]))
    distances = np.bitwise_count(own[0][:, None] ^ own[0][None])[np.triu_indices(n, 1)]
    print(f"{title}: {n} images, {len(distances):,} pairs of different ones")
    print("wrong pairs by the bits in which hashes may differ alone: " + ", ".join(f"{b}: {(distances <= b).sum():,}" for b in BITS))
    wrong = [same_picture(*own, 10, alike) for alike in ALIKE]
    print(f"{'correlation at least':36}" + "".join(f"{alike:>8g}" for alike in ALIKE) + "   (hashes within 10 bits)")
    print(f"{'wrong pairs':36}" + "".join(f"{len(pairs):8}" for pairs in wrong))
    for name, change in CHANGES.items():
        copies = looks_of(np.stack([square(change(image), side) for image in images]))
        hashes, small = (np.concatenate(both) for both in zip(own, copies, strict=True))
        told = np.array([likeness(hashes, small, image, n + image) for image in range(n)])
        found = [float(((told[:, 0] <= 10) & (told[:, 1] >= alike)).mean()) for alike in ALIKE]
        within = ", ".join(f"{b}: {(told[:, 0] <= b).mean():.0%}" for b in BITS)
        print(f"{name:36}" + "".join(f"{share:8.1%}" for share in found) + f"   bits {within}")
    print("pairs called one at 0.97:", [tuple(map(int, pair)) for pair in wrong[ALIKE.index(0.97)]], flush=True)


def print_network(images: list[Image.Image]) -> None:
    """The same by the cosine of the head's kernel: the features' products and one for the bias."""
    model = network("tf_efficientnet_lite0")

    def features(some: list[Image.Image]) -> np.ndarray:
        x = torch.from_numpy(np.stack([square(image, 128) for image in some]).astype(np.float32)).permute(0, 3, 1, 2)
        with torch.no_grad():
            parts = [model.forward_head(model.forward_features(part), pre_logits=True) for part in ((x - 127) / 128).split(32)]  # type: ignore[operator]
        found = np.concatenate([torch.cat(parts).double().numpy(), np.ones((len(some), 1))], 1)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))

    own = features(images)
    between = (own @ own.T)[np.triu_indices(len(own), 1)]
    print(f"{'cosine at least':36}" + "".join(f"{cosine:>8g}" for cosine in COSINES))
    print(f"{'wrong pairs':36}" + "".join(f"{(between >= cosine).sum():8}" for cosine in COSINES))
    for name, change in CHANGES.items():
        with_copy = (own * features([change(image) for image in images])).sum(1)
        print(f"{name:36}" + "".join(f"{(with_copy >= cosine).mean():8.1%}" for cosine in COSINES), flush=True)


def run_copies(options: argparse.Namespace) -> int:
    """Print the tables."""
    shots = photographs(options.images)
    print_pictures("Ants and bees", shots, options.side)
    print_pictures("CIFAR-10", small_ones(options.small), 32)
    print_network(shots)
    return 0
