"""How much memory a kernel takes: the budgets, the formula, and the refusal of what does not fit."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ntkcore.errors import DataError
from ntkcore.kernels.buffers import machine_bytes
from ntkcore.kernels.engine import Batches, Engine
from ntkcore.kernels.features import WORKSPACE_BYTES
from ntkcore.kernels.layout import Outputs
from ntkcore.kernels.pool import HEAP_BYTES, processors
from ntkcore.kernels.products import LARGEST

_MEMORY = machine_bytes()
KEPT_BYTES = {"cpu": min(max(_MEMORY // 8, 2**29), 8 * 2**30), "cuda": 16 * 2**30}
"""Memory for the features of blocks: those of some rows are kept while the columns pass by. On the CPU, an eighth of the machine's."""


def of_device(budget: dict[str, int], device: torch.device) -> int:
    """A budget of bytes on the device's kind."""
    return budget.get(device.type, budget["cpu"])


def side_of(engine: Engine, n: int) -> int:
    """Samples in a block: all, where their features can be kept and their product is small, or as many as let a few blocks be kept."""
    fitting = of_device(KEPT_BYTES, engine.like.device) // engine.pair_bytes()
    return n if n <= fitting and n * engine.layout.rows <= LARGEST else max(1, min(n, fitting // 4))


def working_set(
    model: nn.Module,
    x: Tensor | np.ndarray,
    m: int | None = None,
    *,
    n: int | None = None,
    outputs: Outputs = "pseudo",
    batch_size: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> int:
    """Bytes that :func:`empirical_ntk` takes at the most, beyond the samples and the model, known before it starts.

    ``R + 2 F + 3 B + 4 W + T``: the result R = n m r² w (w bytes a number, r = k for "full", else 1); the features kept, F =
    min(KEPT_BYTES, all features) and at least two samples'; the batches of one moment B (BATCH_BYTES, or eight samples' up to four times
    that, or one sample's where that is more), with autograd's and the unfolding's temporaries; work arrays W (WORKSPACE_BYTES); one product
    of two blocks T in float64 and again in the kernel's precision, and one of at most 2560 rows for each processor. Up to an eighth of the
    machine's memory stays for the next kernel's features, for a minute.

    Args:
        x: a few samples of the kind meant (one is enough).
        n: samples on the first side; None: ``len(x)``.
        m: samples on the second side; None: the kernel of the first side with itself.
        model, outputs, batch_size, device, dtype: as for :func:`empirical_ntk`.
    """
    engine = Engine(model, x, device, outputs=outputs, dtype=dtype)
    return needed(engine, len(engine.samples) if n is None else n, m, batch_size)


def needed(engine: Engine, n: int, m: int | None, batch_size: int | None) -> int:
    """The formula of :func:`working_set`."""
    device, width, r = engine.like.device, engine.like.element_size(), engine.layout.rows
    columns = n if m is None else m
    kept = min(of_device(KEPT_BYTES, device), (n if m is None else n + m) * engine.pair_bytes())
    side = min(side_of(engine, max(n, columns)), max(n, columns))
    product = (side * r) ** 2 * (8 + 2 * width) + processors() * min(side * r, LARGEST) ** 2 * (8 + width)
    workspace = of_device(WORKSPACE_BYTES, device)
    held = 2 * max(kept, 2 * engine.pair_bytes())
    batch = engine.batch_bytes(engine.pair_batches(side, batch_size))
    return n * columns * r**2 * width + held + 3 * batch + 4 * workspace + product


def likely_for_tiles(engine: Engine, n: int, m: int, tile: int) -> int:
    """Bytes of resident memory that tiles of the kernels of n samples with each other and of m others with them likely take at the peak.

    What :func:`working_set` bounds, as it is found: the features that are kept, which stay for the next kernel, the batches of one moment,
    one work array, and the heaps of threads. On a GPU none of these is resident memory.
    """
    if engine.like.device.type != "cpu":
        return 0
    batches = engine.pair_batches(min(side_of(engine, tile), n), None)
    features = min(of_device(KEPT_BYTES, engine.like.device), (n + m) * engine.pair_bytes())
    return features + engine.batch_bytes(batches) + of_device(WORKSPACE_BYTES, engine.like.device) + _heaps(batches)


def likely_for_norms(engine: Engine, n: int) -> int:
    """Bytes of resident memory that the gradients' norms of n samples likely take at the peak."""
    if engine.like.device.type != "cpu":
        return 0
    batches = engine.norm_batches(n, None)
    return engine.norm_bytes(batches) + _heaps(batches)


def _heaps(batches: Batches) -> int:
    return HEAP_BYTES * batches.at_once if batches.at_once > 1 else 0


def _free_on(device: torch.device) -> int:
    """Bytes that a computation may take on a GPU: what is free, and what torch keeps for itself without using it."""
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + unused


def most_fitting(fits: Callable[[int], bool], n: int) -> int:
    """The largest number up to ``n`` that fits, where all smaller ones fit too; 0 where none does."""
    low, high = 0, n
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def require_fit(engine: Engine, n: int, m: int | None, batch_size: int | None) -> None:
    """Refuse what the machine has no memory for.

    Raises:
        DataError: with the number of samples that would fit.
    """
    limit = _MEMORY if engine.like.device.type == "cpu" else _free_on(engine.like.device)
    wanted = needed(engine, n, m, batch_size)
    if wanted <= limit:
        return
    most = most_fitting(lambda samples: needed(engine, samples, m, batch_size) <= limit, n)
    fits = f"{most:,} samples would fit" if most else "Not even one sample would fit"
    raise DataError(
        f"This kernel of {n:,} × {n if m is None else m:,} samples needs about {wanted / 1e9:.1f} GB; there are {limit / 1e9:.1f} GB.",
        f"{fits}; or choose the pseudo-NTK instead of the full kernel, or take it tile by tile (ntk_tiles).",
    )
