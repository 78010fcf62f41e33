"""Memory for large matrices on a CPU, kept for the next one.

The system clears each page of new memory when it is first written, which takes longer than forming the gradients that go there. What
a matrix leaves behind is therefore lent again to the next of about its size, and given back where the next is of another, or where none
comes for a minute.
"""

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def machine_bytes() -> int:
    """Bytes of memory this process may use: the machine's, or its container's where that is less."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 8 * 2**30
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        with contextlib.suppress(OSError, ValueError):  # absent, or "max"
            found = min(found, int(limit.read_text()))
    return found


class Buffers:
    """Lends arrays; keeps at most ``limit`` bytes of those that came back, and none when nothing was lent for ``idle`` seconds."""

    def __init__(self, limit: int, idle: float = 60.0) -> None:
        self._limit, self._idle = limit, idle
        self._free: list[np.ndarray] = []
        self._out = 0  # arrays lent and not yet back
        self._used = time.monotonic()
        self._watched = False
        self._lock = threading.RLock()  # an array may come back at any moment, also while one is lent

    def lend(self, shape: Sequence[int], dtype: type) -> Tensor:
        """A tensor on the CPU with any values; its memory comes back when nothing uses it any more."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        with self._lock:
            self._out += 1
            self._used = time.monotonic()
            if not self._watched:
                self._watch(self._idle)
            fitting = [index for index, memory in enumerate(self._free) if size <= memory.nbytes <= size + size // 4]
            if fitting:
                memory = self._free.pop(fitting[0])
            else:
                self._free.clear()
                memory = np.empty(size, dtype=np.uint8)  # NumPy asks for large pages, which are cleared in a third of the time
        lent: np.ndarray = memory[:size].view(dtype).reshape(shape)
        weakref.finalize(lent, self._back, memory).atexit = False
        return torch.from_numpy(lent)

    def held(self) -> int:
        """Bytes kept."""
        return sum(memory.nbytes for memory in self._free)

    def _back(self, memory: np.ndarray) -> None:
        with self._lock:
            self._out -= 1
            self._used = time.monotonic()
            if self.held() + memory.nbytes <= self._limit:
                self._free.append(memory)

    def _watch(self, seconds: float) -> None:
        self._watched = True
        timer = threading.Timer(seconds, self._look)
        timer.daemon = True
        timer.start()

    def _look(self) -> None:
        """Give back what nothing has asked for; look again as long as anything is lent or kept."""
        with self._lock:
            left = self._used + self._idle - time.monotonic()
            if left <= 0:
                self._free.clear()
            self._watched = False
            if self._free or self._out:
                self._watch(max(left, self._idle / 4))
