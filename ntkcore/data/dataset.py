"""The images or texts of one specification, ready to train on and to show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntkcore.short import short
from ntkcore.specs import DatasetSpec

SHOWN = 20_000  # characters


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Where images have their originals: the set's content id, and int64 ``(n,)`` the position of each in it."""

    content: str
    positions: NDArray[np.int64]

    def __getitem__(self, which: slice) -> "Origin":
        """Of some of them."""
        return Origin(self.content, self.positions[which])


@dataclass(frozen=True, slots=True)
class Dataset:
    """The drawn images (or vectors), their labels, and what is needed to show them.

    Attributes:
        spec: the specification that drew them.
        title: name of the set for people.
        inputs: float32 ``(n, c, h, w)`` in [0, 1] for images; float32 ``(n, d)`` for vector sets and texts.
        pixels: uint8 ``(n, h, w)`` (gray) or ``(n, h, w, 3)`` (RGB), for display; a drawing of the point for vector sets, of the
            beginning of the text for texts.
        labels: int64 ``(n,)`` after the label noise, positions in ``class_names``.
        true_labels: int64 ``(n,)`` before the label noise.
        class_names: the classes in label order.
        ids: stable name of each image, e.g. ``"mnist/train/123"``, or the file name of an imported image.
        mean: float32 ``(c,)`` mean of each channel over the drawn images; of each of the d numbers over the drawn texts; zeros
            ``(d,)`` for vector sets.
        std: float32 ``(c,)`` standard deviation, at least 1e-3; for texts one number ``(d,)`` times, the root of the mean square
            of all numbers about their means, so that distances between texts keep their proportions; ones ``(d,)`` for vector
            sets.
        content: SHA-256 (hex) of the source.
        texts: what a reader sees of each text, at most :data:`SHOWN` characters; None for images and vector sets.
        origin: where the originals of photographs are; None where the pixels are all there is.
        places: int64 ``(n,)`` where each is in its set; None for what is put together from several.
    """

    spec: DatasetSpec
    title: str
    inputs: NDArray[np.float32]
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    true_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    ids: tuple[str, ...]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    content: str
    texts: tuple[str, ...] | None = None
    origin: Origin | None = None
    places: NDArray[np.int64] | None = None

    __repr__ = short

    @property
    def n(self) -> int:
        """How many images."""
        return len(self.labels)

    @property
    def outputs(self) -> int:
        """Outputs of a network for these labels: 1 for two classes, else one per class."""
        return 1 if len(self.class_names) == 2 else len(self.class_names)

    @property
    def flipped(self) -> NDArray[np.bool_]:
        """bool ``(n,)``: whose label the label noise moved."""
        return self.labels != self.true_labels

    @property
    def targets(self) -> NDArray[np.float32]:
        """float32 ``(n, outputs)``: -1 / +1 for the first / second of two classes, else one-hot."""
        if self.outputs == 1:
            return (2.0 * self.labels[:, None] - 1.0).astype(np.float32)
        return np.eye(self.outputs, dtype=np.float32)[self.labels]
