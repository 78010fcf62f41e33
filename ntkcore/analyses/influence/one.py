"""One image of an influence result: what it does to every held-out image, and which training images the kernel takes it for."""

import numpy as np

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import held, regression, time_of
from ntkcore.analyses.materials.split import targets_of
from ntkcore.analyses.workspace import Workspace
from ntkcore.influence import shift_influence
from ntkcore.specs.influence import InfluenceView


def effects(result: InfluenceResult, view: InfluenceView, image: int, ws: Workspace) -> np.ndarray:
    """(m,) how much the loss of each held-out image would rise without one training image, at the view's λ and time."""
    outputs = held(result, view, ws).outputs
    shift = regression(result, view.ridge, ws).group_shift([image], result.k_test, time_of(view))
    errors = outputs - targets_of(result.test_labels, outputs.shape[1])
    return shift_influence(shift[:, None], errors)[:, 0]


def fitted(result: InfluenceResult, view: InfluenceView, ws: Workspace) -> np.ndarray:
    """(n, k) the network's outputs on the training images at the view's λ and time."""
    key = ("influence.fitted", result.key, result.created, view.ridge, view.time)
    return ws.hot.get(key, lambda: regression(result, view.ridge, ws).fitted(time_of(view)))


def neighbours(result: InfluenceResult, image: int, count: int) -> np.ndarray:
    """The training images nearest to one of them by the kernel's cosine k(x, z) / √(k(x, x) k(z, z)), the nearest first.

    Of a full kernel, the mean over outputs is taken.
    """
    values, vectors = result.regression.eigen
    side = len(vectors) // result.regression.n
    rows = slice(image * side, (image + 1) * side)
    near = _cosine(result, ((vectors[rows] * values) @ vectors.T).reshape(side, -1, side))
    near[image] = -np.inf
    return np.argsort(-near, kind="stable")[: min(count, len(near) - 1)]


def neighbours_held(result: InfluenceResult, image: int, count: int) -> np.ndarray:
    """The training images nearest to a held-out one, as :func:`neighbours`."""
    kernel = result.k_test[image]
    blocks = kernel.transpose(1, 0, 2) if kernel.ndim == 3 else kernel[None, :, None]
    return np.argsort(-_cosine(result, blocks), kind="stable")[:count]


def _cosine(result: InfluenceResult, blocks: np.ndarray) -> np.ndarray:
    """(n,) kernel of one image with the training ones (side, n, side), over the root of theirs with themselves: in the cosine's order."""
    values, vectors = result.regression.eigen
    own = (np.square(vectors) @ values).reshape(result.regression.n, -1).sum(1)
    return np.asarray(np.trace(blocks, axis1=0, axis2=2) / np.sqrt(np.maximum(own, np.finfo(float).tiny)))
