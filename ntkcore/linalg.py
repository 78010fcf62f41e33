"""Eigenvalues and eigenvectors of a symmetric matrix that can be given up half-way."""

import contextlib
import os
import subprocess
import sys
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
    values, vectors = _decompose(matrix, True, waiting)
    return values, vectors


def eigvalsh(matrix: NDArray[np.float64], waiting: Callable[[], None] | None = None) -> NDArray[np.float64]:
    """Eigenvalues (n,) alone, ascending: as :func:`eigh`, in a fraction of its time and without the (n, n) result."""
    return _decompose(matrix, False, waiting)[0]


def _decompose(matrix: NDArray[np.float64], vectors: bool, waiting: Callable[[], None] | None) -> tuple[NDArray[np.float64], ...]:
    if len(matrix) <= SMALL:
        return _lapack(matrix, vectors)
    with tempfile.TemporaryDirectory(prefix="ntk-eigh-") as folder:
        np.save(Path(folder) / "matrix.npy", matrix)
        # By its file, not by multiprocessing, which would run a notebook's or script's own main module a second time.
        command = [sys.executable, __file__, folder, "vectors" if vectors else "values", str(os.getpid())]
        package = str(Path(__file__).resolve().parents[1])
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])}
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        try:
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
                if waiting is not None:
                    waiting()
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            raise ComputationError("The eigendecomposition of the kernel did not finish.", "It may need more memory: choose fewer images.")
        return tuple(np.load(Path(folder) / f"result{i}.npy", allow_pickle=False) for i in range(2 if vectors else 1))


def _decompose_in(folder: str, vectors: bool, parent: int) -> None:
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    for i, result in enumerate(_lapack(np.load(Path(folder) / "matrix.npy", allow_pickle=False), vectors)):
        np.save(Path(folder) / f"result{i}.npy", result)


def _end_with(parent: int) -> None:
    """End this process when the one that wants the answer is gone."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _lapack(matrix: NDArray[np.float64], vectors: bool) -> tuple[NDArray[np.float64], ...]:
    if not vectors:
        return (scipy.linalg.eigh(matrix, eigvals_only=True, check_finite=False, driver="evd"),)
    values, columns = scipy.linalg.eigh(matrix, check_finite=False, driver="evd")
    return values, np.ascontiguousarray(columns)


if __name__ == "__main__":
    _decompose_in(sys.argv[1], sys.argv[2] == "vectors", int(sys.argv[3]))
