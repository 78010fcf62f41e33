"""Which of this process's linear algebra takes all cores of the processor.

NumPy and SciPy bring an OpenBLAS each, whose threads keep turning for a while after a call and wait for each other in every call. By turns,
or beside another busy process, they hold each other up: on two cores, removing 100 of 300 samples takes 12 ms and not 0.5. So products
take one thread, and all cores where they are so large that what waiting costs is small.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LARGE = 3e9  # multiplications: a seventh of a second on one core, of which waiting beside other work is a tenth
_LOCK = threading.Lock()


class _Wide:
    """NumPy's products that take all cores just now."""

    def __init__(self) -> None:
        self.library: Any = None  # of NumPy, once cores are shared
        self.cores = self.under_way = 0

    def change(self, by: int) -> None:
        """One more, or one less; the number of threads is the whole process's."""
        with _LOCK:
            self.under_way += by
            if self.library is not None and self.under_way == max(by, 0):  # the first begins, the last ends
                self.library.set_num_threads(self.cores if self.under_way else 1)


_WIDE = _Wide()


def share_cores(threads: int = 0) -> None:
    """Give NumPy's and SciPy's linear algebra one thread each in this process, and :func:`all_cores` to what is large.

    Args:
        threads: of a large product at the most; 0: as many as the library has, which is the cores unless the environment says otherwise.
    """
    import scipy.linalg  # noqa: F401  # its library must be there to be found
    from threadpoolctl import ThreadpoolController  # the mathematics does without

    with _LOCK:
        if _WIDE.library is not None:
            return
        for library in ThreadpoolController().select(user_api="blas").lib_controllers:
            if Path(library.filepath).parent.name.startswith("numpy"):
                _WIDE.library, _WIDE.cores = library, threads or library.num_threads
            library.set_num_threads(1)


@contextmanager
def all_cores(multiplications: float) -> Iterator[None]:
    """NumPy's products in the block take all cores, if it has so many multiplications that this pays."""
    if multiplications < _LARGE:
        yield
        return
    _WIDE.change(1)
    try:
        yield
    finally:
        _WIDE.change(-1)


def product(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """``left @ right`` of two matrices, on all cores where it is large."""
    with all_cores(left.size * right.shape[-1]):
        return np.asarray(left @ right)
