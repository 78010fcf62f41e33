"""A plane on which who is near in the kernel stays near: t-SNE (van der Maaten, Hinton 2008) by openTSNE, from known neighbours."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

PERPLEXITY = 30.0
"""Neighbours that count for each sample, softly; fewer where there are few samples."""
STEPS = 750
"""Steps of the descent: 250 with attractions exaggerated twelvefold, as its authors do, then 500."""
_TOLD = 10  # steps between two tellings


def perplexity_of(n: int) -> float:
    """The perplexity for n samples: 30, or a third of the others."""
    return min(PERPLEXITY, (n - 1) / 3)


def neighbours_needed(n: int) -> int:
    """How many neighbours of each sample it takes: three times the perplexity."""
    return min(n - 1, int(3 * perplexity_of(n)))


def neighbour_embedding(
    near: NDArray[np.int32],
    distances: NDArray[np.float64],
    start: NDArray[np.float64],
    *,
    threads: int = 1,
    steps: int = STEPS,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """(n, 2) coordinates; what is far apart there says little, and axes say nothing.

    It starts from the kernel's plane, so that two runs give one picture, and classes lie about where that plane has them.

    Args:
        near, distances: (n, c) nearest other samples and their distances, the nearest first; c at least :func:`neighbours_needed`.
        start: (n, 2) where it begins; scaled.
        threads: of the processor.
        steps: of the descent, a third of them with exaggerated attractions.
        progress: called with (steps done, steps); may raise ``Cancelled``.
    """
    # Loaded where it is used: a second of start-up that no other analysis needs.
    from openTSNE import TSNEEmbedding, affinity, initialization
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    n, count = len(near), neighbours_needed(len(near))
    index = PrecomputedNeighbors(near[:, :count].astype(np.int64), np.maximum(distances[:, :count], 0.0))
    likely = affinity.PerplexityBasedNN(knn_index=index, perplexity=perplexity_of(n), n_jobs=threads)
    begun = initialization.rescale(start)
    told = 0

    def tell(step: int, error: float, embedding: object) -> None:
        nonlocal told
        told += _TOLD
        if progress is not None:
            progress(min(told, steps), steps)

    embedding = TSNEEmbedding(
        begun,
        likely,
        n_jobs=threads,
        random_state=0,
        callbacks=tell,
        callbacks_every_iters=_TOLD,
        negative_gradient_method="bh" if n < 10_000 else "fft",
    )
    embedding = embedding.optimize(steps // 3, exaggeration=12, momentum=0.5)
    embedding = embedding.optimize(steps - steps // 3, momentum=0.8)
    return np.asarray(embedding, dtype=np.float64)
