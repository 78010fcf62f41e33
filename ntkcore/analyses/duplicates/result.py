"""The result of the duplicates analysis."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ntkcore.short import short
from ntkcore.specs.duplicates import DuplicatesSpec

BytesOf = Literal["file", "pixels", "text", "point"]


@dataclass(frozen=True, slots=True, eq=False)
class DuplicatesResult:
    """What groups of copies follow from; N = n images, and the m held out after them.

    Attributes:
        spec, key: what was asked for, and its key.
        same: (N,) number of the first image with the same bytes: of its file where the set keeps or refers to the originals, else of its
            pixels; of a text its characters, of a point its numbers.
        pixels: (N,) number of the first image with the same pixels; as ``same`` where that is of pixels, texts or points.
        bytes_of: what the same bytes are bytes of.
        hashes, small: (N,) and (N, 32, 32) perceptual hashes and small gray copies; of texts and generated points there are none (0,).
        labels: (N,) after the label noise for the first n, true ones for the others.
        places: (N,) where each is in its set.
        class_names, ids: names of the classes and of the images.
        pack: id of the thumbnails.
        created, seconds, device: when (UTC, ISO 8601), how long and on what it was computed.
    """

    spec: DuplicatesSpec
    key: str
    same: NDArray[np.int64]
    pixels: NDArray[np.int64]
    bytes_of: BytesOf
    hashes: NDArray[np.uint64]
    small: NDArray[np.uint8]
    labels: NDArray[np.int64]
    places: NDArray[np.int64]
    class_names: tuple[str, ...]
    ids: tuple[str, ...]
    pack: str
    created: str
    seconds: float
    device: str

    __repr__ = short

    @property
    def n(self) -> int:
        """How many images are no held-out ones."""
        return self.spec.dataset.n

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory."""
        return sum(values.nbytes for values in (self.same, self.pixels, self.hashes, self.small, self.labels, self.places))
