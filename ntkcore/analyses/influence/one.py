"""The training images that the kernel takes an image for: its neighbours by the kernel's cosine."""

import numpy as np

from ntkcore.analyses.influence.result import InfluenceResult


def neighbours(result: InfluenceResult, image: int, count: int) -> np.ndarray:
    """The training images nearest to one of them by the kernel's cosine k(x, z) / √(k(x, x) k(z, z)), the nearest first.

    Of a full kernel, the mean over outputs is taken.
    """
    near = cosines(result, image)
    near[image] = -np.inf
    return np.argsort(-near, kind="stable")[: min(count, len(near) - 1)]


def alike_first(result: InfluenceResult, image: int) -> np.ndarray:
    """(n,) all training images, the one itself first, then by the kernel's cosine with it."""
    near = cosines(result, image)
    near[image] = np.inf
    return np.argsort(-near, kind="stable")


def cosines(result: InfluenceResult, image: int) -> np.ndarray:
    """(n,) k(x, z) / √(k(x, x) k(z, z)) of one training image with all."""
    values, vectors = result.regression.eigen
    side = len(vectors) // result.regression.n
    rows = slice(image * side, (image + 1) * side)
    found = _cosine(result, ((vectors[rows] * values) @ vectors.T).reshape(side, -1, side))
    return found / np.sqrt(max(float(np.square(vectors[rows]).sum(0) @ values), np.finfo(float).tiny))


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
