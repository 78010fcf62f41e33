"""Threads for parts of a kernel's work on a CPU, each with its share of the processors, and memory that stays with them."""

import contextlib
import ctypes
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch

_MOST = 8  # threads; Python itself runs in one at a time
HEAP_BYTES = 64 * 2**20
"""What a thread's heap begins with, and grows by."""
_KEEP = ((-3, 32 * 2**20), (-1, 2**29), (-2, HEAP_BYTES))
"""glibc's M_MMAP_THRESHOLD (the most it takes), M_TRIM_THRESHOLD and M_TOP_PAD (a whole heap of a thread)."""


def processors() -> int:
    """Parts that may run at once on the CPU: torch's threads, at most 8."""
    return min(torch.get_num_threads(), _MOST)


@contextlib.contextmanager
def pool(count: int) -> Iterator[ThreadPoolExecutor]:
    """``count`` threads that share torch's processors; what is submitted has ended afterwards."""
    before = torch.get_num_threads()
    _keep_memory()
    try:
        with ThreadPoolExecutor(count, "ntk", torch.set_num_threads, (max(1, before // count),)) as threads:
            yield threads
    finally:
        torch.set_num_threads(before)  # the threads' number is the default of those to come


@cache
def _keep_memory() -> None:
    """Keep freed memory for the next batch, up to half a GiB.

    Each batch allocates what the last one freed. By default this goes back to the system in between, which then clears every page anew:
    a tenth of the time on two threads, and more where a virtual machine has to fetch the page from its host. Other allocators than
    glibc's have no such call.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        for parameter, value in _KEEP:
            libc.mallopt(parameter, value)
