"""Copies among images before anything is computed of them: the same pixels, or the same picture scaled, coded anew or brightened.

The same picture is found by ImageHash's perceptual hash: 64 signs of the low frequencies (DCT) of a gray copy of 32 × 32 pixels. Two that
differ in few of them are candidates; small images and drawings have so little in them that different ones are among these, too. So two
candidates are the same picture only where small gray copies of them, their mean and size of contrast taken out, agree.
"""

import hashlib
from collections.abc import Callable, Sequence

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

BITS = 64
"""Of a hash."""
_SIDE = 32  # pixels of the small copies that decide
_NUMBERS = 2**22  # compared at a time

Pairs = NDArray[np.int64]
Progress = Callable[[int, int], None]


def same_content(samples: Sequence[bytes] | NDArray[np.generic]) -> NDArray[np.int64]:
    """(n,) for each sample the number of the first one with the same bytes: itself, where there is none before it."""
    first: dict[bytes, int] = {}
    found = np.empty(len(samples), dtype=np.int64)
    for number, sample in enumerate(samples):
        data = sample if isinstance(sample, bytes) else np.ascontiguousarray(sample).tobytes()
        found[number] = first.setdefault(hashlib.sha256(data).digest(), number)
    return found


def looks_of(pixels: NDArray[np.uint8], progress: Progress | None = None) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Perceptual hashes (n,) and small gray copies (n, 32, 32) of images uint8 (n, h, w) or (n, h, w, 3).

    Args:
        pixels: the images.
        progress: called with (images done, all) now and then; may raise.
    """
    hashes, small = np.empty(len(pixels), dtype=np.uint64), np.empty((len(pixels), _SIDE, _SIDE), dtype=np.uint8)
    weights = np.uint64(1) << np.arange(BITS, dtype=np.uint64)
    for number, image in enumerate(pixels):
        gray = Image.fromarray(image).convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        hashes[number] = weights[imagehash.phash(gray).hash.ravel()].sum(dtype=np.uint64)
        small[number] = np.asarray(gray)
        if progress is not None and number % 64 == 0:
            progress(number, len(pixels))
    return hashes, small


def same_picture(hashes: NDArray[np.uint64], small: NDArray[np.uint8], bits: int, agreement: float) -> Pairs:
    """(p, 2) pairs of images, the smaller number first, that are the same picture.

    Args:
        hashes, small: from :func:`looks_of`.
        bits: signs in which two hashes may differ, 0 to 64.
        agreement: the least correlation of the two small copies.
    """
    candidates = close_pairs(hashes, bits)
    flat, size = _contrast(small)
    kept = []
    for part in np.array_split(candidates, max(1, len(candidates) * _SIDE**2 // _NUMBERS)):
        left, right = part[:, 0], part[:, 1]
        both = size[left] * size[right]
        alike = np.einsum("pi,pi->p", flat[left], flat[right]) >= agreement * both
        kept.append(part[alike & (both > 0)])  # images of one colour have no picture in them
    return np.concatenate(kept) if kept else candidates


def likeness(hashes: NDArray[np.uint64], small: NDArray[np.uint8], image: int, other: int) -> tuple[int, float]:
    """Signs in which the hashes of two images differ, and the correlation of their small copies; NaN where one has no contrast."""
    flat, size = _contrast(small[[image, other]])
    both = float(size.prod())
    return int(np.bitwise_count(hashes[image] ^ hashes[other])), float(flat[0] @ flat[1]) / both if both else float("nan")


def _contrast(small: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Small copies (n, 1024) without their mean, and the size of each."""
    flat = small.reshape(len(small), _SIDE**2).astype(np.float64)
    flat -= flat.mean(1, keepdims=True)
    return flat, np.linalg.norm(flat, axis=1)


def close_pairs(hashes: NDArray[np.uint64], bits: int) -> Pairs:
    """(p, 2) pairs, the smaller number first, of hashes (n,) that differ in at most so many bits: n²/2 comparisons in tiles."""
    step, found = max(1, _NUMBERS // max(1, len(hashes))), [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(hashes), step):
        rows = hashes[start : start + step]
        i, j = np.nonzero(np.bitwise_count(rows[:, None] ^ hashes[None, start:]) <= bits)
        found.append(np.stack([i, j], axis=1)[i < j] + start)
    return np.concatenate(found)
