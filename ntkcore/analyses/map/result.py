"""The result of a map."""

from dataclasses import dataclass

import numpy as np

from ntkcore.embedding import Outside
from ntkcore.short import short
from ntkcore.specs.map import MapSpec


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """The held-out images beside a map: where they lie, labels (m,), names, id of their thumbnails."""

    outside: Outside
    labels: np.ndarray
    ids: tuple[str, ...]
    pack: str


@dataclass(frozen=True, slots=True, eq=False)
class MapResult:
    """The training images on two planes, with who is near whom; coordinates and shares are float64.

    Attributes:
        spec, key: what was asked for, and its key.
        coordinates: (n, d) on the leading eigenvectors of the centred kernel; of a full kernel, of its mean over outputs.
        shares: (d,) of the trace that each eigenvector has.
        neighbours: (n, 2) neighbour embedding of the kernel's distances.
        near, distances: (n, c) the nearest others by the kernel's distance, the nearest first, and those; float32.
        alike, cosines: (n, c) the nearest others by the kernel's cosine, and those; float32.
        diagonal: (n,) k(x,x).
        outputs: (n, k) of the network where its kernel is taken; zeros for infinite width.
        labels, true_labels: (n,) after and before the label noise.
        class_names, ids: names of the classes and of the images.
        pack: id of the thumbnails.
        held: the held-out images; None in a map of an earlier version.
        warnings: what a reader should know.
        created, seconds, device: when (UTC, ISO 8601), how long and on what it was computed.
    """

    spec: MapSpec
    key: str
    coordinates: np.ndarray
    shares: np.ndarray
    neighbours: np.ndarray
    near: np.ndarray
    distances: np.ndarray
    alike: np.ndarray
    cosines: np.ndarray
    diagonal: np.ndarray
    outputs: np.ndarray
    labels: np.ndarray
    true_labels: np.ndarray
    class_names: tuple[str, ...]
    ids: tuple[str, ...]
    pack: str
    held: HeldOut | None
    warnings: tuple[str, ...]
    created: str
    seconds: float
    device: str

    __repr__ = short

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        arrays = (self.coordinates, self.neighbours, self.near, self.distances, self.alike, self.cosines, self.diagonal, self.outputs)
        return sum(values.nbytes for values in arrays)
