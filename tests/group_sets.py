"""A second source of digits for tests: scikit-learn's, in reverse brightness, brought as a set of one's own."""

from pathlib import Path

import numpy as np

from ntkcore.data import import_images, load_dataset
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec


def negatives(folder: Path, settings: Settings, *, side: int | None = None, classes: tuple[str, ...] = (), n: int = 600) -> str:
    """Content id of the set: images of 8 × 8, or of another side, whose classes are called as the digits'."""
    whole = load_dataset(DatasetSpec(name="digits", n=n, seed=9, classes=classes), settings)
    labels = np.array([int(name) for name in whole.class_names])[whole.labels]
    np.savez(folder / "negatives.npz", images=255 - whole.pixels, labels=labels)
    return import_images(folder / "negatives.npz", settings, name="Negatives", **({} if side is None else {"side": side})).content_id
