"""Eigendecomposition of a symmetric matrix that can be given up half-way."""

import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ntkcore.errors import ComputationError

SMALL = 1200  # LAPACK answers within about a second below this side; no process of its own is worth it


def eigh(matrix: NDArray[np.float64], waiting: Callable[[], None] | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvalues (n,), ascending, and eigenvectors (n, n), in columns, of a symmetric float64 matrix, on the CPU.

    LAPACK cannot be interrupted, so a large matrix is decomposed in a process of its own, which is killed when
    ``waiting`` raises. Both ways are the same call on the same numbers, hence give the same bytes.

    Args:
        matrix: (n, n), symmetric and finite.
        waiting: called about ten times a second meanwhile; may raise ``Cancelled``.

    Raises:
        ComputationError: the process died, for want of memory as a rule.
    """
    if len(matrix) <= SMALL:
        return _eigh(matrix)
    with tempfile.TemporaryDirectory(prefix="ntk-eigh-") as folder:
        np.save(Path(folder) / "matrix.npy", matrix)
        process = multiprocessing.get_context("spawn").Process(target=_eigh_in, args=(folder,), daemon=True)
        process.start()
        try:
            while process.is_alive():
                process.join(0.1)
                if waiting is not None:
                    waiting()
        finally:
            process.kill()
            process.join()
        if process.exitcode != 0:
            raise ComputationError("The eigendecomposition of the kernel did not finish.", "It may need more memory: choose fewer images.")
        return tuple(np.load(Path(folder) / f"{name}.npy", allow_pickle=False) for name in ("values", "vectors"))


def _eigh_in(folder: str) -> None:
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    values, vectors = _eigh(np.load(Path(folder) / "matrix.npy", allow_pickle=False))
    np.save(Path(folder) / "values.npy", values)
    np.save(Path(folder) / "vectors.npy", vectors)


def _end_with(parent: int) -> None:
    """End this process when the one that wants the answer is gone."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _eigh(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values, vectors = scipy.linalg.eigh(matrix, check_finite=False, driver="evd")
    return values, np.ascontiguousarray(vectors)
