"""What two regressions make of the same images: predicted classes, how often they agree, how often they are right."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.errors import ComputationError


def predictions(outputs: ArrayLike) -> NDArray[np.int64]:
    """Predicted classes (m,) of outputs (m, k): the largest; of one output 1 if it is at least 0, else 0.

    Raises:
        ComputationError: outputs that are not finite predict nothing.
    """
    values = np.asarray(outputs)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"outputs: expected shape (m, k), got {values.shape}")
    if not np.isfinite(values).all():
        raise ComputationError("Some outputs are NaN or infinite, so they predict no class.", "Train with a smaller learning rate.")
    return (values[:, 0] >= 0).astype(np.int64) if values.shape[1] == 1 else values.argmax(axis=1).astype(np.int64)


def agreement(a: ArrayLike, b: ArrayLike) -> float:
    """Share of samples to which two sets of outputs, each (m, k), give the same class."""
    one, two = predictions(a), predictions(b)
    if np.shape(a) != np.shape(b):
        raise ValueError(f"a, b: expected one shape, got {np.shape(a)} and {np.shape(b)}")
    return float((one == two).mean())


def accuracy(outputs: ArrayLike, labels: ArrayLike) -> float:
    """Share of outputs (m, k) whose class is the label (m,); for one output labels are 0 and 1 (Thesis Fig. 3.8)."""
    found, wanted = predictions(outputs), np.asarray(labels)
    if wanted.shape != found.shape:
        raise ValueError(f"labels: expected shape {found.shape}, got {wanted.shape}")
    return float((found == wanted).mean())
