"""Growth of the peak memory of a kernel's computation, each in a process of its own, beside the formula that promises it."""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from kernel_workloads import TABLE
from torch import Tensor, nn

from ntkcore.kernels import Outputs, empirical_ntk, working_set

CASES = (("cnn4", 1000), ("cnn4", 2000), ("cnn4", 5000), ("cnn4-full", 300))
LIMIT = 8 * 2**30


def resident(entry: str) -> int:
    """Bytes by the entry of /proc/self/status; elsewhere than on Linux the peak, whichever is asked for."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(entry)) * 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 2**10)


def _drawn(name: str, n: int) -> tuple[nn.Module, Tensor]:
    workload = TABLE[name]
    return workload.network(), torch.rand(n, *workload.shape)


def _grown(
    queue: Any, make: Callable[..., tuple[nn.Module, Tensor]], arguments: tuple[Any, ...], outputs: Outputs, threads: int, device: str
) -> None:
    """Puts the growth in bytes, the formula's bytes and the seconds. Two samples go first, so that libraries are loaded."""
    torch.set_num_threads(threads)
    model, x = (made.to(device) for made in make(*arguments))
    empirical_ntk(model, x[:2], outputs=outputs)
    formula = working_set(model, x[:1], n=len(x), outputs=outputs)
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() if on_gpu else resident("VmRSS")
    start = time.perf_counter()
    empirical_ntk(model, x, outputs=outputs)
    seconds = time.perf_counter() - start
    peak = torch.cuda.max_memory_allocated() if on_gpu else resident("VmHWM")
    queue.put((peak - before, formula, seconds))


def growth(
    make: Callable[..., tuple[nn.Module, Tensor]], arguments: tuple[Any, ...], outputs: Outputs, threads: int, device: str
) -> tuple[int, int, float]:
    """Of the kernel of the network and samples that ``make`` gives, in a process of its own: growth and formula in bytes, and seconds."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_grown, args=(queue, make, arguments, outputs, threads, device))
    process.start()
    found: tuple[int, int, float] = queue.get(timeout=3600)
    process.join()
    return found


def memory_table(threads: int, device: str) -> bool:
    """Prints the table; whether every case stays below the formula and the limit, and none grows faster than n²."""
    print(f"{'':34}{'n':>7}{'peak growth':>14}{'formula':>12}{'seconds':>10}")
    good, peaks = True, {}
    for name, n in CASES:
        peak, formula, seconds = growth(_drawn, (name, n), TABLE[name].outputs, threads, device)
        good &= peak <= min(formula, LIMIT)
        peaks[name, n] = peak
        print(f"{TABLE[name].title:34}{n:7}{peak / 2**20:10.0f} MiB{formula / 2**20:8.0f} MiB{seconds:10.1f}", flush=True)
    quadratic = peaks["cnn4", 5000] <= 6.25 * peaks["cnn4", 2000]
    print(f"growth from n = 2000 to 5000: {peaks['cnn4', 5000] / peaks['cnn4', 2000]:.1f} times (n²: 6.25)")
    print(f"peak growth: of resident memory (CUDA: of allocated memory), samples and network excepted; limit {LIMIT / 2**30:.0f} GiB")
    return good and quadratic
