"""What training showed: correctness, errors, their means by group, and the epoch at which each sample is learned."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ntkcore.learnability.groups import Groups


def predictions(outputs: ArrayLike) -> NDArray[np.int64]:
    """Predicted classes ``(..., n)`` of outputs ``(..., n, k)``: one output: 1 if at least 0, else 0; several: the largest."""
    values = np.asarray(outputs)
    if values.shape[-1] == 1:
        return (values[..., 0] >= 0).astype(np.int64)
    return values.argmax(axis=-1).astype(np.int64)


def confusion(labels: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """How many samples of each label ``(n,)`` are predicted as each class ``(n,)``: ``(classes, classes)``, a row for each label."""
    pairs = classes * np.asarray(labels, dtype=np.int64) + np.asarray(predicted, dtype=np.int64)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def correctness(outputs: ArrayLike, labels: ArrayLike) -> NDArray[np.bool_]:
    """Whether each prediction is the label: ``(..., n)`` for outputs ``(..., n, k)`` and labels ``(n,)``."""
    return np.asarray(predictions(outputs) == np.asarray(labels), dtype=np.bool_)


def error_norms(outputs: ArrayLike, targets: ArrayLike) -> NDArray[np.float64]:
    """Norms of outputs minus targets: ``(..., n)`` for outputs ``(..., n, k)`` and targets ``(n, k)``."""
    return np.asarray(np.linalg.norm(np.asarray(outputs, dtype=np.float64) - np.asarray(targets, dtype=np.float64), axis=-1))


def group_mean(values: ArrayLike, groups: Groups) -> NDArray[np.float64]:
    """Means of ``values`` ``(t, n)`` over each group: ``(t, 3)`` in the order hard, medium, easy; NaN for an empty group."""
    table = np.asarray(values, dtype=np.float64)
    means = np.full((len(table), 3), np.nan)
    for column, members in enumerate(groups.members()):
        if len(members):
            means[:, column] = table[:, members].mean(axis=1)
    return means


def group_accuracy(outputs: ArrayLike, labels: ArrayLike, groups: Groups) -> NDArray[np.float64]:
    """Share of correct predictions per epoch and group (Learnability Fig. 3): ``(t, 3)`` for outputs ``(t, n, k)``."""
    return group_mean(correctness(outputs, labels), groups)


def group_error(outputs: ArrayLike, targets: ArrayLike, groups: Groups) -> NDArray[np.float64]:
    """Mean norm of the error per epoch and group: ``(t, 3)`` for outputs ``(t, n, k)`` and targets ``(n, k)``."""
    return group_mean(error_norms(outputs, targets), groups)
