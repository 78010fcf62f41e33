"""Who is alike to an image in the kernel that ranked it, where the whole kernel is stored: the ranking itself needs the diagonal alone."""

import numpy as np

from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.analyses.materials.kernel import kernel_key
from ntkcore.analyses.workspace import Workspace


def known(result: LearnabilityResult, ws: Workspace) -> bool:
    """Whether the whole kernel is stored."""
    return ws.store.state("kernel", kernel_key(result.spec.kernel, ws)) == "ready"


def alike_first(result: LearnabilityResult, image: int, ws: Workspace) -> np.ndarray:
    """(n,) all images, the one itself first, then by the kernel's cosine k(x, z) / √(k(x, x) k(z, z)) with it.

    Raises:
        StoreError: the kernel is not stored.
        CorruptArtifact: a tile of it is damaged.
    """
    artifact = ws.store.open("kernel", kernel_key(result.spec.kernel, ws))
    layout = artifact.layout("kernel")
    band, row = divmod(image, layout.chunks[0])
    kernel = np.concatenate([artifact.read_tile("kernel", (band, column))[row] for column in range(layout.grid[1])]).astype(np.float64)
    near = kernel / np.sqrt(np.maximum(result.score, np.finfo(np.float64).tiny))
    near[image] = np.inf
    return np.argsort(-near, kind="stable")
