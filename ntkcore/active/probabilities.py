"""From a network's outputs to probabilities of its classes, and from labels to targets (SCIENCE.md §8).

Outputs of a network that was trained on squares are no probabilities. Two ways to some: the nearest point of the simplex, in which exact
zeros occur, and the softmax. One output is a network of two classes, -1 and +1: it counts as the outputs ``((1 - f) / 2, (1 + f) / 2)``
before the projection, and as ``(-f, f)`` before the softmax.
"""

from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Float = NDArray[np.float64]
Way = Literal["simplex", "softmax"]
Coding = Literal["one-hot", "centred"]


def simplex(outputs: ArrayLike) -> Float:
    """Euclidean projection on the probability simplex, of one-hot targets or of those less 1/k alike: (m, k) to (m, classes)."""
    return _rows(_simplex(_scores(_columns(outputs))))


def softmax(outputs: ArrayLike) -> Float:
    """``e^f_c / sum_d e^f_d``: (m, k) to (m, classes)."""
    return _rows(torch.softmax(_logits(_columns(outputs)), 0))


def raw_gap(outputs: ArrayLike) -> Float:
    """The largest output less the second largest (m,), small first: breaks ties of probabilities, of which exact zeros make many."""
    values = np.sort(_rows(_scores(_columns(outputs))), axis=1)
    return np.asarray(values[:, -1] - values[:, -2])


def predicted(outputs: ArrayLike) -> NDArray[np.int64]:
    """Number of the class (m,) that the outputs (m, k) are for; of one output 1 where it is positive, else 0."""
    return _rows(_scores(_columns(outputs))).argmax(1)


def class_targets(k: int, coding: Coding = "one-hot") -> Float:
    """Targets (classes, k) of every class: one-hot, one-hot less 1/k ("centred"), or -1 and +1 where k = 1."""
    if coding not in get_args(Coding):
        raise ValueError(f"coding: expected one of {', '.join(get_args(Coding))}, got {coding!r}")
    if k == 1:
        return np.array([[-1.0], [1.0]])
    return np.eye(k) - (1 / k if coding == "centred" else 0.0)


def label_targets(labels: ArrayLike, k: int, coding: Coding = "one-hot") -> Float:
    """Targets (m, k) of ``labels`` (m,): class numbers, or -1 and +1 where k = 1."""
    return class_targets(k, coding)[class_numbers(labels, k)]


def class_numbers(labels: ArrayLike, k: int) -> NDArray[np.int64]:
    """Class numbers (m,) of labels, which are -1 and +1 where k = 1.

    Raises:
        ValueError: something else.
    """
    found = np.asarray(labels)
    allowed = [-1, 1] if k == 1 else range(k)
    if found.ndim != 1 or not np.isin(found, allowed).all():
        raise ValueError(f"labels: expected {'-1 and +1' if k == 1 else f'classes from 0 to {k - 1}'} for each sample")
    return (found > 0).astype(np.int64) if k == 1 else found.astype(np.int64)


def entropies(outputs: Tensor, of: Way) -> Tensor:
    """Entropy (...) of the probabilities of float64 outputs (k, ...), in nats."""
    if of == "simplex":
        return torch.special.entr(_simplex(_scores(outputs))).sum(0)
    shifted = _logits(outputs)
    shifted = shifted - shifted.amax(0)
    weights = shifted.exp()
    total = weights.sum(0)
    return total.log() - (weights * shifted).sum(0) / total  # no term is negative: nothing cancels


def require_way(of: str) -> None:
    """Refuse what is no way to probabilities."""
    if of not in get_args(Way):
        raise ValueError(f"of: expected one of {', '.join(get_args(Way))}, got {of!r}")


def _simplex(values: Tensor) -> Tensor:
    """Projection of (c, ...) along its first axis: ``max(v - θ, 0)`` with θ from the set of those above it (Michelot 1986).

    The set begins with all that are less than 1 below the largest and only shrinks, so that it is found in at most c steps, exactly.
    """
    shifted = values - values.amax(0)  # θ is at least -1
    inside = shifted > -1
    while True:
        theta = (torch.where(inside, shifted, 0.0).sum(0) - 1) / inside.sum(0)
        fewer = inside & (shifted > theta)
        if torch.equal(fewer, inside):
            return torch.where(inside, shifted - theta, 0.0)
        inside = fewer


def _scores(outputs: Tensor) -> Tensor:
    """(c, ...) one number for each class."""
    return torch.cat([1 - outputs, 1 + outputs]) / 2 if len(outputs) == 1 else outputs


def _logits(outputs: Tensor) -> Tensor:
    return torch.cat([-outputs, outputs]) if len(outputs) == 1 else outputs


def _columns(outputs: ArrayLike) -> Tensor:
    values = np.asarray(outputs, dtype=np.float64)
    if values.ndim != 2 or not values.shape[1] or not np.isfinite(values).all():
        raise ValueError(f"outputs: expected finite numbers (m, k), got shape {values.shape}")
    return torch.from_numpy(np.ascontiguousarray(values.T))


def _rows(values: Tensor) -> Float:
    return np.ascontiguousarray(values.numpy().T)
