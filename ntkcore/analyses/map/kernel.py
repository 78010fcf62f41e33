"""The kernel that a map is drawn from: the influence analysis's where that is stored, else computed here, in the draft of the map."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.kernel import fill_kernels
from ntkcore.analyses.materials.split import Split
from ntkcore.analyses.progress import PAIRS, Reporter
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs.map import MapSpec
from ntkcore.store import Draft
from ntkcore.store.tiles import Layout

FILLED = ("k_train", "k_test", "k_train-notes", "k_test-notes")
"""What a kernel that is computed here leaves in the draft; dropped when the map is published."""


@dataclass(frozen=True, slots=True)
class Source:
    """A kernel (n, n) in its own dtype, of a full one the mean over outputs; that of the held-out images with these (m, n); the network's
    outputs (n, k); what a reader should know."""

    kernel: np.ndarray
    k_test: np.ndarray
    outputs: np.ndarray
    notes: tuple[str, ...]


class Tiled(Protocol):
    """Where an array lies in tiles: an artifact or a draft."""

    def read_tile(self, name: str, tile: tuple[int, ...]) -> np.ndarray:
        """One of them."""


def source_of(spec: MapSpec, split: Split, draft: Draft, ws: Workspace, reporter: Reporter, going: Callable[[], None]) -> Source:
    """The kernel of the training images, and of the held-out ones with them.

    Args:
        going: called while its tiles are read; may raise ``Cancelled``.

    Raises:
        AtlasError: the data have no such kernel, or the training diverged.
    """
    if INFLUENCE.ready(spec.influence, ws):
        artifact = ws.store.open(INFLUENCE.kind, INFLUENCE.key(spec.influence, ws))
        kernel, k_test = (mean_kernel(artifact, name, artifact.layout(name), going) for name in ("k_train", "k_test"))
        reporter.report(PAIRS, len(kernel) * (len(kernel) + spec.test))
        return Source(kernel, k_test, artifact.read("f_train"), tuple(artifact.info["notes"]))
    made = fill_kernels(spec.influence, split, draft, ws, reporter)
    kernel, k_test = (mean_kernel(draft, name, draft.layout(name), going) for name in ("k_train", "k_test"))
    return Source(kernel, k_test, made.f_train, tuple(sorted(made.notes)))


def mean_kernel(of: Tiled, name: str, layout: Layout, going: Callable[[], None]) -> np.ndarray:
    """The kernel, of blocks their mean diagonal: tile by tile, so that k × k blocks are never held for all pairs.

    Args:
        of: an influence analysis's artifact, or a draft.
        name: "k_train" or "k_test".
        layout: of that.
        going: called for each tile; may raise ``Cancelled``.
    """
    side = layout.chunks
    kernel = np.empty(layout.shape[:2], dtype=layout.dtype)
    for tile in layout.tiles():
        going()
        block = of.read_tile(name, tile)
        if block.ndim == 4:
            block = np.trace(block, axis1=2, axis2=3) / block.shape[2]
        top, left = tile[0] * side[0], tile[1] * side[1]
        kernel[top : top + len(block), left : left + block.shape[1]] = block
    return kernel
