"""Kernels tile by tile into a draft: each tile computed once, written with its mirror image, resumed where it was left; and their rates."""

import itertools
import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from ntkcore.analyses.materials.network import rate_name
from ntkcore.analyses.rates import clocked
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset
from ntkcore.kernels import Compression, FallbackWarning, Ways, ntk_tiles
from ntkcore.kernels.quickest import TIMED, choosable, chosen, ways_seconds
from ntkcore.kernels.ways import PLAIN
from ntkcore.specs import KernelSpec, ModelSpec, Outputs
from ntkcore.specs.convergence import ComparisonSpec
from ntkcore.store import Draft

TILE = 256  # images on a side of a stored tile, at most
TILE_BYTES = 2 * 2**20  # of a tile of k × k blocks: what an interruption may cost


@dataclass(frozen=True, slots=True)
class Filled:
    """What filling an array with a kernel took: images, pairs and seconds (alone) of this attempt, the share of the processors that others
    had meanwhile, whether it went on from an earlier one."""

    images: int
    pairs: int
    seconds: float
    others: float
    resumed: bool
    notes: frozenset[str]


def fill_kernel(
    draft: Draft,
    name: str,
    module: torch.nn.Module,
    x: torch.Tensor,
    z: torch.Tensor | None = None,
    *,
    ways: Ways,
    outputs: Outputs,
    k: int,
    progress: Callable[[float, float], None],
    compression: Compression | None = None,
) -> Filled:
    """Compute the tiles of a kernel that a draft's array lacks, and write each as soon as it is done.

    Args:
        draft: where the array ``name`` is, or is created.
        module: the network, on the device and in the dtype to compute in.
        x, z: (n, ...) and (m, ...) samples; without ``z`` the kernel of ``x`` with itself, whose tiles below the diagonal are
            the mirror images of those above: block (j, i) of the full kernel is block (i, j) with its outputs exchanged.
        ways: how to compute, from :func:`ways_of`.
        outputs, k: which kernel, and how many outputs the network has.
        progress: called with (pairs done, pairs in all), those of an earlier attempt included; may raise ``Cancelled``.
        compression: of the gradients; None keeps them whole.

    Returns:
        What it took; ``seconds`` are those of the kernel, without writing.
    """
    rows, columns = len(x), len(x if z is None else z)
    dtype = str(x.dtype).removeprefix("torch.")
    side = tile_side(outputs, k, dtype)
    blocks = (k, k) if outputs == "full" else ()
    draft.create(name, (rows, columns, *blocks), dtype, (min(side, rows), min(side, columns), *blocks))
    missing = {(tile[0], tile[1]) for tile in draft.missing(name)}
    tiles = list(itertools.product(range(-(-rows // side)), range(-(-columns // side))))
    if z is None:
        missing |= {pair[::-1] for pair in missing}
        tiles = [pair for pair in tiles if pair[0] <= pair[1]]
    wanted = [pair for pair in tiles if pair in missing]
    noted = f"{name}-notes"
    notes: set[str] = set(draft.get_json(noted) or ())
    if not wanted:
        return Filled(0, 0, 0.0, 0.0, True, frozenset(notes))
    area = {(i, j): len(range(rows)[i * side : (i + 1) * side]) * len(range(columns)[j * side : (j + 1) * side]) for i, j in tiles}
    all_pairs, pairs = sum(area.values()), sum(area[pair] for pair in wanted)

    def tell(done: float, of: float) -> None:
        progress(all_pairs - pairs * (1 - done / max(of, 1)), all_pairs)

    seconds = 0.0
    with listening() as heard, clocked(next(module.parameters()).device.type) as taken:
        found = ntk_tiles(module, x, z, outputs=outputs, tile=side, wanted=wanted, compression=compression, ways=ways, progress=tell)
        clock = time.monotonic()
        for row, column, block in found:
            seconds += time.monotonic() - clock
            if not heard() <= notes:
                notes |= heard()
                draft.put_json(noted, sorted(notes))
            draft.write(name, (row, column) + (0,) * len(blocks), block)
            if z is None and row != column:
                draft.write(name, (column, row) + (0,) * len(blocks), block.swapaxes(0, 1).swapaxes(-1, -2) if blocks else block.T)
            clock = time.monotonic()
    images = rows if z is None else rows + columns
    return Filled(images, pairs, seconds * taken.alone / taken.seconds, taken.others, len(wanted) < len(tiles), frozenset(notes))


def ways_of(draft: Draft, module: torch.nn.Module, ws: Workspace) -> Ways:
    """How all parts of a job's kernels are computed: as they were begun, or in the ways that are remembered to be the quickest here, or are
    found to be now; the draft then says which."""
    begun = draft.get_json("ways")
    if begun is not None:
        return Ways.from_json(begun)
    found = PLAIN
    if choosable(next(module.parameters())):
        taken = ws.rates.all_of([f"way {name}" for name in TIMED], ways_seconds)
        assert taken is not None  # a probe was given
        found = chosen(taken)
    draft.put_json("ways", found.to_json())
    return found


def kernel_rate_names(
    outputs: Outputs, dtype: str, model: ModelSpec, dataset: Dataset, device: str, compressed: bool = False
) -> tuple[str, str]:
    """Names of the remembered rates of a kernel: seconds an image, for its gradients, and seconds a pair."""
    form = f"{outputs}-{dtype}{'-compressed' if compressed else ''}"
    image, pair = (rate_name(f"{work}-{form}", model, dataset, device) for work in ("gradients", "kernel"))
    return image, pair


def learn_kernel_rates(
    spec: KernelSpec | ComparisonSpec,
    outputs: Outputs,
    dataset: Dataset,
    ws: Workspace,
    device: str,
    *made: Filled,
    compressed: bool = False,
) -> None:
    """Correct both rates by what was measured; one measurement cannot tell them apart, so their proportion stays."""
    images, pairs = sum(part.images for part in made), sum(part.pairs for part in made)
    if not pairs:
        return
    seconds, names = sum(part.seconds for part in made), kernel_rate_names(outputs, spec.dtype, spec.model, dataset, device, compressed)
    others = max(part.others for part in made)
    image, pair = ws.rates.all_of(names) or (seconds / images, seconds / pairs)  # never probed: half and half
    times = seconds / (image * images + pair * pairs)
    for name, rate in zip(names, (image, pair), strict=True):
        ws.rates.learn(name, rate * times, 1, others)


def tile_side(outputs: Outputs, k: int, dtype: str) -> int:
    """Images on a side of a stored tile: 256, or for k × k blocks as many as keep a tile within ``TILE_BYTES``."""
    if outputs != "full":
        return TILE
    return max(1, min(TILE, math.isqrt(TILE_BYTES // (k * k * np.dtype(dtype).itemsize))))


def kernel_tiles(n: int, side: int = TILE) -> int:
    """Tiles of a symmetric kernel that are computed."""
    count = -(-n // side)
    return count * (count + 1) // 2


def kernel_pairs(n: int, side: int = TILE) -> int:
    """Pairs of images in the tiles of a symmetric kernel that are computed: those on the diagonal are computed whole."""
    whole, rest = divmod(n, side)
    return (n * n + whole * side * side + rest * rest) // 2


def inputs_of(dataset: Dataset, dtype: str) -> torch.Tensor:
    """The inputs of a data set as a tensor of this dtype, (n, ...)."""
    return torch.from_numpy(np.ascontiguousarray(dataset.inputs, dtype=dtype))


@contextmanager
def listening() -> Iterator[Callable[[], set[str]]]:
    """Collect what FallbackWarnings say meanwhile; gives a function that tells what they have said so far."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FallbackWarning)
        yield lambda: {str(item.message) for item in caught if issubclass(item.category, FallbackWarning)}
