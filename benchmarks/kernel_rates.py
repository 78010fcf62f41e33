"""Seconds, operations and rates: what the benchmark of the kernels measures with."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, addmm_flop, baddbmm_flop

from ntkcore.kernels import Outputs, Ways, empirical_ntk
from ntkcore.kernels.workers import threads

_ENOUGH = 0.2  # seconds: shorter work is repeated


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call; the mean over as many as fill a fifth of a second. ``work`` ends with its result in the CPU's memory."""
    start, calls = time.perf_counter(), 0
    while True:
        work()
        calls += 1
        passed = time.perf_counter() - start
        if passed >= _ENOUGH:
            return passed / calls


def fitted(sizes: Sequence[int], seconds: Sequence[float], n: int) -> float:
    """Seconds for ``n`` samples: by ``b n²`` from one size, by ``a n + b n²`` (a, b ≥ 0) through two; as measured where one is ``n``."""
    if n in sizes:
        return seconds[list(sizes).index(n)]
    if len(sizes) == 1:
        return seconds[0] * (n / sizes[0]) ** 2
    (small, large), (quick, slow) = sizes, seconds
    b = (slow / large - quick / small) / (large - small)
    b = min(max(b, 0.0), slow / large**2)
    return (slow / large - b * large) * n + b * n * n


def product_rate(device: torch.device) -> float:
    """Operations per second of a square float32 matrix product (2000 rows; 8000 on CUDA), the best of several: the ceiling.

    In TF32 where torch's setting allows it.
    """
    side = 8000 if device.type == "cuda" else 2000
    a, b = torch.rand(side, side, device=device), torch.rand(side, side, device=device)
    return 2 * side**3 / min(_product(a, b) for _ in range(8))


def jax_product_rate(jax: Any) -> float:
    """The same by JAX on the CPU, which shows whether it has as many threads as torch."""
    a = jax.numpy.asarray(np.random.default_rng(0).random((2000, 2000), dtype=np.float32))
    product = jax.jit(lambda x, y: x @ y)
    product(a, a).block_until_ready()
    best = float("inf")
    for _ in range(8):
        start = time.perf_counter()
        product(a, a).block_until_ready()
        best = min(best, time.perf_counter() - start)
    return 2 * 2000**3 / best


def operations(model: nn.Module, x: Tensor, outputs: Outputs) -> float:
    """Operations that the kernel of ``x`` (n, ...) with itself needs in the forms chosen for it, each symmetric pair once.

    Those of matrix products and convolutions alone, 2 for each multiplication with its addition, counted as they run. Different samples
    on the two sides, b of them on each, take ``c + 2 s b + p b²``; three sizes give s (forward and backward pass and what is formed, per
    sample) and p (per pair; c is what does not depend on b). The result is ``s n + p n (n + 1) / 2``.
    """
    n = len(x)
    empirical_ntk(model, x[:2], outputs=outputs)  # the look at the network, which is kept, so that no count has it
    sizes = (max(2, n // 2), max(3, 3 * n // 4), max(4, n))
    counts = [_counted(model, x, size, outputs) for size in sizes]
    system = np.array([[1.0, 2.0 * b, float(b * b)] for b in sizes])
    _, per_sample, per_pair = np.linalg.solve(system, np.array(counts, dtype=np.float64))
    return float(per_sample * n + per_pair * n * (n + 1) / 2)


def _counted(model: nn.Module, x: Tensor, size: int, outputs: Outputs) -> int:
    both = torch.rand(2 * size, *x.shape[1:], dtype=x.dtype, device=x.device)
    in_place = {torch.ops.aten.addmm_: addmm_flop, torch.ops.aten.baddbmm_: baddbmm_flop}
    with threads(1), FlopCounterMode(display=False, custom_mapping=in_place) as counter:
        empirical_ntk(model, both[:size], both[size:], outputs=outputs, ways=Ways())  # no counter knows oneDNN's products
    return int(counter.get_total_flops())


def _product(a: Tensor, b: Tensor) -> float:
    start = time.perf_counter()
    torch.mm(a, b)
    if a.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
